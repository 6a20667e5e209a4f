"""What differs between two readings, head by head: the same head on two sentences or in two like models.

Distances are Jensen-Shannon divergences in bits, from 0 for equal rows to 1 for rows without a common key, as
in `distances`. Beside each stands what the weights of the left side give in random order: how far apart two
rows are that are equally sharp and look at unrelated words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.contrast.alignment import Frame
from attention_gallery.analysis.entropy import negative_entropy
from attention_gallery.analysis.similarity.distances import at_even_distances, even_error
from attention_gallery.records import Bool, Float32, Int32, StoredAttention

Float64 = NDArray[np.float64]

CELLS = 6
# Numbers that are held at once as float64, beside the two layers.
_CHUNK = 2**18
# Few, since each costs as much as the comparison itself; what that leaves open is the standard error.
_PERMUTATIONS = 4
_SHUFFLED_ROWS = 48
_SEED = 20260101

_Number = TypeVar("_Number", bound=np.generic)


class Change(NamedTuple):
    """The weight of a row for a column on both sides."""

    row: int
    column: int
    left: float
    right: float


@dataclass(frozen=True, eq=False)
class HeadContrast:
    """How far the same heads of two readings are apart; rows and columns are those of a `Frame`.

    distance, shuffled, shuffled_error: float32[layer, head], NaN where no row can be compared. Distances are
    means over all rows that can be; what random order gives is estimated, with its standard error.
    row: int32[layer, head], the row that is furthest apart. cells: int32[layer, head, n, 2], rows and columns
    of the `CELLS` weights that change most, -1 where there are fewer, and weights: float32[layer, head, n,
    2], these on both sides. moved: the same for the two columns of `row` that lose and gain most,
    int32[layer, head, 2] and float32[layer, head, 2, 2]. average: float32[2, row, column], the mean over all
    heads on both sides.
    """

    distance: Float32
    shuffled: Float32
    shuffled_error: Float32
    row: Int32
    moved: Int32
    moved_weights: Float32
    cells: Int32
    weights: Float32
    average: Float32

    def ranked(self) -> list[tuple[int, int]]:
        """The heads as (layer, head), those that are furthest apart first."""
        ranks = np.argsort(-np.nan_to_num(self.distance.ravel(), nan=-1.0), kind="stable")
        return [divmod(index, self.distance.shape[1]) for index in ranks.tolist()]

    def change(self, layer: int, head: int) -> tuple[Change, Change] | None:
        """Of the row that is furthest apart: what it loses most, and what it gains most."""
        row = int(self.row[layer, head])
        if row < 0:
            return None
        lost, gained = (
            Change(row, int(column), *map(float, weights))
            for column, weights in zip(self.moved[layer, head], self.moved_weights[layer, head], strict=True)
        )
        return lost, gained

    def strongest(self, layer: int, head: int) -> list[Change]:
        """The weights that change most, the largest difference first."""
        return [
            Change(row, column, *weights)
            for (row, column), weights in zip(
                self.cells[layer, head].tolist(), self.weights[layer, head].tolist(), strict=True
            )
            if row >= 0
        ]


# What some heads contribute: the arrays of `HeadContrast` but the average, without their axis of layers.
_ComparedHeads = tuple[Float32, Float32, Float32, Int32, Int32, Float32, Int32, Float32]


def contrast_heads(left: StoredAttention, right: StoredAttention, frame: Frame) -> HeadContrast:
    """Compare every head of one capture with the same head of the other, which must be as many.

    Holds two layers at a time. Raises `DamagedEntry` when one cannot be read.
    """
    layers, heads = left.facts.layers, left.facts.heads
    permutations = row_permutations(frame)
    total = np.zeros((2, len(frame.rows), len(frame.columns)))
    compared: list[_ComparedHeads] = []
    for layer in range(layers):
        left_weights, right_weights = left.layer(layer).weights, right.layer(layer).weights
        for chunk in chunks(heads, frame):
            a = frame.spread(frame.left, left_weights[chunk])
            b = frame.spread(frame.right, right_weights[chunk])
            total += np.stack([a.sum(axis=0), b.sum(axis=0)])
            compared.append(_compare(a, b, frame, permutations))
    return _joined(compared, layers, (total / (layers * heads)).astype(np.float32))


def compare(a: Float32, b: Float32, frame: Frame) -> HeadContrast:
    """One pair of heads, float32[row, column] each, as layer 0 and head 0 of a `HeadContrast`."""
    return _joined([_compare(a[None], b[None], frame, row_permutations(frame))], 1, np.stack([a, b]))


def _joined(compared: Sequence[_ComparedHeads], layers: int, average: Float32) -> HeadContrast:
    arrays = [np.concatenate(of_chunks) for of_chunks in zip(*compared, strict=True)]
    by_layer: list[Any] = [array.reshape(layers, -1, *array.shape[1:]) for array in arrays]
    return HeadContrast(*[*by_layer, average])


def chunks(heads: int, frame: Frame) -> Iterator[slice]:
    """So few heads at a time that what is made of them stays small beside their layer."""
    step = max(1, _CHUNK // max(1, len(frame.rows) * len(frame.columns)))
    return (slice(start, start + step) for start in range(0, heads, step))


def _compare(a: Float32, b: Float32, frame: Frame, permutations: tuple[Int32, Int32]) -> _ComparedHeads:
    """Compare heads float32[head, row, column] on both sides."""
    rows = frame.compared
    left, right = (normalised(side[:, rows]) for side in (a, b))
    apart = divergence(left, right)
    heads, count = apart.shape
    if not count:
        # One array for three fields: nobody writes into them.
        undefined = np.full(heads, np.nan, np.float32)
        return undefined, undefined, undefined, *_nothing(heads)
    furthest = apart.argmax(axis=1)
    difference = (b - a)[:, rows]
    own = difference[np.arange(heads), furthest]
    moved = np.stack([own.argmin(axis=1), own.argmax(axis=1)], axis=1).astype(np.int32)
    row = rows[furthest]
    at = np.arange(heads)[:, None]
    moved_weights = np.stack([a[at, row[:, None], moved], b[at, row[:, None], moved]], axis=2)
    distance, shuffled, error = (
        means.astype(np.float32) for means in (apart.mean(axis=1), *_by_chance(left, permutations))
    )
    largest = _largest(a, b, difference, rows)
    return distance, shuffled, error, row, moved, moved_weights, *largest


def _nothing(heads: int) -> tuple[Int32, Int32, Float32, Int32, Float32]:
    return (
        np.full(heads, -1, np.int32),
        np.full((heads, 2), -1, np.int32),
        np.zeros((heads, 2, 2), np.float32),
        np.full((heads, CELLS, 2), -1, np.int32),
        np.zeros((heads, CELLS, 2), np.float32),
    )


def _largest(a: Float32, b: Float32, difference: Float32, rows: Int32) -> tuple[Int32, Float32]:
    """Rows and columns of the largest differences of each head, and the weights on both sides."""
    heads, columns = len(difference), difference.shape[2]
    _, _, _, cells, weights = _nothing(heads)
    flat = np.abs(difference).reshape(heads, -1)
    # Stable, so that of equal changes the first cell is told.
    ranks = np.argsort(-flat, axis=1, kind="stable")[:, :CELLS]
    row, column = np.divmod(ranks, columns)
    at = np.arange(heads)[:, None]
    some = np.take_along_axis(flat, ranks, axis=1) > 0
    positions = np.stack([rows[row], column], axis=2).astype(np.int32)
    cells[:, : ranks.shape[1]] = np.where(some[..., None], positions, -1)
    both = np.stack([a[at, rows[row], column], b[at, rows[row], column]], axis=2)
    weights[:, : ranks.shape[1]] = np.where(some[..., None], both, 0)
    return cells, weights


def normalised(weights: Float32) -> Float64:
    """Rows that sum to 1 exactly, which storing has rounded; rows of nothing stay so."""
    # A distance is a small difference of entropies, which rows that do not sum to 1 would spoil.
    exact = weights.astype(np.float64)
    sums = exact.sum(axis=-1, keepdims=True)
    whole: Float64 = np.divide(exact, sums, out=exact, where=sums > 0)
    return whole


def divergence(left: Float64, right: Float64) -> Float64:
    """The Jensen-Shannon divergence of two rows in bits: float64[..., column] each to float64[...]."""
    own = (negative_entropy(left) + negative_entropy(right)) / 2
    # Rounding may leave less than nothing.
    apart: Float64 = np.clip(own - negative_entropy((left + right) / 2), 0, 1)
    return apart


def row_permutations(frame: Frame) -> tuple[Int32, Int32]:
    """Which of the compared rows are shuffled, int32[n], and how: columns int32[order, n, column]."""
    rows = at_even_distances(np.arange(len(frame.compared), dtype=np.int32), _SHUFFLED_ROWS)
    return rows, draw_permutations(frame.visible(frame.left)[frame.compared[rows]], _PERMUTATIONS)


def draw_permutations(visible: Bool, count: int) -> Int32:
    """Random orders of what each row can see, bool[row, column]: int32[order, row, column].

    What a row cannot see stays where it is. The orders are the same for every head and in every build.
    """
    random = np.random.default_rng(_SEED)
    permutations = np.tile(np.arange(visible.shape[1], dtype=np.int32), (count, len(visible), 1))
    for permutation in permutations:
        for row, seen in zip(permutation, visible, strict=True):
            columns = np.flatnonzero(seen)
            row[columns] = random.permutation(columns)
    return permutations


def permuted(rows: NDArray[_Number], permutation: Int32) -> NDArray[_Number]:
    """Rows [head, row, column] with their columns in the order int32[row, column]."""
    return np.take_along_axis(rows, permutation[None], axis=2)


def _by_chance(left: Float64, permutations: tuple[Int32, Int32]) -> tuple[Float64, Float64]:
    """The mean divergence of rows from themselves in random order, and its standard error: float64[head].

    It varies with the orders that were drawn, and with the rows, where these are some of more.
    """
    own = left[:, permutations[0]]
    drawn = np.stack(
        [divergence(own, permuted(own, permutation)) for permutation in permutations[1]]
    )  # [order, head, row]
    rows = drawn.mean(axis=0)
    count, draws = rows.shape[1], len(drawn)
    by_order = drawn.var(axis=0, ddof=1).sum(axis=1) / draws / count**2
    by_row = even_error(rows, 1 - count / left.shape[1])
    return rows.mean(axis=1), np.sqrt(by_order + by_row**2)
