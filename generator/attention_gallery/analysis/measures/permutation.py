"""The weights of each query in random order, among the keys that it can see.

An order that is drawn evenly and then followed by any other is drawn evenly, too. So for a sum over queries
one order is drawn for every query of a group, and then only what the groups give to the keys, in sum, is put
in other orders: all queries of a group in the same one. Each key then receives what it would if every query
had an order of its own in every draw, for the price of moving a few sums. Draws of one lot have the orders
inside the groups in common, so that they are not wholly independent of each other; there are several lots.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.records import Bool, Float32, Int64

SEED = 2026
# Draws of what keys receive. The standard deviation of 64 is right to 9 % of itself (1 / √(2 · 63)), which is
# the digit that is shown of it.
DRAWS = 64
# The draws are in lots, each with orders of its own inside the groups.
LOTS = 4
# The groups of queries that are moved in a draw.
GROUPS = 8
# So many queries are worth grouping.
GROUPED = 24
# Draws of all weights, for measures that ask for these: fewer on long texts, whose means vary less.
ORDERS = 12
FEWEST_ORDERS = 4
ORDERED_WEIGHTS = 2**16


class Shuffles:
    """Random orders for one layout, the same for every head and every run."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._lots = [_Lot(layout, number) for number in range(LOTS)]

    def views(self, view: LayerView) -> Iterator[LayerView]:
        """The same heads with the weights of each row in one random order after another."""
        flat = view.weights.reshape(view.heads, -1)
        for order in self._orders:
            weights = flat.take(order, axis=1).reshape(view.weights.shape)
            yield LayerView(weights, view.row_sums, self.layout)

    def received(self, view: LayerView) -> Float32:
        """What each key receives in each draw, in sum: float32[head, draw, key].

        As `LayerView.received` has it: where queries and keys are the same tokens, without own looks.
        """
        # Heads last, so that the weights of all heads are moved together.
        flat = np.ascontiguousarray(view.weights.reshape(view.heads, -1).T)
        return np.concatenate([lot.received(flat) for lot in self._lots], axis=1)

    @cached_property
    def _orders(self) -> list[Int64]:
        """Random orders of the weights of all rows, each int64[query * key]: the place to take one from."""
        seen = self.layout.in_sight
        lots = np.random.default_rng(SEED)
        count = max(FEWEST_ORDERS, min(ORDERS, ORDERED_WEIGHTS // max(1, seen.size)))
        return [_places(_shuffled(seen, lots), self.layout.keys) for _ in range(count)]


class _Lot:
    """Draws that have the orders inside the groups of queries in common."""

    def __init__(self, layout: Layout, number: int) -> None:
        self.layout = layout
        self._number = number
        self._draws = DRAWS // LOTS
        rows = layout.queries
        # In a causal model the first queries see little, and what they give weighs most: they move alone.
        group = (rows - GROUPS * (layout.kind == "decoder")) // GROUPS
        self._group = group if rows >= GROUPED else 0
        self._alone = rows - GROUPS * self._group
        self._starts = range(self._alone, rows, self._group) if self._group else range(0)

    def received(self, flat: Float32) -> Float32:
        """What each key receives in each draw: float32[head, draw, key] of float32[query * key, head]."""
        keys, alone = self.layout.keys, self._alone
        heads = flat.shape[1]
        sums = np.zeros((alone + len(self._inside), keys, heads), np.float32)
        sums[:alone] = flat[: alone * keys].reshape(alone, keys, heads)
        parts = [flat]
        for number, (start, (inside, width)) in enumerate(zip(self._starts, self._inside, strict=True)):
            drawn = flat[start * keys : (start + self._group) * keys].take(inside, axis=0)
            rows = drawn.reshape(self._group, width, heads)
            np.add.reduce(rows, axis=0, out=sums[alone + number, :width])
            parts.append(drawn)
        moved = sums.reshape(-1, heads).take(self._places, axis=0)
        found: Float32 = moved.reshape(self._draws, -1, keys, heads).sum(axis=1)
        if self.layout.kind != "cross":
            own = [part.take(places, axis=0) for part, places in zip(parts, self._own, strict=True)]
            found -= np.concatenate(own, axis=1)
        return np.ascontiguousarray(found.transpose(2, 0, 1))

    @cached_property
    def _inside(self) -> list[tuple[Int64, int]]:
        """Random orders of the weights of each group, int64[query * key], and up to which key it sees any.

        Where all queries see the same, the groups have theirs in common: these are read for every head, and
        so few stay in the processor's cache.
        """
        lots = np.random.default_rng(SEED + 1 + 2 * self._number)
        parts = [self.layout.in_sight[start : start + self._group] for start in self._starts]
        common = self.layout.in_sight.all()
        found = [self._ordered(part, lots) for part in (parts[:1] if common else parts)]
        return found * len(parts) if common else found

    def _ordered(self, seen: Bool, lots: np.random.Generator) -> tuple[Int64, int]:
        width = int(np.flatnonzero(seen.any(axis=0))[-1]) + 1
        return _places(_shuffled(seen[:, :width], lots), self.layout.keys), width

    @cached_property
    def _moved(self) -> Int64:
        """Random orders of what all of a group see, those that move alone first: int64[draw, group, key]."""
        lots = np.random.default_rng(SEED + 2 * self._number)
        seen = self.layout.in_sight
        common = [seen[start : start + self._group].all(axis=0, keepdims=True) for start in self._starts]
        groups = np.concatenate([seen[: self._alone], *common])
        return _shuffled(np.broadcast_to(groups, (self._draws, *groups.shape)), lots)

    @cached_property
    def _places(self) -> Int64:
        """Which sum each group gives to each key in each draw: int64[draw * group * key]."""
        return _places(self._moved, self.layout.keys)

    @cached_property
    def _own(self) -> list[Int64]:
        """Which weight of its group each query gives to itself: int64[draw, query] of each group."""
        queries = np.arange(self.layout.queries)
        alone = queries[: self._alone]
        found = [self._moved[:, alone, alone] + alone * self.layout.keys]
        for number, (start, (_, width)) in enumerate(zip(self._starts, self._inside, strict=True)):
            together = queries[start : start + self._group]
            found.append(self._moved[:, self._alone + number, together] + (together - start) * width)
        return found


def _places(orders: Int64, keys: int) -> Int64:
    """Orders of rows, of so many keys each, as places among the weights of all: int64[any * row * key]."""
    return (orders + np.arange(orders.shape[-2], dtype=np.int64)[:, None] * keys).reshape(-1)


def _shuffled(seen: Bool, lots: np.random.Generator) -> Int64:
    """What is seen in random order, everything else where it is: int64[..., key].

    What is seen, bool[..., key], lies side by side.
    """
    place = np.arange(seen.shape[-1], dtype=np.uint64)
    # Numbers in random order, each with its own place in the lower half of its bits.
    drawn = lots.integers(2**31, size=seen.shape, dtype=np.uint64) << np.uint64(32)
    before = place < seen.argmax(axis=-1)[..., None]
    drawn[~seen] = np.uint64(2**63)
    drawn[before] = 0
    drawn |= place
    drawn.sort(axis=-1)
    drawn &= np.uint64(2**32 - 1)
    return drawn.view(np.int64)
