"""The heatmap of one head: an HTML fragment that the page's script draws with canvas, then Plotly.

Plotly's figure is written from plain dicts with a fixed id and without values: the script decodes
the weights once and fills them in. Queries run down from the top, keys along the bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from attention_gallery.figures.embed import Fragment, json_for_html
from attention_gallery.figures.encode import EncodedWeights, codec_attributes
from attention_gallery.figures.labels import axis_labels
from attention_gallery.records import Tokens

DIV_ID = "attention"


def plotly_spec(tokens: Tokens, keys: Tokens) -> dict[str, Any]:
    """Plotly's data, layout and config for a heatmap of `tokens` that look at `keys`, as plain dicts.

    `z`, `zmax` and the colours are left to the page: they depend on the head and the colour scheme.
    """
    # Most heatmaps have the same tokens on both axes.
    labels = axis_labels(tokens.texts)
    columns = labels if keys is tokens else axis_labels(keys.texts)
    axis = {"type": "category", "dtick": 1, "ticks": "", "showgrid": False, "zeroline": False}
    return {
        "data": [
            {
                "type": "heatmap",
                "x": columns,
                "y": labels,
                "zmin": 0,
                "hoverongaps": False,
                "hovertemplate": "%{y} → %{x}: %{z:.4f}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {**axis, "side": "bottom", "title": {"text": "key"}},
            "yaxis": {**axis, "autorange": "reversed", "title": {"text": "query"}},
        },
        "config": {"displaylogo": False, "responsive": True, "showSendToCloud": False},
    }


@dataclass(frozen=True, slots=True)
class HeatmapTemplate:
    """What all heads of one model on one sentence share, serialised once: attributes and Plotly's figure."""

    shape: str
    spec: str

    @classmethod
    def from_tokens(cls, tokens: Tokens, causal: bool, keys: Tokens | None = None) -> HeatmapTemplate:
        """The template for `tokens` that look at each other, or at `keys` where these are given."""
        keys = tokens if keys is None else keys
        shape = f'data-queries="{len(tokens)}" data-keys="{len(keys)}" data-causal="{int(causal)}"'
        spec = json_for_html(plotly_spec(tokens, keys))
        return cls(
            shape if keys is tokens else f"{shape} data-cross",
            f'<script type="application/json" class="figure-spec">{spec}</script>',
        )

    def head(self, name: str, weights: EncodedWeights, alt_text: str) -> Fragment:
        """The figure of one head with its own weights. `alt_text` stands for it."""
        attributes = f'{codec_attributes(weights)} data-name="{escape(name)}"'
        return self._fragment(attributes, _weights_script(weights), alt_text)

    def selected(self, name: str, weights: EncodedWeights, alt_text: str) -> Fragment:
        """The figure of whichever head is selected in the grid; it opens with the weights of one."""
        attributes = f'{codec_attributes(weights)} data-source="heads" data-name="{escape(name)}"'
        return self._fragment(attributes, _weights_script(weights), alt_text)

    def embedded(
        self, name: str, weights: EncodedWeights, alt_text: str, caption: str, most: float | None = None
    ) -> Fragment:
        """The figure of one head inside a text, of which a page may have several, so it has no id.

        `caption` is HTML. `most` is the weight with the darkest colour where it is not the head's largest, so
        that figures side by side are to one scale.
        """
        scale = "" if most is None else f' data-most="{most:.6f}"'
        html = (
            f'<figure class="figure heatmap embedded" data-figure="embedded" {codec_attributes(weights)} '
            f'data-name="{escape(name)}" {self.shape}{scale}>'
            f'<div class="figure-plot" role="img" aria-label="{escape(alt_text)}"></div>'
            f"{_weights_script(weights)}{self.spec}<figcaption>{caption}</figcaption></figure>"
        )
        return Fragment("", html, alt_text)

    def _fragment(self, attributes: str, data: str, alt_text: str) -> Fragment:
        alt = escape(alt_text)
        html = (
            f'<figure class="figure heatmap" id="{DIV_ID}" data-figure="heatmap" {attributes} {self.shape}>'
            f'<div class="figure-plot" id="{DIV_ID}-plot" role="img" aria-label="{alt}"></div>'
            f"{data}{self.spec}<figcaption>{alt}</figcaption></figure>"
        )
        return Fragment(DIV_ID, html, alt_text)


def _weights_script(weights: EncodedWeights) -> str:
    return f'<script type="application/octet-stream" class="figure-weights">{weights.data}</script>'
