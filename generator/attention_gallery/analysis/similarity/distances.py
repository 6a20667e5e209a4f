"""How far the heads of a model are from each other on one sentence: Jensen-Shannon divergence of their rows.

Source: Clark et al. 2019, What Does BERT Look At?, section 6, which sums over the rows of all sentences. Here
the mean over rows is taken, so that a long sentence does not count for more than a short one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.entropy import negative_entropy
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.analysis.result import Result
from attention_gallery.records import Bool, Float32, Int32, Int64, StoredAttention
from attention_gallery.store.halves import widened

MAGIC = b"attention-gallery head distances 2\n"
# Logarithms taken on one sentence; a long one is measured on rows at even distances instead of all.
LOGARITHMS = 2**24
FEWEST_ROWS = 4
# Weights that are compared together, so that they stay in the processor's cache, and the fewest keys of them.
CACHED = 2**16
FEWEST_KEYS = 64

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeadDistances:
    """The mean Jensen-Shannon divergence of the rows of every two heads, in bits, 0 to 1.

    distance: float32[head, head], NaN where no query sees more than one key. error: float32[head, head], the
    standard errors of distances that were estimated, None where every row was compared. typical_error: that
    of the mean over all pairs of heads, 0 where every row was compared. rows: how many rows were compared,
    of `choosing` that see more than one key.
    """

    distance: Float32
    error: Float32 | None
    typical_error: float
    rows: int
    choosing: int


def measure_distances(attention: StoredAttention) -> HeadDistances:
    """The mean Jensen-Shannon divergence of the rows of every two heads, with what is known of its errors.

    Heads are those of all layers in one count. From 0, for heads that do the same, to 1, for heads that never
    look at the same key. Only queries that see more than one key count; NaN where there is none. Where some
    rows at even distances stand for all, the standard errors are those of `even_error`. Raises `DamagedEntry`
    when a layer cannot be read.
    """
    layout = layout_of(attention, 1)
    heads = attention.facts.layers * attention.facts.heads
    choosing = int(layout.choosing.sum())
    rows = compared_rows(layout, heads)
    if not rows.size:
        return HeadDistances(np.full((heads, heads), np.nan, np.float32), None, 0.0, 0, 0)
    seen = layout.seen()[rows]
    layers = range(attention.facts.layers)
    weights = np.concatenate([_seen(attention, index, rows, seen) for index in layers])
    if rows.size == choosing:
        distance = (_divergence(weights) / rows.size).astype(np.float32)
        return HeadDistances(distance, None, 0.0, choosing, choosing)
    return _estimated(weights, seen.sum(axis=1).cumsum(), choosing)


def _estimated(weights: Float32, ends: Int64, choosing: int) -> HeadDistances:
    """Distances from some rows, which end at `ends` in float32[head, all keys of all rows]."""
    pairs = np.triu_indices(len(weights), 1)
    sums = RowSums(lambda rows: rows[pairs].T.mean(axis=1) if pairs[0].size else np.zeros(rows.shape[2]))
    for start, end in zip((0, *ends[:-1].tolist()), ends.tolist(), strict=True):
        sums.add(_divergence(weights[:, start:end])[:, :, None])
    unseen = 1 - len(ends) / choosing
    typical_error = float(even_error(np.array(sums.typical), unseen))
    distance, error = sums.mean.astype(np.float32), sums.error(unseen).astype(np.float32)
    return HeadDistances(distance, error, typical_error, len(ends), choosing)


class RowSums:
    """The mean over rows, and how much they vary from one to the next, some rows at a time.

    typical: of each row what `typical_of` makes of all its distances, float64[head, head, row] to
    float64[row].
    """

    def __init__(self, typical_of: Callable[[Float64], Float64]) -> None:
        self.typical: list[float] = []
        self._typical_of = typical_of
        self._total: Float64 = np.zeros(())
        self._squares: Float64 = np.zeros(())
        self._before: Float64 | None = None

    def add(self, rows: Float64) -> None:
        """Take more rows into account: float64[head, head, row]."""
        self._total = self._total + rows.sum(axis=2)
        steps = rows if self._before is None else np.concatenate([self._before, rows], axis=2)
        self._squares = self._squares + (np.diff(steps, axis=2) ** 2).sum(axis=2)
        # The step from the last of these rows to the first of the next counts, too.
        self._before = rows[:, :, -1:]
        self.typical.extend(self._typical_of(rows).tolist())

    @property
    def mean(self) -> Float64:
        """The mean of all rows: float64[head, head]."""
        return self._total / len(self.typical)

    def error(self, unseen: float) -> Float64:
        """What `even_error` makes of all rows, without holding them: float64[head, head]."""
        return _error(self._squares, len(self.typical), unseen)


def even_error(values: Float64, unseen: float) -> Float64:
    """The standard error of means over rows at even distances: float64[..., row] to float64[...].

    `unseen` is the share of all rows that are not among them. Rows change along a text, and so each is held
    to the next: an estimate of a mean by a systematic sample, v2 of Wolter 2007, Introduction to Variance
    Estimation, section 8.2.
    """
    return _error((np.diff(values, axis=-1) ** 2).sum(axis=-1), values.shape[-1], unseen)


def _error(squares: Float64, count: int, unseen: float) -> Float64:
    """From the sum of the squared steps between `count` rows."""
    error: Float64 = np.sqrt(unseen * squares / max(1, 2 * (count - 1) * count))
    return error


def two_head_distance(attention: StoredAttention, head: tuple[int, int], other: tuple[int, int]) -> float:
    """The distance of two heads (layer, head) over all rows, however long the sentence.

    NaN where no query sees more than one key. Raises `DamagedEntry` when a layer cannot be read.
    """
    layout = layout_of(attention, 1)
    rows = np.flatnonzero(layout.choosing).astype(np.int32)
    if not rows.size:
        return math.nan
    seen = layout.seen()[rows]
    weights = [_seen(attention, layer, rows, seen)[index] for layer, index in (head, other)]
    return float(_divergence(np.stack(weights))[0, 1] / rows.size)


def _seen(attention: StoredAttention, index: int, rows: Int32, seen: Bool) -> Float32:
    """What some queries of a layer see: float32[head, all keys of all rows]."""
    # Only what is compared is widened.
    (stored,) = attention.parts(index, index + 1, attention.facts.heads)
    return widened(np.ascontiguousarray(stored[0][:, rows][:, seen]))


def compared_rows(layout: Layout, heads: int) -> Int32:
    """The queries on which so many heads are compared: all that have a choice, or some at even distances."""
    choosing = np.flatnonzero(layout.choosing).astype(np.int32)
    # Logarithms that one row takes: one for each pair of heads and key in sight.
    each = max(1.0, heads * heads / 2 * float(layout.visible.mean()))
    return at_even_distances(choosing, max(FEWEST_ROWS, int(LOGARITHMS / each)))


def at_even_distances(rows: Int32, count: int) -> Int32:
    """So many of these rows, from the first to the last; all of them where there are no more."""
    if count >= rows.size:
        return rows
    return rows[np.linspace(0, rows.size - 1, count).round().astype(np.int32)]


def _divergence(weights: Float32) -> Float64:
    """The sum over rows of the divergence of every two heads; weights float32[head, all keys of all rows].

    With m the mean of two rows a and b it is H(m) - H(a)/2 - H(b)/2, which needs one logarithm for each key.
    It is a small difference of large numbers where heads are nearly alike, and so taken in double precision.
    """
    heads, keys = weights.shape
    total = np.zeros((heads, heads))
    step = max(FEWEST_KEYS, CACHED // heads)
    for start in range(0, keys, step):
        some = weights[:, start : start + step].astype(np.float64)
        # Halved once for each head, not once for each pair.
        halves = some * 0.5
        own = negative_entropy(some, np.empty_like(some))
        room, means = np.empty_like(some), np.empty_like(some)
        for head in range(heads - 1):
            mean = np.add(halves[head + 1 :], halves[head], out=means[head + 1 :])
            both = negative_entropy(mean, room[head + 1 :])
            total[head, head + 1 :] += (own[head] + own[head + 1 :]) / 2 - both
    # Of equal rows rounding may leave less than nothing.
    return np.maximum(total + total.T, 0)


def mean_of(distances: Iterable[HeadDistances]) -> MeanDistances | None:
    """The means over sentences, each of which counts the same; None where no sentence has any distance.

    Sentences without a distance (NaN) do not count.
    """
    total: Float64 | None = None
    typical, count, estimated = 0.0, 0, 0
    for sentence in distances:
        if np.isnan(sentence.distance).any():
            continue
        if total is None:
            total, variance = np.zeros((2, *sentence.distance.shape))
        total += sentence.distance
        count += 1
        if sentence.error is not None:
            estimated += 1
            variance += sentence.error.astype(np.float64) ** 2
            typical += sentence.typical_error**2
    if total is None:
        return None
    return MeanDistances(
        total / count, np.sqrt(variance) / count, math.sqrt(typical) / count, count, estimated
    )


@dataclass(frozen=True, slots=True, eq=False)
class MeanDistances:
    """Distances averaged over `sentences`, on `estimated` of which some rows stood for all.

    distance, error: float64[head, head], the mean and its standard error. typical_error: that of the mean
    over all pairs of heads.
    """

    distance: Float64
    error: Float64
    typical_error: float
    sentences: int
    estimated: int


def save_distances(distances: HeadDistances) -> bytes:
    """Distances as bytes: only those above the diagonal."""
    above = np.triu_indices(len(distances.distance), 1)
    facts = {
        "heads": len(distances.distance),
        "typical_error": distances.typical_error,
        "rows": distances.rows,
        "choosing": distances.choosing,
    }
    error = np.zeros(0, np.float32) if distances.error is None else distances.error[above]
    arrays = {"above": distances.distance[above].astype("<f4", copy=False), "error": error.astype("<f4")}
    return pack(MAGIC, facts, arrays)


def load_distances(data: bytes) -> HeadDistances:
    """What `save_distances` was given. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(MAGIC, data, {"above": "<f4", "error": "<f4"})
    heads = int(facts["heads"])
    distance = _both_sides(arrays["above"], heads)
    error = _both_sides(arrays["error"], heads) if arrays["error"].size else None
    return HeadDistances(distance, error, facts["typical_error"], facts["rows"], facts["choosing"])


def _both_sides(above: Float32, heads: int) -> Float32:
    """What lies above the diagonal as a whole matrix; nothing lies on it."""
    distance = np.zeros((heads, heads), dtype=np.float32)
    distance[np.triu_indices(heads, 1)] = above
    return distance + distance.T


DISTANCES = Result(
    name="distances",
    needs=("capture",),
    compute=lambda captures, settings, about: measure_distances(next(captures)),
    dump=save_distances,
    load=lambda data, about: load_distances(data),
    subjects=lambda inventory: inventory.capture_subjects,
)
