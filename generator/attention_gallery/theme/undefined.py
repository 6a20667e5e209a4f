"""What a template asks for and is not there, told in the words of its author."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import jinja2
from jinja2.utils import missing

from attention_gallery.errors import did_you_mean

_KINDS: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    tuple: "a list",
    list: "a list",
    type(None): "nothing (None)",
}
_MODULE = re.compile(r"\b(?:attention_gallery|jinja2|markupsafe)\.[\w.]*\b(?=\w)")


class NotThere(jinja2.UndefinedError):
    """A name that is not known, or something that `owner` does not have."""

    def __init__(self, owner: Any, name: Any, message: str) -> None:
        super().__init__(message)
        self.owner, self.name = owner, name

    def told(self, line: str, known: Iterable[str]) -> tuple[str, str]:
        """Reason and mend. `line` is the line of the template, `known` the names that it was given."""
        if self.owner is missing:
            return str(self.message), _mend_name(self.name, known)
        whose = _written(line, self.name)
        field = f'"{self.name}"' if isinstance(self.name, str) else f"element {self.name}"
        kind = _KINDS.get(type(self.owner))
        if kind is not None:
            subject = f'"{whose}" is {kind} and' if whose else kind
        else:
            subject = f'"{whose}"' if whose else f"a {type(self.owner).__name__}"
        return f"{subject} has no {field}", _mend_field(self.owner, self.name, whose)


class Undefined(jinja2.StrictUndefined):
    """As Jinja2's own, but its error keeps what was asked of what."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = jinja2.UndefinedError
    ) -> None:
        # Where Jinja2 has a hint of its own, that is better than a guess.
        if hint is None and exc is jinja2.UndefinedError:
            exc = partial(NotThere, obj, name)
        super().__init__(hint, obj, name, exc)


def without_modules(message: str) -> str:
    """A message of Python's without the modules in which its classes live."""
    return _MODULE.sub("", message)


def _mend_name(name: str, known: Iterable[str]) -> str:
    names = set(known)
    if name in names:
        return 'a macro of another file does not see it: hand it over, or import the macro "with context"'
    return did_you_mean(name, names)


def _mend_field(owner: Any, name: Any, whose: str) -> str:
    if owner is None:
        return f"write {{% if {whose} %}} … {{% endif %}} around it" if whose else ""
    if not isinstance(name, str):
        return ""
    named = isinstance(owner, tuple) and getattr(owner, "_fields", None)
    if named:
        return did_you_mean(name, named) or "known: " + ", ".join(sorted(named))
    if isinstance(owner, tuple | list):
        return f"go through it: {{% for one in {whose} %}} … {{% endfor %}}" if whose else ""
    if isinstance(owner, Mapping):
        return did_you_mean(name, [key for key in owner if isinstance(key, str)])
    attributes = (*dir(type(owner)), *getattr(owner, "__dict__", ()))
    fields = sorted({attribute for attribute in attributes if attribute[0] != "_"})
    if type(owner) in _KINDS:  # those are Python's methods: good for a slip, not for a list
        return did_you_mean(name, difflib.get_close_matches(name, fields, n=1, cutoff=0.6))
    return did_you_mean(name, fields) or "known: " + ", ".join(fields)


def _written(line: str, name: Any) -> str:
    """What a line of a template asks for `name`, as it is written there; "" where that is not plain."""
    last = rf"(?:\.{re.escape(str(name))}\b|\[\s*[\"']?{re.escape(str(name))}[\"']?\s*\])"
    matches = {match[1] for match in re.finditer(rf"([A-Za-z_]\w*(?:\.\w+|\[[^\[\]]*\])*?){last}", line)}
    # Two of them in one line cannot be told apart.
    return matches.pop() if len(matches) == 1 else ""
