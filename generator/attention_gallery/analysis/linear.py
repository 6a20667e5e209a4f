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
from numpy.typing import NDArray

from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.analysis.patterns import Pattern
from attention_gallery.records import Float32, Int64

Float64 = NDArray[np.float64]
# Products at once, few enough that no linear algebra library starts threads for them: on a busy machine
# these cost more than they bring. It also bounds what is held in double precision.
BLOCK = 2**18


# A measure that is worth something on fewer of the pairs than this is taken pair by pair.
SPARSE = 1 / 8


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """The linear measures of one layout.

    dense: those that are worth something on many pairs, with their worth float32[dense, query, key], 0 for
    queries that do not count. sparse: the others that are worth anything; pairs int64[pair], query times keys
    plus key, one measure after another from `starts` on, and their worths float64[pair].
    counted: float64[measure], how many queries count. spread: float64[measure, query], Σ (p - p̄)² / (n - 1)
    of those that do. uniform: float64[measure], what evenly spread attention gives, NaN where nothing counts.
    """

    dense: Int64
    worth: Float32
    sparse: Int64
    pairs: Int64
    worths: Float64
    starts: Int64
    counted: Float64
    spread: Float64
    uniform: Float64
    layout: Layout

    @classmethod
    def of(cls, layout: Layout, patterns: Sequence[Pattern]) -> Linear:
        """The measures that look for these patterns."""
        shape = (len(patterns), layout.queries)
        even, spread = np.zeros(shape), np.zeros(shape)
        counted = np.array([pattern.rows.sum() for pattern in patterns], dtype=np.float64)
        seen, keys = layout.seen(), layout.visible.astype(np.float64)
        many: dict[int, Float32] = {}
        few: dict[int, Int64] = {}
        worths: list[Float64] = []
        for index, pattern in enumerate(patterns):
            worth = np.multiply(pattern.worth, seen & pattern.rows[:, None], dtype=np.float32)
            row = worth.astype(np.float64)
            even[index] = row.sum(axis=1) / keys
            around = ((row - even[index][:, None]) ** 2 * seen).sum(axis=1)
            spread[index] = around / np.maximum(1, keys - 1)
            pairs = np.flatnonzero(worth)
            if pairs.size >= SPARSE * worth.size:
                many[index] = worth
            elif pairs.size:
                few[index] = pairs
                worths.append(row.ravel()[pairs])
        sizes = [pairs.size for pairs in few.values()]
        return cls(
            dense=np.array(list(many), np.int64),
            worth=np.stack(list(many.values())) if many else np.zeros((0, *seen.shape), np.float32),
            sparse=np.array(list(few), np.int64),
            pairs=np.concatenate([*few.values(), np.zeros(0, np.int64)]),
            worths=np.concatenate([*worths, np.zeros(0)]),
            starts=np.cumsum([0, *sizes])[:-1].astype(np.int64),
            counted=counted,
            spread=spread,
            uniform=_mean(even.sum(axis=1), counted),
            layout=layout,
        )

    def measure(self, view: LayerView) -> tuple[Float32, Float32]:
        """Every measure, and its standard deviation when rows are shuffled: float32[measure, head] each.

        NaN where no query counts. Summed in double precision, so that the order of summing does not show.
        """
        total = np.zeros((view.heads, len(self.counted)))
        if self.sparse.size:
            chosen = view.weights.reshape(view.heads, -1).take(self.pairs, axis=1) * self.worths
            total[:, self.sparse] = np.add.reduceat(chosen, self.starts, axis=1)
        variance = np.zeros_like(total)
        keys = self.layout.visible.astype(np.float64)
        per_row = max(1, view.heads * max(1, len(self.dense)) * self.layout.keys)
        step = max(1, BLOCK // per_row)
        for start in range(0, self.layout.queries, step):
            rows = slice(start, start + step)
            weights = view.weights[:, rows].astype(np.float64)
            worth = self.worth[:, rows].astype(np.float64)
            total[:, self.dense] += (
                weights.reshape(view.heads, -1) @ worth.reshape(len(worth), weights[0].size).T
            )
            around = np.einsum("hqk,hqk->hq", weights, weights) - weights.sum(axis=2) ** 2 / keys[rows]
            variance += np.maximum(0, around) @ self.spread[:, rows].T
        deviation = np.sqrt(variance.T)
        counted = self.counted[:, None]
        return _mean(total.T, counted).astype(np.float32), _mean(deviation, counted).astype(np.float32)


def _mean(total: Float64, counted: Float64) -> Float64:
    """Total over count, NaN where nothing was counted."""
    mean: Float64 = np.full(total.shape, np.nan)
    np.divide(total, counted, out=mean, where=counted > 0)
    return mean
