"""The weights of each query permuted at random, among the keys that it can see.

A permutation that is drawn evenly and then followed by any other is drawn evenly, too. So for a sum over
queries one permutation is drawn for every query of a group, and then only what the groups give to the keys,
in sum, is permuted further: all queries of a group in the same way. Each key then receives what it would if
every query had a permutation of its own in every draw, for the price of moving a few sums. Draws of one batch
have the permutations inside the groups in common, so that they are not wholly independent of each other;
there are several batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.records import Bool, Float32, Int64

SEED = 2026
# Draws of column mass. The standard deviation of 64 is right to 9 % of itself (1 / √(2 · 63)), which is
# the digit that is shown of it.
DRAWS = 64
# The draws are in batches, each with permutations of its own inside the groups.
BATCHES = 4
# The groups of queries that are moved in a draw.
GROUPS = 8
# So many queries are worth grouping.
GROUPED = 24
# Draws of all weights, for measures that ask for these: fewer on long texts, whose means vary less.
PERMUTATIONS = 12
FEWEST_PERMUTATIONS = 4
PERMUTED_WEIGHTS = 2**16


class Permutations:
    """Random permutations for one layout, the same for every head and every run."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._batches = [_DrawBatch(layout, number) for number in range(BATCHES)]

    def views(self, view: LayerView) -> Iterator[LayerView]:
        """The same heads with the weights of each row in one random permutation after another."""
        flat = view.weights.reshape(view.heads, -1)
        for permutation in self._permutations:
            # Rows keep their sums, which therefore are not taken again.
            weights = flat.take(permutation, axis=1).reshape(view.weights.shape)
            yield LayerView(weights, view.row_sums, self.layout)

    def column_mass(self, view: LayerView) -> Float32:
        """What each key receives in each draw, in sum: float32[head, draw, key].

        As `LayerView.column_mass` has it: where queries and keys are the same tokens, without own looks.
        """
        # Heads last, so that the weights of all heads are moved together.
        flat = np.ascontiguousarray(view.weights.reshape(view.heads, -1).T)
        return np.concatenate([batch.column_mass(flat) for batch in self._batches], axis=1)

    @cached_property
    def _permutations(self) -> list[Int64]:
        """Permutations of the weights of all rows, each int64[query * key]: the index to take one from."""
        seen = self.layout.in_sight
        random = np.random.default_rng(SEED)
        count = max(FEWEST_PERMUTATIONS, min(PERMUTATIONS, PERMUTED_WEIGHTS // max(1, seen.size)))
        return [_flat(_permuted(seen, random), self.layout.keys) for _ in range(count)]


class _DrawBatch:
    """Draws that have the permutations inside the groups of queries in common."""

    def __init__(self, layout: Layout, number: int) -> None:
        self.layout = layout
        self._number = number
        self._draws = DRAWS // BATCHES
        rows = layout.queries
        # In a causal model the first queries see little, and what they give weighs most: they move alone.
        group = (rows - GROUPS * (layout.kind == "decoder")) // GROUPS
        self._group = group if rows >= GROUPED else 0
        self._alone = rows - GROUPS * self._group
        self._starts = range(self._alone, rows, self._group) if self._group else range(0)

    def column_mass(self, flat: Float32) -> Float32:
        """What each key receives in each draw: float32[head, draw, key] of float32[query * key, head]."""
        keys, alone = self.layout.keys, self._alone
        heads = flat.shape[1]
        sums = np.zeros((alone + len(self._inside), keys, heads), np.float32)
        sums[:alone] = flat[: alone * keys].reshape(alone, keys, heads)
        grouped = [flat]
        for number, (start, (inside, width)) in enumerate(zip(self._starts, self._inside, strict=True)):
            drawn = flat[start * keys : (start + self._group) * keys].take(inside, axis=0)
            rows = drawn.reshape(self._group, width, heads)
            np.add.reduce(rows, axis=0, out=sums[alone + number, :width])
            grouped.append(drawn)
        moved = sums.reshape(-1, heads).take(self._indices, axis=0)
        mass: Float32 = moved.reshape(self._draws, -1, keys, heads).sum(axis=1)
        if self.layout.kind != "cross":
            own = [rows.take(indices, axis=0) for rows, indices in zip(grouped, self._own, strict=True)]
            mass -= np.concatenate(own, axis=1)
        return np.ascontiguousarray(mass.transpose(2, 0, 1))

    @cached_property
    def _inside(self) -> list[tuple[Int64, int]]:
        """Permutations of the weights of each group, int64[query * key], and up to which key it sees any.

        Where all queries see the same, the groups have theirs in common: these are read for every head, and
        so few stay in the processor's cache.
        """
        random = np.random.default_rng(SEED + 1 + 2 * self._number)
        groups = [self.layout.in_sight[start : start + self._group] for start in self._starts]
        common = self.layout.in_sight.all()
        permutations = [self._permutation(seen, random) for seen in (groups[:1] if common else groups)]
        return permutations * len(groups) if common else permutations

    def _permutation(self, seen: Bool, random: np.random.Generator) -> tuple[Int64, int]:
        width = int(np.flatnonzero(seen.any(axis=0))[-1]) + 1
        return _flat(_permuted(seen[:, :width], random), self.layout.keys), width

    @cached_property
    def _moved(self) -> Int64:
        """Permutations of what all of a group see, those that move alone first: int64[draw, group, key]."""
        random = np.random.default_rng(SEED + 2 * self._number)
        seen = self.layout.in_sight
        common = [seen[start : start + self._group].all(axis=0, keepdims=True) for start in self._starts]
        groups = np.concatenate([seen[: self._alone], *common])
        return _permuted(np.broadcast_to(groups, (self._draws, *groups.shape)), random)

    @cached_property
    def _indices(self) -> Int64:
        """Which sum each group gives to each key in each draw: int64[draw * group * key]."""
        return _flat(self._moved, self.layout.keys)

    @cached_property
    def _own(self) -> list[Int64]:
        """Which weight of its group each query gives to itself: int64[draw, query] of each group."""
        queries = np.arange(self.layout.queries)
        alone = queries[: self._alone]
        indices = [self._moved[:, alone, alone] + alone * self.layout.keys]
        for number, (start, (_, width)) in enumerate(zip(self._starts, self._inside, strict=True)):
            together = queries[start : start + self._group]
            indices.append(self._moved[:, self._alone + number, together] + (together - start) * width)
        return indices


def _flat(permutations: Int64, keys: int) -> Int64:
    """Permutations of rows of so many keys as indices of the weights of all: int64[any * row * key]."""
    return (permutations + np.arange(permutations.shape[-2], dtype=np.int64)[:, None] * keys).reshape(-1)


def _permuted(seen: Bool, random: np.random.Generator) -> Int64:
    """What is seen in random order, everything else where it is: int64[..., key].

    What is seen, bool[..., key], lies side by side.
    """
    keys = np.arange(seen.shape[-1], dtype=np.uint64)
    # Numbers in random order, each with its own place in the lower half of its bits.
    drawn = random.integers(2**31, size=seen.shape, dtype=np.uint64) << np.uint64(32)
    before = keys < seen.argmax(axis=-1)[..., None]
    # Beyond all that was drawn, or before it: what is hidden sorts to its own place.
    drawn[~seen] = np.uint64(2**63)
    drawn[before] = 0
    drawn |= keys
    drawn.sort(axis=-1)
    drawn &= np.uint64(2**32 - 1)
    return drawn.view(np.int64)
