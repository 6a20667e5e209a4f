"""How the functions of the library are called, checked: what would be a bare `TypeError` is told in words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter
from typing import ParamSpec, TypeVar

from attention_gallery.errors import UserError, did_you_mean
from attention_gallery.library.arguments import Given

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_PLACED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def told_calls(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function or method that raises `UserError` for arguments that it does not have or that are missing.

    Its call is looked at before it begins, so that a `TypeError` from inside stays what it is.
    """
    parameters = dict(inspect.signature(function).parameters)
    method = next(iter(parameters), None) == "self"
    if method:
        del parameters["self"]

    @wraps(function)
    def checked(*values: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        _check(function.__name__, parameters, len(values) - method, named)
        return function(*values, **named)

    return checked


def _check(name: str, parameters: Mapping[str, Parameter], count: int, named: Mapping[str, object]) -> None:
    """Hold `count` values by position and the named ones to the parameters. Raises `UserError`."""
    placed = [parameter.name for parameter in parameters.values() if parameter.kind in _PLACED]
    known = [*placed, *_only_named(parameters)]
    if count > len(placed):
        raise _too_many(name, placed, known[len(placed) :], count)
    for argument in named:
        if argument not in known:
            mend = (
                did_you_mean(argument, known) or f"known: {', '.join(known)}" if known else f"write {name}()"
            )
            raise UserError(f'`{name}` has no argument "{argument}"', mend=mend)
        if argument in placed[:count]:
            raise UserError(f"`{argument}` of `{name}` is given twice", mend="give it by place or by name")
    for argument in placed[count:]:
        if parameters[argument].default is Parameter.empty and argument not in named:
            required = [other for other in placed if parameters[other].default is Parameter.empty]
            mend = f"write {name}({', '.join(required)})"
            raise UserError(f"`{argument}` of `{name}` is missing", mend=mend)


def _only_named(parameters: Mapping[str, Parameter]) -> list[str]:
    """The arguments that have no place: `**given` stands for those of `Given`."""
    names: list[str] = []
    for parameter in parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            names += Given.__annotations__
        elif parameter.kind is Parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return names


def _too_many(name: str, placed: list[str], others: list[str], count: int) -> UserError:
    if not placed:
        return UserError(f"`{name}` takes no values without a name", mend=f"write {name}()")
    most = f"{len(placed)} value{'s' if len(placed) > 1 else ''}"
    reason = f"`{name}` takes at most {most} without a name ({', '.join(placed)}), and {count} were given"
    named = ", ".join(f"{other}=…" for other in others)
    mend = f"write the others with their names: {named}" if others else f"write {name}({', '.join(placed)})"
    return UserError(reason, mend=mend)
