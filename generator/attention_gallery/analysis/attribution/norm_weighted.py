"""Attention weighted by how long the vectors are that a head takes: ‖α f(x)‖ instead of α.

Source: Kobayashi et al. 2020, Attention is Not Only a Weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.records import Bool, Float32, StoredAttention


def norm_weighted(weights: Float32, norms: Float32) -> Float32:
    """‖α f(x)‖ = α ‖f(x)‖: float32[head, query, key] of weights so shaped and norms float32[head, key]."""
    lengths: Float32 = weights * norms[:, None]
    return lengths


def norm_weighted_layers(attention: StoredAttention) -> Iterator[Float32]:
    """The lengths of each layer, heads averaged, as shares: float32[query, key]; of a capture that has norms.

    Raises `ValueError` where it has none, and `DamagedEntry` when a layer cannot be read.
    """
    norms = attention.beside.norms
    if norms is None:
        raise ValueError("the lengths of vectors are not known")
    for index in range(attention.facts.layers):
        lengths = norm_weighted(attention.layer(index).weights, norms[index])
        yield shares_of(lengths.mean(axis=0, dtype=np.float32))


def shares_of(lengths: Float32) -> Float32:
    """Each row divided by its sum, so that rows sum to 1; rows of zeros stay as they are."""
    totals = lengths.sum(axis=-1, keepdims=True)
    shares: Float32 = np.divide(lengths, totals, out=np.zeros_like(lengths), where=totals > 0)
    return shares


@dataclass(frozen=True, slots=True, eq=False)
class Sinks:
    """The keys that say nothing of the text, and the queries that see others, too.

    keys: bool[key], special tokens and, in causal models, the first token. queries: bool[query].
    """

    keys: Bool
    queries: Bool

    @classmethod
    def from_layout(cls, layout: Layout) -> Sinks:
        """The sinks of a layout."""
        # Who sees nothing but sinks has no choice, and would count as resting on them.
        sees = np.asarray((layout.seen() & layout.content).any(axis=1))
        return cls(~layout.content, sees)

    def mass(self, shares: Float32) -> Float32:
        """The mean share on the sinks, over the queries: float32[head], NaN where there are none."""
        if not self.keys.any() or not self.queries.any():
            return np.full(len(shares), np.nan, np.float32)
        mass: Float32 = shares[:, self.queries][:, :, self.keys].sum(axis=2).mean(axis=1, dtype=np.float32)
        return mass
