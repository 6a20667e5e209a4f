"""A head as a Plotly figure object, for notebooks. Pages write theirs from plain dicts instead."""

from __future__ import annotations

import numpy as np
from plotly.graph_objects import Figure

from attention_gallery.figures.heatmap import plotly_spec
from attention_gallery.records import Float32, Tokens

_SCALE = [[0.0, "#fbfbf8"], [0.35, "#b9b5e4"], [0.7, "#5a52b5"], [1.0, "#1f1a4d"]]
_CELL, _MARGIN = 26, 190
_SMALLEST, _LARGEST = 380, 1100


def heatmap_figure(queries: Tokens, keys: Tokens, weights: Float32, title: str, causal: bool) -> Figure:
    """The heatmap of float32[query, key] that pages show: queries down from the top, keys along the bottom.

    What a causal model cannot see is absent, not zero.
    """
    spec = plotly_spec(queries, keys)
    # NaN leaves a hole, as on pages.
    drawn = np.where(np.tri(*weights.shape) > 0, weights, np.nan) if causal else weights
    bar = {"title": {"text": "weight"}, "thickness": 12, "outlinewidth": 0}
    trace = {**spec["data"][0], "z": drawn, "colorscale": _SCALE, "colorbar": bar}
    layout = {
        **spec["layout"],
        "xaxis": {**spec["layout"]["xaxis"], "tickangle": -45, "automargin": True},
        "yaxis": {**spec["layout"]["yaxis"], "automargin": True},
        "title": {"text": title},
        "margin": {"l": 20, "r": 20, "t": 60, "b": 20},
        "width": _side(len(keys)),
        "height": _side(len(queries)),
        "template": "plotly_white",
    }
    return Figure([trace], layout)


def _side(tokens: int) -> int:
    """Pixels along an axis with this many tokens."""
    return min(max(_CELL * tokens + _MARGIN, _SMALLEST), _LARGEST)
