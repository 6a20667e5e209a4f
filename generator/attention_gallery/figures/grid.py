"""Small multiples of all heads of a model on one sentence, drawn by the page on one canvas."""

from __future__ import annotations

from html import escape

from attention_gallery.figures.encode import EncodedWeights, codec_attributes
from attention_gallery.records import Fragment, ModelFacts

DIV_ID = "heads"


def grid_fragment(
    facts: ModelFacts, size: tuple[int, int], weights: EncodedWeights, alt_text: str
) -> Fragment:
    """The grid's HTML: rows are layers, columns heads; the weights' error is stated on the element.

    `size` tells how many queries and keys each matrix has.
    """
    # In a caption and not in an attribute: of all heads there is much to say.
    alt = escape(alt_text)
    causal = int(facts.kind == "decoder")
    html = (
        f'<figure class="figure head-grid" id="{DIV_ID}" data-figure="grid" {codec_attributes(weights)} '
        f'data-layers="{facts.layers}" data-heads="{facts.heads}" data-queries="{size[0]}" '
        f'data-keys="{size[1]}" data-causal="{causal}" data-error="{weights.error:.6f}">'
        f'<div class="figure-plot"></div>'
        f'<script type="application/octet-stream" class="figure-weights">{weights.data}</script>'
        f"<figcaption>{alt}</figcaption></figure>"
    )
    return Fragment(DIV_ID, html, alt_text)
