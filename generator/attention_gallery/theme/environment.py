"""The Jinja2 environment of a theme: all is escaped, undefined names are errors, pages keep to bounds.

Most short texts on a page stand on thousands of other pages too (titles, tokens, names of measures). To
escape them through functions of Python's takes a tenth of the time of rendering a site again, so templates
are compiled to look them up in place.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from attention_gallery.theme import bounds
from attention_gallery.theme.undefined import Undefined

_FUNCTIONS = (BuiltinFunctionType, FunctionType, MethodType)
# Texts of at most so many characters are remembered, and no more than so many of them.
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


class _InPlaceGenerator(CodeGenerator):
    """Compiles expressions so that no function is called to escape a known text.

    Should Jinja2 come to write its code in another way, these hooks are not called and all is as ever.
    """

    _printed = ""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if _escapes(frame, finalize):
            self._printed = name = self.temporary_identifier()
            self.write(f"(environment.escaped[{name}] if ({name} := (")
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


def _escapes(frame: Frame, finalize: Any) -> bool:
    return bool(frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None)


def escape_value(printed: Any) -> str:
    """What is neither plain text nor a whole number as HTML text.

    Raises `TemplateRuntimeError` for a function, whose name nobody reads.
    """
    if type(printed) is Markup:
        return printed
    if isinstance(printed, _FUNCTIONS):
        reason = f'"{printed.__name__}" is a function, not a text: call it, or ask for something else'
        raise jinja2.TemplateRuntimeError(reason)
    return escape(printed)


class ThemeEnvironment(jinja2.Environment):
    """Jinja2's environment with autoescape on, and undefined names and printed functions as errors."""

    concat = staticmethod(bounds.joined)
    code_generator_class = _InPlaceGenerator
    escape_value = staticmethod(escape_value)

    def __init__(self, loader: jinja2.BaseLoader) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=Undefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # No template changes while a site is built, and looking costs a call for each include.
            auto_reload=False,
            keep_trailing_newline=False,
        )
        self.escaped = Escaped()
        self.steps = bounds.Steps()
        bounds.install(self)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, which can reach a method, too."""
        bounds.refuse_method(obj, argument)
        return super().getitem(obj, argument)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return bounds.bounded(super()._parse(source, name, filename))
