"""What differs between two readings, head by head: the same head on two sentences or in two like models.

Distances are Jensen-Shannon divergences in bits, from 0 for equal rows to 1 for rows without a common key, as
in `distances`. Beside each stands what the weights of the left side give in random order: how far apart two
rows are that are equally sharp and look at unrelated words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.contrast.alignment import Frame
from attention_gallery.analysis.similarity.distances import even_error
from attention_gallery.records import Bool, Float32, Int32, StoredAttention

Float64 = NDArray[np.float64]

CELLS = 6
# Numbers that are held at once as float64, beside the two layers.
_CHUNK = 2**18
_ORDERS = 4
_SHUFFLED_ROWS = 48
_SEED = 20260101
_MEANS = ("distance", "shuffled", "shuffled_error")


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
        order = np.argsort(-np.nan_to_num(self.distance.ravel(), nan=-1.0), kind="stable")
        return [divmod(index, self.distance.shape[1]) for index in order.tolist()]

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


class _Part(NamedTuple):
    """What some heads contribute; the axes of `HeadContrast` without layers."""

    distance: Float64
    shuffled: Float64
    shuffled_error: Float64
    row: Int32
    moved: Int32
    moved_weights: Float32
    cells: Int32
    weights: Float32


def contrast_heads(left: StoredAttention, right: StoredAttention, frame: Frame) -> HeadContrast:
    """Compare every head of one capture with the same head of the other, which must be as many.

    Holds two layers at a time. Raises `DamagedEntry` when one cannot be read.
    """
    shape = (left.facts.layers, left.facts.heads)
    orders = shuffles(frame)
    total = np.zeros((2, len(frame.rows), len(frame.columns)))
    parts: list[_Part] = []
    for layer in range(shape[0]):
        one, other = left.layer(layer).weights, right.layer(layer).weights
        for heads in chunks(shape[1], frame):
            a, b = frame.spread(frame.left, one[heads]), frame.spread(frame.right, other[heads])
            total += np.stack([a.sum(axis=0), b.sum(axis=0)])
            parts.append(_compare(a, b, frame, orders))
    joined = _Part(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    fields = {name: np.reshape(field, (*shape, *field.shape[1:])) for name, field in joined._asdict().items()}
    for name in _MEANS:
        fields[name] = fields[name].astype(np.float32)
    average = (total / (shape[0] * shape[1])).astype(np.float32)
    return HeadContrast(**fields, average=average)


def compare(a: Float32, b: Float32, frame: Frame) -> HeadContrast:
    """One pair of heads, float32[row, column] each, as layer 0 and head 0 of a `HeadContrast`."""
    part = _compare(a[None], b[None], frame, shuffles(frame))
    fields = {name: field[None] for name, field in part._asdict().items()}
    for name in _MEANS:
        fields[name] = fields[name].astype(np.float32)
    return HeadContrast(**fields, average=np.stack([a, b]))


def chunks(heads: int, frame: Frame) -> Iterator[slice]:
    """So few heads at a time that what is made of them stays small beside their layer."""
    step = max(1, _CHUNK // max(1, len(frame.rows) * len(frame.columns)))
    return (slice(start, start + step) for start in range(0, heads, step))


def _compare(a: Float32, b: Float32, frame: Frame, orders: tuple[Int32, Int32]) -> _Part:
    """Compare heads float32[head, row, column] on both sides."""
    rows = frame.compared
    left, right = (normalised(side[:, rows]) for side in (a, b))
    apart = divergence(left, right)
    heads, count = apart.shape
    if not count:
        none = np.full(heads, np.nan)
        return _Part(none, none, none, *_nothing(heads))
    furthest = apart.argmax(axis=1)
    difference = (b - a)[:, rows]
    own = difference[np.arange(heads), furthest]
    moved = np.stack([own.argmin(axis=1), own.argmax(axis=1)], axis=1).astype(np.int32)
    row = rows[furthest]
    at = np.arange(heads)[:, None]
    moved_weights = np.stack([a[at, row[:, None], moved], b[at, row[:, None], moved]], axis=2)
    largest = _largest(a, b, difference, rows)
    chance = _by_chance(left, orders)
    return _Part(apart.mean(axis=1), *chance, row, moved, moved_weights, *largest)


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
    order = np.argsort(-flat, axis=1, kind="stable")[:, :CELLS]
    row, column = np.divmod(order, columns)
    at = np.arange(heads)[:, None]
    some = np.take_along_axis(flat, order, axis=1) > 0
    found = np.stack([rows[row], column], axis=2).astype(np.int32)
    cells[:, : order.shape[1]] = np.where(some[..., None], found, -1)
    both = np.stack([a[at, rows[row], column], b[at, rows[row], column]], axis=2)
    weights[:, : order.shape[1]] = np.where(some[..., None], both, 0)
    return cells, weights


def normalised(weights: Float32) -> Float64:
    """Rows that sum to 1 exactly, which storing has rounded; rows of nothing stay so."""
    exact = weights.astype(np.float64)
    sums = exact.sum(axis=-1, keepdims=True)
    whole: Float64 = np.divide(exact, sums, out=exact, where=sums > 0)
    return whole


def divergence(left: Float64, right: Float64) -> Float64:
    """The Jensen-Shannon divergence of two rows in bits: float64[..., column] each to float64[...]."""
    own = (plogp(left).sum(axis=-1) + plogp(right).sum(axis=-1)) / 2
    apart: Float64 = np.clip(own - plogp((left + right) / 2).sum(axis=-1), 0, 1)
    return apart


def plogp(shares: Float64) -> Float64:
    """Each share times its logarithm in bits; 0 for 0."""
    found: Float64 = shares * np.log2(np.maximum(shares, np.finfo(np.float64).tiny))
    return found


def shuffles(frame: Frame) -> tuple[Int32, Int32]:
    """Which of the compared rows are shuffled, int32[n], and how: columns int32[order, n, column]."""
    rows = np.arange(len(frame.compared), dtype=np.int32)
    if len(rows) > _SHUFFLED_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _SHUFFLED_ROWS).round().astype(int)]
    return rows, orders_of(frame.visible(frame.left)[frame.compared[rows]], _ORDERS)


def orders_of(visible: Bool, count: int) -> Int32:
    """Random orders of what each row can see, bool[row, column]: int32[order, row, column].

    What a row cannot see stays where it is. The orders are the same for every head and in every build.
    """
    random = np.random.default_rng(_SEED)
    orders = np.tile(np.arange(visible.shape[1], dtype=np.int32), (count, len(visible), 1))
    for order in orders:
        for row, seen in zip(order, visible, strict=True):
            places = np.flatnonzero(seen)
            row[places] = random.permutation(places)
    return orders


def shuffled(rows: Float64, order: Int32) -> Float64:
    """Rows float64[head, row, column] with their columns in the order int32[row, column]."""
    moved: Float64 = np.take_along_axis(rows, order[None], axis=2)
    return moved


def _by_chance(left: Float64, orders: tuple[Int32, Int32]) -> tuple[Float64, Float64]:
    """The mean divergence of rows from themselves in random order, and its standard error: float64[head].

    It varies with the orders that were drawn, and with the rows, where these are some of more.
    """
    own = left[:, orders[0]]
    drawn = np.stack([divergence(own, shuffled(own, order)) for order in orders[1]])  # [order, head, row]
    rows = drawn.mean(axis=0)
    count, draws = rows.shape[1], len(drawn)
    by_order = drawn.var(axis=0, ddof=1).sum(axis=1) / draws / count**2
    by_row = even_error(rows, 1 - count / left.shape[1])
    return rows.mean(axis=1), np.sqrt(by_order + by_row**2)
