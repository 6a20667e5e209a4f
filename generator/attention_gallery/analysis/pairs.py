"""Which keys and which pairs stand out; ties go to the lower position, so that order is stable."""

from __future__ import annotations

import numpy as np

from attention_gallery.records import AttentionLayer, Float32, Int32

from .layout import Layout

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
    """The strongest pairs of each head, at most one per query: three arrays [head, STANDOUTS].

    weights: float32[head, query, key]. Only content tokens are asked where there are any: special
    tokens, and the first token of a causal model, mostly look at themselves. -1, -1, 0 where none is left.
    """
    heads = len(weights)
    asked = np.flatnonzero(layout.content if layout.content.any() else np.ones_like(layout.content))
    key = weights.argmax(axis=2)
    weight = weights.max(axis=2)[:, asked]
    order = np.argsort(-weight, axis=1, kind="stable")[:, :STANDOUTS]
    found = order.shape[1]
    query = asked[order]
    queries = np.full((heads, STANDOUTS), -1, dtype=np.int32)
    keys = queries.copy()
    best = np.zeros((heads, STANDOUTS), dtype=np.float32)
    queries[:, :found] = query
    keys[:, :found] = np.take_along_axis(key, query, axis=1)
    best[:, :found] = np.take_along_axis(weight, order, axis=1)
    return queries, keys, best


def far_pair(weights: Float32, layout: Layout) -> tuple[Int32, Int32, Float32]:
    """The strongest pair of content tokens two or more apart, of each head: three arrays [head].

    weights: float32[head, query, key]. -1, -1, 0 where a sentence has no such pair.
    """
    flat = (weights * layout.far).reshape(len(weights), -1)
    place = flat.argmax(axis=1)
    weight = np.take_along_axis(flat, place[:, None], axis=1)[:, 0]
    query, key = np.divmod(place, layout.tokens)
    found = weight > 0
    return (
        np.where(found, query, -1).astype(np.int32),
        np.where(found, key, -1).astype(np.int32),
        weight,
    )
