"""How far the heads of a model are from each other on one sentence: Jensen-Shannon divergence of their rows.

Source: Clark et al. 2019, What Does BERT Look At?, section 6, which sums over the rows of all sentences. Here
the mean over rows is taken, so that a long sentence does not count for more than a short one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.kept import code_digest, pack, unpack
from attention_gallery.analysis.layout import Layout
from attention_gallery.analysis.measure import layout_of
from attention_gallery.hashing import digest
from attention_gallery.records import Bool, Float32, Int32, StoredAttention
from attention_gallery.store.halves import widened

MAGIC = b"attention-gallery head distances 1\n"
# Logarithms taken on one sentence; a long one is measured on rows at even distances instead of all.
LOGARITHMS = 2**24
FEWEST_ROWS = 4
# Weights that are compared together, so that they stay in the processor's cache, and the fewest keys of them.
CACHED = 2**17
FEWEST_KEYS = 64

Float64 = NDArray[np.float64]


def head_distances(attention: StoredAttention) -> Float32:
    """The mean Jensen-Shannon divergence of the rows of two heads, in bits: float32[head, head].

    Heads are those of all layers in one count. From 0, for heads that do the same, to 1, for heads that never
    look at the same key. Only queries that see more than one key count; NaN where there is none.
    Raises `DamagedEntry` when a layer cannot be read.
    """
    layout = layout_of(attention, 1)
    heads = attention.facts.layers * attention.facts.heads
    rows = compared_rows(layout, heads)
    if not rows.size:
        return np.full((heads, heads), np.nan, dtype=np.float32)
    seen = layout.seen()[rows]
    layers = (_seen(attention, index, rows, seen) for index in range(attention.facts.layers))
    return (_divergence(np.concatenate(list(layers))) / rows.size).astype(np.float32)


def _seen(attention: StoredAttention, index: int, rows: Int32, seen: Bool) -> Float32:
    """What some queries of a layer see: float32[head, all keys of all rows]."""
    # Only what is compared is widened.
    (part,) = attention.parts(index, index + 1, attention.facts.heads)
    return widened(np.ascontiguousarray(part[0][:, rows][:, seen]))


def compared_rows(layout: Layout, heads: int) -> Int32:
    """The queries on which so many heads are compared: all that have a choice, or some at even distances."""
    choosing = np.flatnonzero(layout.choosing).astype(np.int32)
    each = max(1.0, heads * heads / 2 * float(layout.visible.mean()))
    count = max(FEWEST_ROWS, int(LOGARITHMS / each))
    if count >= choosing.size:
        return choosing
    return choosing[np.linspace(0, choosing.size - 1, count).round().astype(np.int32)]


def _divergence(weights: Float32) -> Float64:
    """The sum over rows of the divergence of every two heads; weights float32[head, all keys of all rows].

    With m the mean of two rows a and b it is H(m) - H(a)/2 - H(b)/2, which needs one logarithm for each key.
    Some keys at a time are summed in single precision, and their sums in double.
    """
    heads, keys = weights.shape
    total = np.zeros((heads, heads))
    step = max(FEWEST_KEYS, CACHED // heads)
    for start in range(0, keys, step):
        some = np.ascontiguousarray(weights[:, start : start + step])
        halves = some * np.float32(0.5)
        own = _negative_entropy(some, np.empty_like(some))
        room, means = np.empty_like(some), np.empty_like(some)
        for head in range(heads - 1):
            mean = np.add(halves[head + 1 :], halves[head], out=means[head + 1 :])
            both = _negative_entropy(mean, room[head + 1 :])
            total[head, head + 1 :] += (own[head] + own[head + 1 :]) / 2 - both
    return np.maximum(total + total.T, 0)


def _negative_entropy(weights: Float32, room: Float32) -> Float64:
    """The sum over keys of weight times its logarithm, in bits: float64[head]; `room` is written over."""
    # What is added keeps the logarithm finite; it is lost on any weight but zero.
    np.add(weights, np.finfo(np.float32).tiny, out=room)
    np.log2(room, out=room)
    found: Float64 = np.vecdot(weights, room).astype(np.float64)
    return found


def mean_distance(distances: Iterable[Float32]) -> Float64 | None:
    """The mean over sentences of float32[head, head]; None where no sentence has any.

    Sentences without a distance (NaN) do not count.
    """
    total: Float64 | None = None
    count = 0
    for one in distances:
        if not np.isnan(one).any():
            total = one.astype(np.float64) if total is None else total + one
            count += 1
    return None if total is None else total / count


def distances_key(capture_key: str) -> str:
    """SHA-256 of all that can change the distances of heads on one sentence."""
    return digest({"code": code_digest(), "distances of": capture_key})


def save_distances(distance: Float32) -> bytes:
    """Distances as bytes: only those above the diagonal."""
    above = distance[np.triu_indices(len(distance), 1)]
    return pack(MAGIC, {"heads": len(distance)}, {"above": above.astype("<f4", copy=False)})


def load_distances(data: bytes) -> Float32:
    """What `save_distances` was given: float32[head, head]. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(MAGIC, data, {"above": "<f4"})
    heads = int(facts["heads"])
    distance = np.zeros((heads, heads), dtype=np.float32)
    distance[np.triu_indices(heads, 1)] = arrays["above"]
    return distance + distance.T
