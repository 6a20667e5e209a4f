"""The measures of every head, as the explorer's scripts read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from attention_gallery.figures.embed import json_for_html


class MeasureColumn(NamedTuple):
    """One measure of every head: short name, title, unit, and values as they are shown, by layer and head."""

    name: str
    title: str
    unit: str
    values: tuple[str, ...]


def measures_html(columns: Iterable[MeasureColumn]) -> str:
    """A data element with the measures, for colouring the grid and for ranking the selected head."""
    value = [column._asdict() for column in columns]
    return f'<script type="application/json" id="head-measures">{json_for_html(value)}</script>'
