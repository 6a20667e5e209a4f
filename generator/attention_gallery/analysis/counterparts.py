"""Two models whose heads do not stand for each other: which head of the one is most like which of the other.

Distances are those of `distances`, on the rows that both models have. Beside the distance of the nearest head
stands that of the head that comes nearest to the same weights in random order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.alignment import Frame, Side
from attention_gallery.analysis.contrast import Float64, chunks, normalised, orders_of, plogp, shuffled
from attention_gallery.analysis.distances import FEWEST_ROWS, LOGARITHMS
from attention_gallery.records import Float32, Int32, StoredAttention


@dataclass(frozen=True, eq=False)
class Counterparts:
    """The nearest head in the other model, for every head of both.

    left_nearest: int32[layer, head], which heads of the right model these are, all its layers in one count;
    left_distance, left_chance: float32[layer, head], how far apart, and how near anything comes to the same
    weights in random order. right_…: the same for the heads of the right model. typical: the median distance
    of a head of one from a head of the other. average: float32[2, row, column] as in `HeadContrast`.
    NaN and -1 where no row can be compared.
    """

    left_nearest: Int32
    left_distance: Float32
    left_chance: Float32
    right_nearest: Int32
    right_distance: Float32
    right_chance: Float32
    typical: float
    average: Float32

    def mutual(self) -> list[tuple[tuple[int, int], tuple[int, int], float]]:
        """Heads that are each other's nearest: (layer, head) of both and their distance, nearest first."""
        found = []
        heads, others = self.left_nearest.shape[1], self.right_nearest.shape[1]
        back = self.right_nearest.ravel()
        for index, nearest in enumerate(self.left_nearest.ravel().tolist()):
            if nearest >= 0 and back[nearest] == index:
                place, other = divmod(index, heads), divmod(nearest, others)
                found.append((place, other, float(self.left_distance[place])))
        return sorted(found, key=lambda one: (one[2], one[0]))


def find_counterparts(left: StoredAttention, right: StoredAttention, frame: Frame) -> Counterparts:
    """Compare every head of one capture with every head of the other.

    Reads layer by layer and holds some rows of all heads: on long sentences those at even distances, so that
    no more than about 17 million logarithms are taken for one comparison. Raises `DamagedEntry`.
    """
    shapes = [(one.facts.layers, one.facts.heads) for one in (left, right)]
    rows = _chosen(frame, shapes[0][0] * shapes[0][1] * shapes[1][0] * shapes[1][1])
    ours, left_average = _read(left, frame, frame.left, rows)
    theirs, right_average = _read(right, frame, frame.right, rows)
    average = np.stack([left_average, right_average])
    if not rows.size:
        left_side, right_side = _unknown(shapes[0]), _unknown(shapes[1])
        return Counterparts(*left_side, *right_side, math.nan, average)
    apart = _apart(ours, theirs)
    left_side = _nearest(apart, _apart(_in_random_order(ours, frame, frame.left, rows), theirs), shapes[0])
    right_side = _nearest(
        apart.T, _apart(_in_random_order(theirs, frame, frame.right, rows), ours), shapes[1]
    )
    return Counterparts(*left_side, *right_side, float(np.median(apart)), average)


def _chosen(frame: Frame, pairs: int) -> Int32:
    """The rows on which so many pairs of heads are compared: all of them, or some at even distances."""
    rows = frame.compared
    count = max(FEWEST_ROWS, LOGARITHMS // max(1, pairs * len(frame.columns)))
    if count >= rows.size:
        return rows
    chosen: Int32 = rows[np.linspace(0, rows.size - 1, count).round().astype(int)]
    return chosen


def _read(attention: StoredAttention, frame: Frame, side: Side, rows: Int32) -> tuple[Float64, Float32]:
    """These rows of all heads, float64[head, row, column], and the mean of all heads float32[row, column]."""
    facts = attention.facts
    total = np.zeros((len(frame.rows), len(frame.columns)))
    kept = []
    for layer in range(facts.layers):
        weights = attention.layer(layer).weights
        for heads in chunks(facts.heads, frame):
            spread = frame.spread(side, weights[heads])
            total += spread.sum(axis=0)
            kept.append(normalised(spread[:, rows]))
    return np.concatenate(kept), (total / (facts.layers * facts.heads)).astype(np.float32)


def _apart(ours: Float64, theirs: Float64) -> Float64:
    """The mean divergence of every head from every other: float64[our head, their head]."""
    own = plogp(ours).sum(axis=(1, 2))
    other = plogp(theirs).sum(axis=(1, 2))
    joint = np.stack([plogp((theirs + head) / 2).sum(axis=(1, 2)) for head in ours])
    found: Float64 = np.clip(((own[:, None] + other) / 2 - joint) / ours.shape[1], 0, 1)
    return found


def _in_random_order(heads: Float64, frame: Frame, side: Side, rows: Int32) -> Float64:
    return shuffled(heads, orders_of(frame.visible(side)[rows], 1)[0])


def _nearest(apart: Float64, by_chance: Float64, shape: tuple[int, int]) -> tuple[Int32, Float32, Float32]:
    return (
        apart.argmin(axis=1).astype(np.int32).reshape(shape),
        apart.min(axis=1).astype(np.float32).reshape(shape),
        by_chance.min(axis=1).astype(np.float32).reshape(shape),
    )


def _unknown(shape: tuple[int, int]) -> tuple[Int32, Float32, Float32]:
    nothing = np.full(shape, np.nan, np.float32)
    return np.full(shape, -1, np.int32), nothing, nothing
