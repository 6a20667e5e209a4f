"""The Jinja2 environment of a theme: all is escaped, undefined names are errors, pages keep to bounds."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import jinja2
from jinja2 import nodes

from attention_gallery.theme import bounds
from attention_gallery.theme.undefined import Undefined

_FUNCTIONS = (BuiltinFunctionType, FunctionType, MethodType)


class ThemeEnvironment(jinja2.Environment):
    """Jinja2's environment with autoescape on, and undefined names and printed functions as errors."""

    concat = staticmethod(bounds.joined)

    def __init__(self, loader: jinja2.BaseLoader) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=Undefined,
            finalize=_refuse_function,
            trim_blocks=True,
            lstrip_blocks=True,
            # No template changes while a site is built, and looking costs a call for each include.
            auto_reload=False,
            keep_trailing_newline=False,
        )
        self.steps = bounds.Steps()
        bounds.install(self)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, which can reach a method, too."""
        bounds.refuse_method(obj, argument)
        return super().getitem(obj, argument)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return bounds.bounded(super()._parse(source, name, filename))


def _refuse_function(printed: Any) -> Any:
    """What is printed, as it is. Raises `TemplateRuntimeError` for a function, whose name nobody reads."""
    if isinstance(printed, _FUNCTIONS):
        reason = f'"{printed.__name__}" is a function, not a text: call it, or ask for something else'
        raise jinja2.TemplateRuntimeError(reason)
    return printed
