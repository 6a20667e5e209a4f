"""Two models whose heads do not stand for each other: which head of the one is most like which of the other.

Distances are those of `distances`, on the rows that both models have. Beside the distance of the nearest head
stands that of the head that comes nearest to the same weights in random order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.contrast.alignment import Frame, Side
from attention_gallery.analysis.contrast.head_contrast import (
    Float64,
    chunks,
    draw_permutations,
    normalised,
    permuted,
)
from attention_gallery.analysis.entropy import negative_entropy
from attention_gallery.analysis.similarity.distances import (
    FEWEST_ROWS,
    RowSums,
    at_even_distances,
    even_error,
)
from attention_gallery.records import Float32, Int32, StoredAttention

# Logarithms taken to compare all heads once. Only texts of many hundred tokens ask for more, and are compared
# on rows at even distances instead of all.
LOGARITHMS = 2**32
# Numbers of both sides that are held at once.
_HELD = 2**25


@dataclass(frozen=True, eq=False)
class Counterparts:
    """The nearest head in the other model, for every head of both.

    left_nearest: int32[layer, head], which heads of the right model these are, all layers in one count;
    left_distance, left_error: float32[layer, head], how far apart, and the standard error of that, 0 where
    every row was compared; left_chance, left_chance_error: how near anything comes to the same weights in
    random order, and its standard error. right_…: the same for the heads of the right model. typical: the
    median distance of a head of one from a head of the other, typical_error its standard error. rows: on how
    many of the rows that both have heads were compared, and how many there are. average: float32[2, row,
    column] as in `HeadContrast`. NaN and -1 where no row can be compared.
    """

    left_nearest: Int32
    left_distance: Float32
    left_error: Float32
    left_chance: Float32
    left_chance_error: Float32
    right_nearest: Int32
    right_distance: Float32
    right_error: Float32
    right_chance: Float32
    right_chance_error: Float32
    typical: float
    typical_error: float
    rows: tuple[int, int]
    average: Float32

    def mutual(self) -> list[tuple[tuple[int, int], tuple[int, int], float]]:
        """Heads that are each other's nearest: (layer, head) of both and their distance, nearest first."""
        pairs = []
        heads, others = self.left_nearest.shape[1], self.right_nearest.shape[1]
        nearest_back = self.right_nearest.ravel()
        for index, nearest in enumerate(self.left_nearest.ravel().tolist()):
            if nearest >= 0 and nearest_back[nearest] == index:
                head, other_head = divmod(index, heads), divmod(nearest, others)
                pairs.append((head, other_head, float(self.left_distance[head])))
        return sorted(pairs, key=lambda pair: (pair[2], pair[0]))


def find_counterparts(left: StoredAttention, right: StoredAttention, frame: Frame) -> Counterparts:
    """Compare every head of one capture with every head of the other.

    Reads layer by layer, some rows of all heads at a time, and compares all rows, unless that takes more than
    about four billion logarithms. Raises `DamagedEntry`.
    """
    sides = ((left, frame.left), (right, frame.right))
    shapes = [(capture.facts.layers, capture.facts.heads) for capture, _ in sides]
    heads = [layers * count for layers, count in shapes]
    rows = _chosen(frame, heads[0] * heads[1])
    if not rows.size:
        average = np.stack([_read(capture, frame, side, rows)[1] for capture, side in sides])
        unknown = *_unknown(shapes[0]), *_unknown(shapes[1])
        return Counterparts(*unknown, math.nan, math.nan, (0, 0), average)
    apart, ours_permuted, theirs_permuted = (RowSums(_medians) for _ in range(3))
    permutations = [draw_permutations(frame.visible(side)[rows], 1)[0] for _, side in sides]
    # Some rows of all heads at once, since every head is compared with every other.
    blocks = -(-rows.size * len(frame.columns) * sum(heads) // _HELD)
    for block in np.array_split(np.arange(rows.size), blocks):
        (ours, our_average), (theirs, their_average) = (
            _read(capture, frame, side, rows[block]) for capture, side in sides
        )
        apart.add(_apart(ours, theirs))
        ours_permuted.add(_apart(permuted(ours, permutations[0][block]), theirs))
        theirs_permuted.add(_apart(permuted(theirs, permutations[1][block]), ours))
        average = np.stack([our_average, their_average])
    unseen = 1 - rows.size / frame.compared.size
    return Counterparts(
        *_nearest(apart.mean, apart.error(unseen), ours_permuted, shapes[0]),
        *_nearest(apart.mean.T, apart.error(unseen).T, theirs_permuted, shapes[1]),
        float(np.median(apart.mean)),
        float(even_error(np.array(apart.typical), unseen)),
        (int(rows.size), int(frame.compared.size)),
        average,
    )


def _medians(rows: Float64) -> Float64:
    """The median over all pairs of heads in each row: float64[row]."""
    medians: Float64 = np.median(rows, axis=(0, 1))
    return medians


def _chosen(frame: Frame, pairs: int) -> Int32:
    """The rows on which so many pairs of heads are compared: all of them, or some at even distances."""
    count = max(FEWEST_ROWS, LOGARITHMS // max(1, pairs * len(frame.columns)))
    return at_even_distances(frame.compared, count)


def _read(attention: StoredAttention, frame: Frame, side: Side, rows: Int32) -> tuple[Float32, Float32]:
    """These rows of all heads, float32[head, row, column], and the mean of all heads float32[row, column]."""
    facts = attention.facts
    total = np.zeros((len(frame.rows), len(frame.columns)))
    normalised_rows = []
    for layer in range(facts.layers):
        weights = attention.layer(layer).weights
        for heads in chunks(facts.heads, frame):
            spread = frame.spread(side, weights[heads])
            # All rows, while only some are compared.
            total += spread.sum(axis=0)
            normalised_rows.append(normalised(spread[:, rows]).astype(np.float32))
    return np.concatenate(normalised_rows), (total / (facts.layers * facts.heads)).astype(np.float32)


def _apart(ours: Float32, theirs: Float32) -> Float64:
    """The divergence of every head from every other in each row: float64[our head, their head, row].

    Logarithms are those of single precision, which is right to 0.00001 of a distance.
    """
    own, other = negative_entropy(ours), negative_entropy(theirs)
    joint = np.stack([negative_entropy((theirs + head) * np.float32(0.5)) for head in ours])
    divergences: Float64 = np.clip((own[:, None] + other) / 2 - joint, 0, 1)
    return divergences


def _nearest(
    apart: Float64, error: Float64, by_chance: RowSums, shape: tuple[int, int]
) -> tuple[Int32, Float32, Float32, Float32, Float32]:
    """The nearest of every head and how far it is, how near random order comes, each with its error."""
    heads = np.arange(len(apart))
    # Of random order the best of all heads, too: the nearest of many is near by luck alone.
    nearest, drawn = apart.argmin(axis=1), by_chance.mean
    best = drawn.argmin(axis=1)
    # Each row has an order of its own, so that rows tell how much that varies, however many there are.
    distance, distance_error, chance, chance_error = (
        matrix[heads, columns].astype(np.float32).reshape(shape)
        for matrix, columns in (
            (apart, nearest),
            (error, nearest),
            (drawn, best),
            (by_chance.error(1.0), best),
        )
    )
    return nearest.astype(np.int32).reshape(shape), distance, distance_error, chance, chance_error


def _unknown(shape: tuple[int, int]) -> tuple[Int32, Float32, Float32, Float32, Float32]:
    nothing = np.full(shape, np.nan, np.float32)
    return np.full(shape, -1, np.int32), nothing, nothing, nothing, nothing
