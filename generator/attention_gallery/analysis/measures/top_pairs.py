"""Which keys and which pairs stand out; ties go to the lower position, so that order is stable."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.records import AttentionLayer, Bool, Float32, Int32

TOP_PAIRS = 5

Pairs = tuple[Int32, Int32, Float32]


def average_heads(layer: AttentionLayer) -> Float32:
    """The mean over the heads of a layer: float32[query, key], rows sum to 1."""
    mean: Float32 = layer.weights.sum(axis=0) / np.float32(len(layer.weights))
    return mean


def strongest_keys(average: Float32, count: int) -> tuple[Int32, Float32]:
    """The `count` keys with most weight for each query, strongest first.

    average: float32[..., query, key]. Returns int32[..., query, count] and float32[..., query, count];
    key -1 and weight 0 where a query has fewer keys of any weight.
    """
    remaining = average.reshape(math.prod(average.shape[:-1]), average.shape[-1]).copy()
    keys = np.full((len(remaining), count), -1, dtype=np.int32)
    weights = np.zeros(keys.shape, dtype=np.float32)
    flat = remaining.reshape(-1)
    starts = np.arange(len(remaining)) * remaining.shape[1]
    for rank in range(min(count, remaining.shape[1])):
        best = remaining.argmax(axis=1)
        indices = starts + best
        weights[:, rank] = weight = flat[indices]
        keys[:, rank] = np.where(weight > 0, best, -1)
        # Without it the next strongest is the strongest: a few passes are faster than sorting all.
        flat[indices] = 0
    shape = (*average.shape[:-1], count)
    return keys.reshape(shape), weights.reshape(shape)


def strongest_content(
    average: Float32, content: Bool, count: int
) -> tuple[tuple[Int32, Float32], tuple[Int32, Float32]]:
    """What `strongest_keys` gives for all keys, and what for those of `content`, bool[key], alone.

    The strongest of all are among the strongest of the content and the other keys, of which there are few.
    """
    others = np.flatnonzero(~content).astype(np.int32)
    among = average.copy()
    # Set to 0 and not cut out, so that keys keep their numbers.
    among[..., others] = 0
    best = strongest_keys(among, count)
    if not others.size:
        return best, best
    shape = (*average.shape[:-1], others.size)
    keys = np.concatenate([best[0], np.broadcast_to(others, shape)], axis=-1)
    # In the order of the keys, since of equals the first is taken.
    order = np.argsort(keys, axis=-1)
    weights = np.concatenate([best[1], average[..., others]], axis=-1)
    ranks, strongest = strongest_keys(np.take_along_axis(weights, order, axis=-1), count)
    content_keys = np.take_along_axis(np.take_along_axis(keys, order, axis=-1), ranks, axis=-1)
    return (np.where(ranks >= 0, content_keys, np.int32(-1)), strongest), best


class StrongestKeys(NamedTuple):
    """The strongest key of each query of some heads, int32[head, query], and its weight float32[head, query].

    Sinks would drown every other pair, so special tokens and the first token of a causal model are left out
    as keys; they are there only where there is nothing else. `far_keys` are two or more tokens away; in cross
    attention no pair is of neighbours, and all count.
    """

    keys: Int32
    weights: Float32
    far_keys: Int32
    far_weights: Float32

    @classmethod
    def from_weights(cls, weights: Float32, layout: Layout) -> StrongestKeys:
        """Of weights float32[head, query, key], contiguous, which are changed and changed back."""
        if not layout.content.any():
            return cls(*_strongest(weights), *_strongest(np.zeros_like(weights)))
        sinks = np.flatnonzero(~layout.content)
        near = [] if layout.kind == "cross" else _near(weights)
        sink_weights = weights[:, :, sinks]
        weights[:, :, sinks] = 0
        content = _strongest(weights)
        diagonals = [diagonal.copy() for diagonal in near]
        for diagonal in near:
            diagonal[:] = 0
        far = _strongest(weights)
        for diagonal, values in zip(near, diagonals, strict=True):
            diagonal[:] = values
        weights[:, :, sinks] = sink_weights
        return cls(*content, *far)

    def top_pairs(self, layout: Layout) -> Pairs:
        """The strongest pairs of content tokens of each head, at most one per query: [head, TOP_PAIRS]."""
        asking = layout.asking if layout.asking.any() else np.ones_like(layout.asking)
        return _ranked(self.keys, self.weights, np.flatnonzero(asking), TOP_PAIRS)

    def far_pair(self, layout: Layout) -> Pairs:
        """The strongest pair of content tokens far apart of each head: [head, 1]."""
        return _ranked(self.far_keys, self.far_weights, np.flatnonzero(layout.asking), 1)


def _ranked(keys: Int32, strongest: Float32, asked: NDArray[np.intp], count: int) -> Pairs:
    """The queries asked whose strongest weights are greatest, keys and weights; -1, -1, 0 where all are 0."""
    if not asked.size:
        nothing = np.full((len(keys), count), -1, np.int32)
        return nothing, nothing, np.zeros((len(keys), count), np.float32)
    rows, weights = strongest_keys(strongest[:, asked], count)
    exists = rows >= 0
    queries = np.where(exists, asked[rows], -1).astype(np.int32)
    return queries, np.where(exists, np.take_along_axis(keys, queries, axis=1), -1).astype(np.int32), weights


def _strongest(weights: Float32) -> tuple[Int32, Float32]:
    """The key with most weight of each query and this weight: [head, query] each."""
    keys = weights.argmax(axis=2)
    # By flat index: for texts of a sentence faster than an index for each axis.
    indices = np.arange(keys.size).reshape(keys.shape) * weights.shape[2] + keys
    return keys.astype(np.int32), weights.reshape(-1)[indices]


def _near(weights: Float32) -> list[Float32]:
    """Views of the weights [head, place] of each query on itself, the token after it and the one before."""
    flat = weights.reshape(len(weights), -1)
    count = weights.shape[2]
    return [flat[:, start :: count + 1] for start in (0, 1, count)]
