"""What figures put into a page: pieces of HTML, and JSON in them that can neither run nor end its element."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple


class Fragment(NamedTuple):
    """A piece of HTML that draws one figure, with the text that stands for it."""

    div_id: str
    html: str
    alt_text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the HTML: taken when it is asked for, which costs as much as making the figure."""
        return hashlib.sha256(self.html.encode("utf-8")).hexdigest()


def json_for_html(value: Any) -> str:
    """Compact JSON that is safe inside `<script type="application/json">`.

    `<`, `>` and `&` become `\\u003c` and so on, so that no text can close the element or open a comment.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
