"""JSON and bytes inside HTML, where they can neither run nor end their element."""

from __future__ import annotations

import json
from typing import Any


def json_for_html(value: Any) -> str:
    """Compact JSON that is safe inside `<script type="application/json">`.

    `<`, `>` and `&` become `\\u003c` and so on, so that no text can close the element or open a comment.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
