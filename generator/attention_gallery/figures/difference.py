"""The signed difference of two heatmaps: an HTML fragment that the page's script draws in two colours.

Codec `signed16`: for every difference d a 16-bit `round(32767 × d) + 32767`, so that 0 is kept exactly, and
65535 where there is none; the high bytes of all before the low bytes of all, raw-deflated where that pays.
The largest difference takes the darkest colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from attention_gallery.figures.embed import Fragment, json_for_html
from attention_gallery.figures.encode import EncodedWeights, encode_levels
from attention_gallery.figures.labels import axis_labels
from attention_gallery.records import Float32

_HALF = 32767
_ABSENT = 65535
LEAST_DRAWN = 0.00002
"""What is smaller may be drawn as no difference, since the codec rounds by nearly as much."""


def encode_difference(difference: Float32) -> EncodedWeights:
    """Differences float32[row, column] from -1 to 1 as text; NaN where there is none."""
    known = ~np.isnan(difference)
    levels = np.full(difference.shape, _ABSENT, np.uint16)
    # Signed while 32767 is added: unsigned numbers would wrap round below zero.
    levels[known] = np.rint(difference[known] * _HALF).astype(np.int32) + _HALF
    # Measured, not reckoned: it is what a reader decodes.
    decoded = (levels[known].astype(np.float64) - _HALF) / _HALF
    error = float(np.abs(decoded - difference[known]).max(initial=0.0))
    return encode_levels("signed16", levels, error)


def largest_difference(difference: Float32) -> float:
    """The largest absolute value of float32[row, column], NaN where none is known.

    To six decimals, as pages name it, where it is drawn.
    """
    known = np.abs(difference[~np.isnan(difference)])
    if not known.size:
        return math.nan
    largest = float(known.max())
    return round(largest, 6) if largest >= LEAST_DRAWN else largest


def difference_fragment(
    name: str, labels: tuple[Sequence[str], Sequence[str]], difference: Float32, alt_text: str, caption: str
) -> Fragment:
    """The figure of float32[row, column] with labels of rows and columns; `caption` is HTML.

    A page may have several, so it has no id.
    """
    weights = encode_difference(difference)
    rows, columns = difference.shape
    deflated = " data-deflated" if weights.deflated else ""
    largest = largest_difference(difference)
    # Told, not left to what is decoded: the legend and the words of a page name the same number.
    most = f' data-most="{largest:.6f}"' if largest >= LEAST_DRAWN else ""
    html = (
        f'<figure class="figure heatmap embedded" data-figure="difference" data-codec="{weights.codec}"'
        f'{deflated}{most} data-name="{escape(name)}" data-queries="{rows}" data-keys="{columns}"'
        ' data-causal="0">'
        f'<div class="figure-plot" role="img" aria-label="{escape(alt_text)}"></div>'
        f'<script type="application/octet-stream" class="figure-weights">{weights.data}</script>'
        f'<script type="application/json" class="figure-spec">{json_for_html(_spec(*labels))}</script>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
    return Fragment("", html, alt_text)


def _spec(rows: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
    """Plotly's figure as plain dicts, without values and colours, which are left to the page."""
    axis = {"type": "category", "dtick": 1, "ticks": "", "showgrid": False, "zeroline": False}
    trace = {
        "type": "heatmap",
        "x": axis_labels(columns),
        "y": axis_labels(rows),
        "zmid": 0,
        "hoverongaps": False,
        "hovertemplate": "%{y} → %{x}: %{z:+.4f}<extra></extra>",
    }
    layout = {"xaxis": {**axis, "side": "bottom"}, "yaxis": {**axis, "autorange": "reversed"}}
    config = {"displaylogo": False, "responsive": True, "showSendToCloud": False}
    return {"data": [trace], "layout": layout, "config": config}
