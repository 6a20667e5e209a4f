"""Highlighted code, by classes alone."""

from __future__ import annotations

import html

# In characters; more is shown without colours, which can take the square of its length to find.
LONGEST = 100_000


def highlight(code: str, language: str | None) -> str:
    """A `<code>` element; tokens carry Pygments' short class names after `hl-`."""
    if language is None:
        return f"<code>{html.escape(code, quote=False)}</code>"
    from pygments import highlight as paint
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        if len(code) > LONGEST:
            raise ClassNotFound
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        painted = html.escape(code, quote=False)
    else:
        painted = paint(code, lexer, HtmlFormatter(nowrap=True, classprefix="hl-"))
    return f'<code class="language-{html.escape(language)}">{painted}</code>'
