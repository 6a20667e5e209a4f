"""Small multiples of all heads of a model on one sentence, drawn by the page on one canvas."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import numpy as np

from attention_gallery.addresses.routes import TILES
from attention_gallery.figures.embed import Fragment
from attention_gallery.figures.encode import EncodedWeights, bytes_of, codec_attributes
from attention_gallery.records import Float32, ModelFacts

DIV_ID = "heads"


class HeadThumbnails(NamedTuple):
    """Small pictures uint8[layer + 1, head + 1, row, column] as `pooled8`; `size` is (columns, rows).

    The last of each layer is the mean over its heads, the last layer has the means over all layers.
    """

    levels: EncodedWeights
    size: tuple[int, int]

    def weights(self, layers: int, heads: int) -> Float32:
        """The largest weight of each block: float32[layer + 1, head + 1, row, column]."""
        columns, rows = self.size
        roots = np.frombuffer(bytes_of(self.levels), np.uint8).astype(np.float32) / np.float32(255)
        return (roots**2).reshape(layers + 1, heads + 1, rows, columns)


class GridWeights(NamedTuple):
    """What the grid draws and where it finds the weights of whole layers.

    `size` is (queries, keys); `error` the largest absolute one of the tiles, in units of probability.
    """

    thumbnails: HeadThumbnails
    size: tuple[int, int]
    version: str
    error: float


def grid_fragment(facts: ModelFacts, weights: GridWeights, alt_text: str) -> Fragment:
    """The grid's HTML: rows are layers, columns heads; the weights' error is stated on the element."""
    # In a caption and not in an attribute: of all heads there is much to say.
    alt = escape(alt_text)
    causal = int(facts.kind == "decoder")
    (queries, keys), (columns, rows), levels = (
        weights.size,
        weights.thumbnails.size,
        weights.thumbnails.levels,
    )
    html = (
        f'<figure class="figure head-grid" id="{DIV_ID}" data-figure="grid" {codec_attributes(levels)} '
        f'data-layers="{facts.layers}" data-heads="{facts.heads}" data-queries="{queries}" '
        f'data-keys="{keys}" data-causal="{causal}" data-rows="{rows}" data-columns="{columns}" '
        f'data-tiles="{TILES}" data-version="{weights.version}" data-error="{weights.error:.6f}">'
        f'<script type="application/octet-stream" class="figure-weights">{levels.data}</script>'
        f"<figcaption>{alt}</figcaption></figure>"
    )
    return Fragment(DIV_ID, html, alt_text)
