"""Keep a page within bounds: a theme can be anybody's, and a template is a program.

Templates are changed before they are compiled: loops, macros, blocks and templates count what they do, and
what makes a text or number out of others looks at its size. A page of the packaged theme does a small
part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context

# What one page may do: turns of loops and calls of macros, blocks and templates; and the largest text, list
# or number, in characters, items or digits to the base of two.
MOST_STEPS = 5_000_000
LARGEST_PAGE = 256_000_000  # characters
CALL = 25  # steps that a call counts for, as it takes as long as so many turns of a loop
LARGEST = 10_000_000
_WIDE = re.compile(r"\d{5}|\*")
_METHODS = frozenset(
    {"center", "expandtabs", "format", "format_map", "join", "ljust", "replace", "rjust", "zfill"}
)


class Steps:
    """How many steps are left to the page that is being rendered."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_STEPS

    def begin(self) -> None:
        """Another page begins."""
        self.left = MOST_STEPS

    def take(self, count: int) -> None:
        """Take some. Raises `TemplateRuntimeError` when too few are left."""
        self.left -= count
        if self.left < 0:
            raise jinja2.TemplateRuntimeError(
                f"the page takes more than {MOST_STEPS:,} steps: a loop or macro goes on and on"
            )


def joined(pieces: Iterable[str]) -> str:
    """What a page or a part of it is put together from, up to the largest page.

    Some at a time, as counting each takes longer than joining them all.
    """
    made: list[str] = []
    size, rest = 0, iter(pieces)
    while some := list(islice(rest, 64)):
        size += sum(map(len, some))
        if size > LARGEST_PAGE:
            raise jinja2.TemplateRuntimeError(f"the page has more than {LARGEST_PAGE:,} characters")
        made += some
    return "".join(made)


def install(environment: Any) -> None:
    """Give an environment with `steps` what changed templates call, and functions that keep to the bounds."""
    environment.filters.update(
        _counted=_counted,
        _called=_called,
        _bounded=_bounded,
        _times=_times,
        _power=_power,
        _percent=_percent,
        _method=_method,
    )
    for name in ("center", "format", "indent", "join", "replace"):
        environment.filters[f"_plain_{name}"] = environment.filters[name]
        environment.filters[name] = _checked(name)
    environment.filters["attr"] = _reached
    environment.filters["_reached"] = _reached
    environment.globals["range"] = _range
    # It makes any amount of text, and no page needs it.
    environment.globals.pop("lipsum", None)


def bounded(template: nodes.Template) -> nodes.Template:
    """The template, changed in place."""
    _change(template, False)
    return template


def _change(node: nodes.Node, printed: bool) -> None:
    """Change everything below a node. `printed`: its value goes into the page and nowhere else."""
    for name, value in list(node.iter_fields()):
        if isinstance(value, nodes.Node):
            setattr(node, name, _changed(value, printed and isinstance(node, nodes.Add | nodes.Concat)))
        elif isinstance(value, list):
            inside = isinstance(node, nodes.Output) or (printed and isinstance(node, nodes.Concat))
            value[:] = [_changed(item, inside) if isinstance(item, nodes.Node) else item for item in value]
    if isinstance(node, nodes.For):
        node.iter = _filter(node.iter, "_counted")
    repeated = isinstance(node, nodes.For) and node.recursive
    if repeated or isinstance(node, nodes.Template | nodes.Macro | nodes.CallBlock | nodes.Block):
        step = _filter(nodes.Const(0, lineno=node.lineno), "_called")
        node.body.insert(0, nodes.ExprStmt(step, lineno=node.lineno))  # type: ignore[attr-defined]
    if isinstance(node, nodes.AssignBlock):
        inner = node.filter
        node.filter = nodes.Filter(inner, "_bounded", [], [], None, None, lineno=node.lineno)


def _changed(node: nodes.Node, printed: bool) -> nodes.Node:
    _change(node, printed)
    if isinstance(node, nodes.Add | nodes.Concat):
        return node if printed else _filter(node, "_bounded")
    for kind, name in ((nodes.Mul, "_times"), (nodes.Pow, "_power"), (nodes.Mod, "_percent")):
        if isinstance(node, kind):
            return _filter(node.left, name, node.right)
    if isinstance(node, nodes.Getattr) and node.attr in _METHODS:
        return _filter(node.node, "_reached", nodes.Const(node.attr, lineno=node.lineno))
    if not isinstance(node, nodes.Call):
        return node
    method = node.node  # changed already
    if isinstance(method, nodes.Filter) and method.name == "_reached":
        named = nodes.Const(f".{method.args[0].as_const()}", lineno=node.lineno)
        call = _filter(method.node, "_method", named, *node.args)
        call.kwargs = node.kwargs  # type: ignore[assignment]
        call.dyn_args, call.dyn_kwargs = node.dyn_args, node.dyn_kwargs
        return call
    return node


def _filter(value: Any, name: str, *arguments: Any) -> nodes.Filter:
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=value.lineno)


# They take the context, so that none is worked out when the template is compiled.
@jinja2.pass_context
def _counted(context: Context, items: Any) -> Any:
    """What a loop goes through, counted at once where its length is known."""
    steps: Steps = context.environment.steps  # type: ignore[attr-defined]
    if isinstance(items, Sized):
        steps.take(len(items))
        return items
    return _one_by_one(steps, items)


def _one_by_one(steps: Steps, items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        steps.take(1)
        yield item


@jinja2.pass_context
def _called(context: Context, _: Any) -> None:
    context.environment.steps.take(CALL)  # type: ignore[attr-defined]


@jinja2.pass_context
def _bounded(_: Context, value: Any) -> Any:
    if isinstance(value, str | bytes | list | tuple) and len(value) > LARGEST:
        raise _too_large()
    return value


@jinja2.pass_context
def _times(_: Context, left: Any, right: Any) -> Any:
    for times, repeated in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(repeated, str | bytes | list | tuple):
            _check(times * len(repeated))
    if isinstance(left, int) and isinstance(right, int):
        _check(left.bit_length() + right.bit_length())
    return left * right


@jinja2.pass_context
def _power(_: Context, left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        # An upper bound, told before the number is worked out.
        _check(left.bit_length() * max(0, right))
    return left**right


@jinja2.pass_context
def _percent(_: Context, left: Any, right: Any) -> Any:
    if isinstance(left, str | bytes) and _WIDE.search(
        left if isinstance(left, str) else left.decode("latin-1")
    ):
        raise _too_large()
    return left % right


@jinja2.pass_context
def _method(context: Context, owner: Any, name: str, *arguments: Any, **named: Any) -> Any:
    """A filter, or with a dot before its name a method, that can make a long text out of a short one."""
    plain = name.removeprefix(".")
    values = [*arguments, *named.values()]
    # Methods of other objects may have the same names.
    if isinstance(owner, str) or not name.startswith("."):
        if plain in ("format", "format_map") and (_WIDE.search(str(owner)) or any(map(_is_wide, values))):
            raise _too_large()
        if plain == "replace" and len(values) > 1:
            _check(str(owner).count(str(values[0])) * len(str(values[1])))
        elif plain == "join":
            owner, values, arguments = _joined(owner, name, values, arguments)
        elif any(map(_is_wide, values)):
            raise _too_large()
    if name.startswith("."):
        made = context.call(context.environment.getattr(owner, plain), *arguments, **named)
    else:
        made = context.environment.call_filter(
            f"_plain_{plain}", owner, arguments, named, context=context, eval_ctx=context.eval_ctx
        )
    return _bounded(context, made)


def _checked(name: str) -> Any:
    """A filter of Jinja2's that can make a long text out of a short one, with a look at what it is given."""

    @jinja2.pass_context
    def checked(context: Context, owner: Any, *arguments: Any, **named: Any) -> Any:
        return _method(context, owner, name, *arguments, **named)

    return checked


def refuse_method(owner: Any, name: Any) -> None:
    """Raise `TemplateRuntimeError` for a method of a text that would be called out of sight."""
    if isinstance(owner, str | bytes) and name in _METHODS:
        raise jinja2.TemplateRuntimeError(f'"{name}" of a text must be called where it is named')


@jinja2.pass_context
def _reached(context: Context, owner: Any, name: str) -> Any:
    refuse_method(owner, name)
    return context.environment.getattr(owner, name)


def _joined(owner: Any, name: str, values: list[Any], arguments: Any) -> tuple[Any, list[Any], Any]:
    """What is joined, as a list whose texts were counted."""
    items = list(values[0] if name.startswith(".") and values else owner)
    between = owner if name.startswith(".") else (values[0] if values else "")
    _check(len(items) * len(str(between)) + sum(len(item) for item in items if isinstance(item, str)))
    return (owner, values, [items]) if name.startswith(".") else (items, values, arguments)


def _range(*limits: int) -> range:
    made = range(*limits)
    # Counted from its ends, without going through it.
    if made and max(abs(made[0]), abs(made[-1])) >= LARGEST * 100:
        raise _too_large()
    _check((made[-1] - made[0]) // made.step if made else 0)
    return made


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and value > 10_000


def _check(size: int) -> None:
    if size > LARGEST:
        raise _too_large()


def _too_large() -> jinja2.TemplateRuntimeError:
    return jinja2.TemplateRuntimeError(
        f"this makes a text, list or number of more than {LARGEST:,} characters, items or digits"
    )
