"""Which keys and which pairs stand out; ties go to the lower position, so that order is stable."""

from __future__ import annotations

import numpy as np

from attention_gallery.analysis.layout import Layout
from attention_gallery.records import AttentionLayer, Float32, Int32

STANDOUTS = 5


def average_heads(layer: AttentionLayer) -> Float32:
    """The mean over the heads of a layer: float32[query, key], rows sum to 1."""
    mean: Float32 = layer.weights.sum(axis=0) / np.float32(len(layer.weights))
    return mean


def strongest_keys(average: Float32, count: int) -> tuple[Int32, Float32]:
    """The `count` keys with most weight for each query, strongest first.

    average: float32[..., query, key]. Returns int32[..., query, count] and float32[..., query, count];
    key -1 and weight 0 where a query has fewer keys of any weight.
    """
    left = average.copy()
    keys = np.full((*average.shape[:-1], count), -1, dtype=np.int32)
    weights = np.zeros(keys.shape, dtype=np.float32)
    for rank in range(min(count, average.shape[-1])):
        best = left.argmax(axis=-1)[..., None]
        weight = np.take_along_axis(left, best, axis=-1)
        keys[..., rank] = np.where(weight > 0, best, -1)[..., 0]
        weights[..., rank] = weight[..., 0]
        np.put_along_axis(left, best, np.float32(0), axis=-1)
    return keys, weights


def standing_out(weights: Float32, layout: Layout) -> tuple[Int32, Int32, Float32]:
    """The strongest pairs of content tokens of each head, at most one per query.

    weights: float32[head, query, key]. Returns queries, keys and weights, each [head, STANDOUTS].
    Sinks would drown every other pair, so special tokens and the first token of a causal model are left
    out, unless there is nothing else. -1, -1, 0 where none is left.
    """
    named = layout.content if layout.content.any() else np.ones_like(layout.content)
    asked = np.flatnonzero(layout.asking if layout.asking.any() else np.ones_like(layout.asking))
    among = weights * named
    order = np.argsort(-among.max(axis=2)[:, asked], axis=1, kind="stable")[:, :STANDOUTS]
    query = asked[order]
    key = np.take_along_axis(among.argmax(axis=2), query, axis=1)
    weight = among[np.arange(len(weights))[:, None], query, key]
    found = weight > 0
    shape = (len(weights), STANDOUTS)
    queries = np.full(shape, -1, dtype=np.int32)
    keys = queries.copy()
    best = np.zeros(shape, dtype=np.float32)
    queries[:, : query.shape[1]] = np.where(found, query, -1)
    keys[:, : query.shape[1]] = np.where(found, key, -1)
    best[:, : query.shape[1]] = weight
    return queries, keys, best


def far_pair(weights: Float32, layout: Layout) -> tuple[Int32, Int32, Float32]:
    """The strongest pair of content tokens two or more apart, of each head: three arrays [head].

    weights: float32[head, query, key]. -1, -1, 0 where a sentence has no such pair. In cross attention no
    pair is of neighbours, and all count.
    """
    flat = (weights * layout.far).reshape(len(weights), -1)
    place = flat.argmax(axis=1)
    weight = np.take_along_axis(flat, place[:, None], axis=1)[:, 0]
    query, key = np.divmod(place, layout.keys)
    found = weight > 0
    return (
        np.where(found, query, -1).astype(np.int32),
        np.where(found, key, -1).astype(np.int32),
        weight,
    )
