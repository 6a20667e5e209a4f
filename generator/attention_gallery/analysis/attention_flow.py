"""Attention flow: how much could reach a token from an input token, if attention were the width of pipes.

Source: Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers. The graph has a node for each token
before the first layer and after each layer, and an edge from a key to a query as wide as the layer's average
attention with the residual added (`rollout.with_residual`). The flow from an input token to a token after a
layer is the largest that the edges let through; over all input tokens flows are divided by their sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from attention_gallery.analysis.layout import Layout
from attention_gallery.analysis.rollout import Float64, with_residual
from attention_gallery.records import StoredAttention

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
    sources, targets, widths = _nothing(), _nothing(), _nothing()
    causal = attention.facts.kind == "decoder"
    for index in range(attention.facts.layers):
        parts = np.rint(with_residual(attention.layer(index)) * PARTS).astype(np.int32)
        queries, keys = np.nonzero(parts)
        sources = np.concatenate([sources, index * count + keys])
        targets = np.concatenate([targets, (index + 1) * count + queries])
        widths = np.concatenate([widths, parts[queries, keys]])
        flow = _flows((sources, targets, widths), count, index + 1, causal)
        yield flow / flow.sum(axis=1, keepdims=True)


def _nothing() -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.zeros(0, np.int32)


def _flows(edges: tuple[Any, Any, Any], count: int, layers: int, causal: bool) -> Float64:
    """The largest flow from each input token to each token after the last of so many layers."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow

    sources, targets, widths = edges
    nodes = (layers + 1) * count
    graph = csr_matrix((widths, (sources, targets)), shape=(nodes, nodes), dtype=np.int32)
    graph.sort_indices()
    found = np.zeros((count, count))
    for query in range(count):
        for key in range(query + 1 if causal else count):
            found[query, key] = maximum_flow(graph, key, layers * count + query).flow_value / PARTS
    return found
