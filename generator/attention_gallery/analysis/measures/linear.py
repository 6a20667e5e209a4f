"""The linear measures of all heads at once, and what chance would give them, in closed form.

Shuffling: the weights that a query gives to the keys it can see are put in random order, each query by
itself. The mean and the variance over all orders are those of Pitman 1937, Significance Tests Which May be
Applied to Samples From any Populations, II, so that no order is drawn: with a row's weights a, worths p and
n keys in view, the mean of Σ a p is n ā p̄ and its variance is Σ (a - ā)² Σ (p - p̄)² / (n - 1). Since rows
sum to 1 the mean is what evenly spread attention gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.patterns import Pattern
from attention_gallery.records import Bool, Float32, Int32, Int64

Float64 = NDArray[np.float64]
# A measure that is worth something on fewer of the pairs than this is taken pair by pair.
SPARSE = 1 / 8
# A worth that follows a rule on all pairs but fewer than this is taken by the rule, the others pair by pair.
ODD = 1 / 64
# Smaller matrices stay in the cache without any rule.
LARGE = 2**15
# Of rows more even than this, single precision tells too little of how uneven they are.
EVEN = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """The linear measures of one layout.

    dense: those that are worth something on many pairs, with their worth float32[query, key] each, and rows
    float64[dense, query], 1 for the queries that count and 0 for others. sparse: the measures that are worth
    something, or something else, on few pairs; pairs int64[pair], query times keys plus key, one measure
    after another from `starts` on, and their worths float32[pair].
    counted: float64[measure], how many queries count. spread: float64[measure, query], Σ (p - p̄)² / (n - 1)
    of those that do. uniform: float64[measure], what evenly spread attention gives, NaN where nothing counts.
    """

    dense: Int64
    worth: tuple[Float32, ...]
    rows: Float64
    sparse: Int64
    pairs: Int64
    worths: Float32
    starts: Int64
    counted: Float64
    spread: Float64
    uniform: Float64
    layout: Layout

    @classmethod
    def from_patterns(cls, layout: Layout, patterns: Sequence[Pattern]) -> Linear:
        """The measures that look for these patterns."""
        keys = layout.visible.astype(np.float64)
        counted = np.array([pattern.rows.sum() for pattern in patterns], dtype=np.float64)
        sums, squares = np.zeros((2, len(patterns), layout.queries))
        many: dict[int, Float32] = {}
        few: dict[int, tuple[Int64, Float32]] = {}
        for index, pattern in enumerate(patterns):
            worth = pattern.worth * layout.in_sight
            pairs = _pairs(worth != 0, pattern.rows)
            if pairs.size < SPARSE * worth.size:
                worths = worth.reshape(-1)[pairs]
            else:
                sums[index] = worth.sum(axis=1, dtype=np.float64) * pattern.rows
                squares[index] = np.einsum("qk,qk->q", worth, worth, dtype=np.float64) * pattern.rows
                many[index], pairs, worths = _by_rule(worth, layout.in_sight, pattern.rows)
            if pairs.size:
                few[index] = pairs, worths
        sizes = np.array([pairs.size for pairs, _ in few.values()], np.int64)
        pairs = np.concatenate([np.zeros(0, np.int64), *(pairs for pairs, _ in few.values())])
        worths = np.concatenate([np.zeros(0, np.float32), *(worths for _, worths in few.values())])
        sparse = np.array(list(few), np.int64)
        # Those by rule were summed above: here is only where they are off it.
        cells = np.repeat(sparse, sizes) * layout.queries + pairs // layout.keys
        exact = worths.astype(np.float64) * np.repeat([index not in many for index in few], sizes)
        for total, power in ((sums, exact), (squares, exact**2)):
            total += np.bincount(cells, power, total.size).reshape(total.shape)
        return cls(
            dense=np.array(list(many), np.int64),
            worth=tuple(many.values()),
            rows=np.array([patterns[index].rows for index in many], np.float64).reshape(-1, layout.queries),
            sparse=sparse,
            pairs=pairs,
            worths=worths,
            starts=np.cumsum(sizes) - sizes,
            counted=counted,
            # A difference of sums that may be nearly equal: rounding can leave less than nothing.
            spread=np.maximum(0, squares - sums**2 / keys) / np.maximum(1, keys - 1),
            uniform=mean_where_counted((sums / keys).sum(axis=1), counted),
            layout=layout,
        )

    def measure(self, view: LayerView) -> tuple[Float32, Float32]:
        """Every measure, and its standard deviation when rows are shuffled: float32[measure, head] each.

        NaN where no query counts. Rows are summed in single precision, and their sums in double.
        """
        total = np.zeros((view.heads, len(self.counted)))
        for index, worth, rows in zip(self.dense.tolist(), self.worth, self.rows, strict=True):
            total[:, index] = (np.vecdot(view.weights, worth) * rows).sum(axis=1)
        if self.sparse.size:
            chosen = view.weights.reshape(view.heads, -1).take(self.pairs, axis=1)
            chosen *= self.worths
            # In double precision: a pattern may gather many thousand small weights.
            total[:, self.sparse] += np.add.reduceat(chosen, self.starts, axis=1, dtype=np.float64)
        variance = np.einsum("hq,mq->mh", _unevenness(view), self.spread)
        counted = self.counted[:, None]
        return (
            mean_where_counted(total.T, counted).astype(np.float32),
            mean_where_counted(np.sqrt(variance), counted).astype(np.float32),
        )


def _pairs(there: Bool, rows: Bool) -> Int64:
    """Which pairs bool[query, key] are there, of queries that count."""
    pairs = np.flatnonzero(there)
    return pairs if rows.all() else pairs[rows[pairs // there.shape[1]]]


def _by_rule(worth: Float32, sight: Bool, rows: Bool) -> tuple[Float32, Int64, Float32]:
    """The same worth as a view of one line of numbers, the pairs where it is off, and by how much.

    A line stays in the processor's cache, which a large matrix does not. Either the worth depends on the key
    alone, or on how far it lies from the query; where it does neither, the matrix itself is given. What lies
    out of sight may be anything.
    """
    pairs: Int64 = np.zeros(0, np.int64)
    if worth.size > LARGE:
        line = np.concatenate([worth[:0:-1, 0], worth[0]])
        for view in (
            sliding_window_view(line, worth.shape[1])[::-1],
            np.broadcast_to(worth[-1], worth.shape),
        ):
            off = np.subtract(worth, view * sight, dtype=np.float32)
            pairs = _pairs(off != 0, rows)
            if pairs.size < ODD * worth.size:
                return view, pairs, off.reshape(-1)[pairs]
    return worth, pairs[:0], worth[:0, 0]


def _unevenness(view: LayerView) -> Float64:
    """Σ (a - ā)² of each row, over the keys that its query sees: float64[head, query]."""
    keys = view.layout.visible.astype(np.float64)
    squares = np.vecdot(view.weights, view.weights).astype(np.float64)
    around: Float64 = squares - view.row_sums.astype(np.float64) ** 2 / keys
    even = np.nonzero(around < EVEN * squares)
    if even[0].size:
        rows = view.weights[even].astype(np.float64)
        around[even] = np.vecdot(rows, rows) - rows.sum(axis=1) ** 2 / keys[even[1]]
    return np.maximum(0, around)


def mean_where_counted(total: Float64, counted: Float64 | Int32) -> Float64:
    """Total over count, NaN where nothing was counted."""
    mean: Float64 = np.full(total.shape, np.nan)
    np.divide(total, counted, out=mean, where=counted > 0)
    return mean
