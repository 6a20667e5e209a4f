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
from attention_gallery.records import Float32

Float64 = NDArray[np.float64]
# Products at once, few enough that no linear algebra library starts threads for them: on a busy machine
# these cost more than they bring. It also bounds what is held in double precision.
BLOCK = 2**18


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """The linear measures of one layout.

    worth: float32[measure, query, key], 0 for queries that do not count. counted: float64[measure], how many
    queries do. spread: float64[measure, query], Σ (p - p̄)² / (n - 1) of those that do. uniform:
    float64[measure], what evenly spread attention gives, NaN where nothing counts.
    """

    worth: Float32
    counted: Float64
    spread: Float64
    uniform: Float64
    layout: Layout

    @classmethod
    def of(cls, layout: Layout, patterns: Sequence[Pattern]) -> Linear:
        """The measures that look for these patterns."""
        shape = (len(patterns), layout.queries)
        worth = np.zeros((*shape, layout.keys), dtype=np.float32)
        even, spread = np.zeros(shape), np.zeros(shape)
        counted = np.array([pattern.rows.sum() for pattern in patterns], dtype=np.float64)
        seen, keys = layout.seen(), layout.visible.astype(np.float64)
        for index, pattern in enumerate(patterns):
            np.multiply(pattern.worth, seen & pattern.rows[:, None], out=worth[index])
            row = worth[index].astype(np.float64)
            even[index] = row.sum(axis=1) / keys
            around = ((row - even[index][:, None]) ** 2 * seen).sum(axis=1)
            spread[index] = around / np.maximum(1, keys - 1)
        return cls(worth, counted, spread, _mean(even.sum(axis=1), counted), layout)

    def measure(self, view: LayerView) -> tuple[Float32, Float32]:
        """Every measure, and its standard deviation when rows are shuffled: float32[measure, head] each.

        NaN where no query counts. Summed in double precision, so that the order of summing does not show.
        """
        total = np.zeros((view.heads, len(self.worth)))
        variance = np.zeros_like(total)
        keys = self.layout.visible.astype(np.float64)
        per_row = max(1, view.heads * len(self.worth) * self.layout.keys)
        step = max(1, BLOCK // per_row)
        for start in range(0, self.layout.queries, step):
            rows = slice(start, start + step)
            weights = view.weights[:, rows].astype(np.float64)
            worth = self.worth[:, rows].astype(np.float64)
            total += weights.reshape(view.heads, -1) @ worth.reshape(len(worth), -1).T
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
