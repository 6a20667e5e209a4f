"""Attention rollout: how much of each input token is in each token after a layer, residuals included.

Source: Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.measures.top_pairs import average_heads
from attention_gallery.records import AttentionLayer, StoredAttention

Float64 = NDArray[np.float64]


def with_residual(layer: AttentionLayer) -> Float64:
    """The heads of a layer averaged, half of it, and the token itself, the other half: float64[query, key].

    Rows sum to 1. The residual connection carries a token past the attention unchanged, so that A + I, with
    its rows normalised, is what a layer mixes.
    """
    # In double precision, since the layers are multiplied one with another.
    average = average_heads(layer).astype(np.float64)
    average[np.diag_indices_from(average)] += 1
    mixed: Float64 = average / average.sum(axis=1, keepdims=True)
    return mixed


def rollout(attention: StoredAttention) -> Iterator[Float64]:
    """The rollout after each layer, from the first to the last: float64[token, input token], rows sum to 1.

    R_0 = Â_0 and R_l = Â_l R_(l-1), where Â is `with_residual`. Holds one layer at a time. Layers without
    attention are passed over. Raises `ValueError` for cross attention, whose keys are no tokens of the same
    stream, and `DamagedEntry` when a layer cannot be read.
    """
    if attention.facts.kind == "cross":
        raise ValueError("there is no rollout of cross attention by itself")
    reached = np.eye(len(attention.tokens))
    for index in range(attention.facts.layers):
        reached = with_residual(attention.layer(index)) @ reached
        yield reached
