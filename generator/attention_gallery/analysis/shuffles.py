"""The weights of each query in random order, among the keys that it can see.

An order that is drawn evenly and then followed by any other is drawn evenly, too. So for a sum over queries one
order is drawn for every query of a group, and then only what the groups give to the keys, in sum, is put in
other orders: all queries of a group in the same one. Each draw by itself is as random as if every query had an
order of its own, for the price of moving a few sums. Draws of the same head have the orders inside the groups
in common, so that they are not wholly independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.records import Bool, Float32, Int64

SEED = 2026
# Draws of what keys receive, and the groups of queries that are moved in them.
DRAWS = 8
GROUPS = 8
# Draws of all weights, for measures that ask for these: fewer on long texts, whose means vary less.
ORDERS = 12
FEWEST_ORDERS = 4
ORDERED_WEIGHTS = 2**16


class Shuffles:
    """Random orders for one layout, the same for every head and every run."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        rows = layout.queries
        # In a causal model the first queries see little, and what they give weighs most: they move alone.
        group = (rows - GROUPS) // GROUPS
        self._group = group if group > 1 else 0
        self._alone = rows - GROUPS * self._group
        self._starts = range(self._alone, rows, self._group) if self._group else range(0)

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
        heads, _, keys = view.weights.shape
        flat = view.weights.reshape(heads, -1)
        parts = [flat[:, : self._alone * keys]]
        sums = [view.weights[:, : self._alone]]
        for start, inside in zip(self._starts, self._inside, strict=True):
            parts.append(flat[:, start * keys : (start + self._group) * keys].take(inside, axis=1))
            sums.append(parts[-1].reshape(heads, self._group, keys).sum(axis=1, keepdims=True))
        # Heads last, so that each draw moves the sums of all heads together.
        flat = np.ascontiguousarray(np.concatenate(sums, axis=1).reshape(heads, -1).T)
        moved = flat.take(self._places, axis=0).reshape(DRAWS, -1, keys, heads).sum(axis=1)
        found: Float32 = np.ascontiguousarray(moved.transpose(2, 0, 1))
        if self.layout.kind != "cross":
            own = (part.take(places, axis=1) for part, places in zip(parts, self._own, strict=True))
            found -= np.concatenate(list(own), axis=2)
        return found

    @cached_property
    def _orders(self) -> list[Int64]:
        """Random orders of the weights of all rows, each int64[query * key]: the place to take one from."""
        seen = self.layout.in_sight
        lots = np.random.default_rng(SEED)
        count = max(FEWEST_ORDERS, min(ORDERS, ORDERED_WEIGHTS // max(1, seen.size)))
        return [_places(_shuffled(seen, lots)) for _ in range(count)]

    @cached_property
    def _inside(self) -> list[Int64]:
        """Random orders of the weights of each group, int64[query * key].

        Where all queries see the same, the groups have theirs in common: these are read for every head, and
        so few stay in the processor's cache.
        """
        lots = np.random.default_rng(SEED)
        parts = [self.layout.in_sight[start : start + self._group] for start in self._starts]
        if parts and self.layout.in_sight.all():
            return [_places(_shuffled(parts[0], lots))] * len(parts)
        return [_places(_shuffled(part, lots)) for part in parts]

    @cached_property
    def _moved(self) -> Int64:
        """Random orders of what all queries of a group see, those that move alone first: int64[draw, group, key]."""
        lots = np.random.default_rng(SEED + 1)
        seen = self.layout.in_sight
        common = [seen[start : start + self._group].all(axis=0, keepdims=True) for start in self._starts]
        groups = np.concatenate([seen[: self._alone], *common])
        return _shuffled(np.broadcast_to(groups, (DRAWS, *groups.shape)), lots)

    @cached_property
    def _places(self) -> Int64:
        """Which sum each group gives to each key in each draw: int64[draw * group * key]."""
        return _places(self._moved)

    @cached_property
    def _own(self) -> list[Int64]:
        """Which weight each query gives to itself in each draw: int64[draw, query], of each group by itself."""
        queries, keys = np.arange(self.layout.queries), self.layout.keys
        alone = queries[: self._alone]
        found = [self._moved[:, alone, alone] + alone * keys]
        for number, start in enumerate(self._starts):
            together = queries[start : start + self._group]
            found.append(self._moved[:, self._alone + number, together] + (together - start) * keys)
        return found


def _places(orders: Int64) -> Int64:
    """Orders of rows as places among the weights of all rows: int64[..., row, key] to int64[... * row * key]."""
    rows, keys = orders.shape[-2:]
    return (orders + np.arange(rows, dtype=np.int64)[:, None] * keys).reshape(-1)


def _shuffled(seen: Bool, lots: np.random.Generator) -> Int64:
    """What is seen in random order, everything else where it is: int64[..., key].

    What is seen, bool[..., key], lies side by side.
    """
    place = np.arange(seen.shape[-1], dtype=np.uint64)
    # Numbers in random order, each with its own place in the lower half of its bits.
    drawn = lots.integers(1, 2**31, size=seen.shape, dtype=np.uint32).astype(np.uint64) << np.uint64(32)
    before = place < seen.argmax(axis=-1)[..., None]
    drawn[~seen] = np.uint64(2**63)
    drawn[before] = 0
    drawn |= place
    drawn.sort(axis=-1)
    drawn &= np.uint64(2**32 - 1)
    return drawn.view(np.int64)
