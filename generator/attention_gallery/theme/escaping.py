"""A Jinja2 environment that escapes as markupsafe does, and remembers what it escaped.

Most short texts on a page stand on thousands of other pages too (titles, tokens, names of measures), and
escaping is half of what it costs to render one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from attention_gallery.theme.undefined import Undefined

_SHORT = 160


def escape_text(value: Any) -> str:
    """`value` as HTML text: escaped, unless it is `Markup`."""
    kind = type(value)
    if kind is str and len(value) <= _SHORT:
        return _remembered(value)
    if kind is int:
        return str(value)
    return value if kind is Markup else escape(value)


@lru_cache(maxsize=16384)
def _remembered(text: str) -> str:
    return str(escape(text))


class _RememberingGenerator(CodeGenerator):
    """Prints expressions through `escape_text` where Jinja2 would print them through `escape`.

    Should Jinja2 come to write its code in another way, this hook is not called and all is escaped as ever.
    """

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escape_text(")
        else:
            super()._output_child_pre(node, frame, finalize)


class EscapingEnvironment(jinja2.Environment):
    """Jinja2's environment with autoescape on and undefined names as errors."""

    code_generator_class = _RememberingGenerator
    escape_text = staticmethod(escape_text)

    def __init__(self, loader: jinja2.BaseLoader) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=Undefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            keep_trailing_newline=False,
        )
