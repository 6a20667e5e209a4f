"""A link as templates get it."""

from __future__ import annotations

from typing import NamedTuple


class Link(NamedTuple):
    """A link: what it says, where it leads, and what it says more when pointed at."""

    text: str
    href: str
    title: str = ""
