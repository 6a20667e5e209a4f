"""A Jinja2 environment that escapes as markupsafe does, and remembers what it escaped.

Most short texts on a page stand on thousands of other pages too (titles, tokens, names of measures).
Escaping them and looking fields up through functions of Python's is half of what it costs to render one;
so templates are compiled to do both in place.
"""

from __future__ import annotations

import keyword
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from attention_gallery.theme import bounds
from attention_gallery.theme.undefined import Undefined

_FUNCTIONS = (BuiltinFunctionType, FunctionType, MethodType)
_SHORT = 400
_MOST = 16384


class Escaped(dict[str | int, str]):
    """HTML text by plain text or whole number, made when it is first asked for. Only short ones are kept."""

    def __missing__(self, text: str | int) -> str:
        """Escape `text`, which is neither `Markup` nor a bool: these equal others but read differently."""
        escaped = str(escape(text))
        if len(escaped) <= _SHORT:
            if len(self) >= _MOST:
                self.clear()
            self[text] = escaped
        return escaped


def escape_value(value: Any) -> str:
    """A value that is neither plain text nor a whole number, as HTML text.

    Raises `TemplateRuntimeError` for a function, whose name nobody wants to print.
    """
    if type(value) is Markup:
        return value
    if isinstance(value, _FUNCTIONS):
        reason = f'"{value.__name__}" is a function, not a text: call it, or ask for something else'
        raise jinja2.TemplateRuntimeError(reason)
    return escape(value)


class _InPlaceGenerator(CodeGenerator):
    """Compiles expressions so that no function is called to escape a known text.

    Should Jinja2 come to write its code in another way, these hooks are not called and all is as ever.
    """

    _printed = ""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if _escapes(frame, finalize):
            self._printed = held = self.temporary_identifier()
            self.write(f"(environment.escaped[{held}] if ({held} := (")
        else:
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if _escapes(frame, finalize):
            self.write(
                f")).__class__ is str or {self._printed}.__class__ is int "
                f"else environment.escape_value({self._printed}))"
            )
        else:
            super()._output_child_post(node, frame, finalize)


class _PlainFieldsGenerator(_InPlaceGenerator):
    """Writes `owner.name` as Python's own, which raises `AttributeError` where Jinja2 would look further."""

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 (as Jinja2 names it)
        """`owner.name`."""
        if not node.attr.isidentifier() or keyword.iskeyword(node.attr):
            super().visit_Getattr(node, frame)
            return
        self.write("((")
        self.visit(node.node, frame)
        self.write(f").{node.attr})")


def _escapes(frame: Frame, finalize: Any) -> bool:
    return bool(frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None)


class EscapingEnvironment(jinja2.Environment):
    """Jinja2's environment with autoescape on and undefined names as errors.

    With `plain_fields`, `owner.name` is only ever a field, and one that is not there an `AttributeError`.
    """

    escape_value = staticmethod(escape_value)
    concat = staticmethod(bounds.joined)

    def __init__(self, loader: jinja2.BaseLoader, plain_fields: bool = False) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=Undefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            keep_trailing_newline=False,
        )
        self.steps = bounds.Steps()
        bounds.install(self)
        self.code_generator_class = _PlainFieldsGenerator if plain_fields else _InPlaceGenerator
        self.escaped = Escaped()

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, which can reach a method, too."""
        bounds.refuse_method(obj, argument)
        return super().getitem(obj, argument)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return bounds.bounded(super()._parse(source, name, filename))
