"""What themes get of a note: its HTML and its claims, each beside what is true."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup


class ClaimView(NamedTuple):
    """A claim of a note: what it is about, with the page; what it expects, what is true, whether it holds."""

    text: str
    href: str
    expected: str
    actual: str
    holds: bool


class NoteBlock(NamedTuple):
    """An author's note, already cleaned HTML, with the claims it makes."""

    title: str
    html: Markup
    href: str = ""
    claims: tuple[ClaimView, ...] = ()
