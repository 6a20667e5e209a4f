"""What the page about the length of a text hands to its template."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup


class LengthHead(NamedTuple):
    """A head whose measure changes with the length of a text: its `values` as text, one for each length."""

    name: str
    href: str
    values: tuple[str, ...]


class LengthChart(NamedTuple):
    """One measure at several lengths. `figure` draws it, with its text alternative.

    `rows` are (label, a value for each length): the layers, all heads, and attention spread evenly.
    """

    name: str
    title: str
    about: str
    figure: Markup
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    heads: tuple[LengthHead, ...]
