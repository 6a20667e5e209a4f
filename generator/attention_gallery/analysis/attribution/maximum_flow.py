"""Attention flow: how much could reach a token from an input token, if attention were the width of pipes.

Source: Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers. The graph has a node for each token
before the first layer and after each layer, and an edge from a key to a query as wide as the layer's average
attention with the residual added (`rollout.with_residual`). The flow from an input token to a token after a
layer is the largest that the edges let through; over all input tokens flows are divided by their sum.

Most flows of deep models are proven to be as large as a bound (`flow_bounds`); the others are searched for,
many at once (`many_flows`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from attention_gallery.analysis.attribution.flow_bounds import Reached, most_taken, proven
from attention_gallery.analysis.attribution.many_flows import maximum_flows
from attention_gallery.analysis.attribution.rollout import Float64, with_residual
from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.records import Bool, StoredAttention

# scipy's flows are of whole numbers of 32 bits: widths are counted in so many parts of the largest, 1.
PARTS = 2**30


def flows_needed(layout: Layout, layers: int) -> int:
    """How many maximum flows a sentence takes: one for each layer, query and key that it can see."""
    return layers * int(layout.visible.sum())


def attention_flow(attention: StoredAttention) -> Iterator[Float64]:
    """The flow to each token after each layer: float64[token, input token], rows sum to 1.

    Widths are rounded to whole parts of 2^30, which changes a flow by no more than edges × 2^-31: 0.00001 for
    64 tokens and 6 layers. Loads scipy. Raises `ValueError` for cross attention and `DamagedEntry` when a
    layer cannot be read.
    """
    if attention.facts.kind == "cross":
        raise ValueError("there is no attention flow of cross attention by itself")
    count = len(attention.tokens)
    visible = np.ones((count, count), dtype=bool)
    if attention.facts.kind == "decoder":
        visible = np.tril(visible)
    widths: list[Float64] = []
    reached: list[Reached] = []
    for index in range(attention.facts.layers):
        widths.append(in_parts(with_residual(attention.layer(index))))
        flow, takes = _flows(widths, reached, visible)
        reached.append(Reached.from_flows(flow, takes))
        yield flow.T / flow.sum(axis=0)[:, None]


def in_parts(widths: Float64) -> Float64:
    """Widths float64[query, key] in whole parts of 2^30, whose rows sum to that.

    The residual makes up for what rounding adds to the rest of a row, so that all tokens can take the same;
    no set of edges to a token is wrong by more than half a part for each edge of its row.
    """
    parts: Float64 = np.rint(widths * PARTS)
    # The residual is half of every row, and so the least changed by it.
    parts[np.diag_indices_from(parts)] += PARTS - parts.sum(axis=1)
    return parts


def _flows(widths: Sequence[Float64], reached: Sequence[Reached], visible: Bool) -> tuple[Float64, Float64]:
    """The largest flows through all layers, float64[input token, token], and what `most_taken` gives."""
    first = widths[0].T
    if not reached:
        return first, np.zeros((*first.shape, 0))
    takes = most_taken(widths[-1], reached[-1])
    flow: Float64 = np.minimum(takes.sum(axis=2), first.sum(axis=1, keepdims=True))
    # Through two layers the bound is the flow itself.
    if len(widths) > 2:
        sources, targets = np.nonzero(~proven(takes, flow, reached))
        if len(sources):
            most = flow[sources, targets]
            flow[sources, targets] = maximum_flows(widths, sources, targets, most, visible)
    return flow, takes
