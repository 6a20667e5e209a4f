"""The weights of each query permuted at random, among the keys that it can see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.records import Bool, Int32, Int64

SEED = 2026
# Each seed gives so many permutations, so that more of them change none of those before.
DRAWS_OF_A_SEED = 16


@dataclass(frozen=True, slots=True)
class Draws:
    """On how many permutations a measure is taken: fewer in long texts, whose sums vary less.

    weights: how many weights of a head are moved in all, as long as that is not fewer than `fewest` draws.
    """

    most: int
    fewest: int
    weights: int

    def count(self, size: int) -> int:
        """How many for a head of `size` weights."""
        return max(self.fewest, min(self.most, self.weights // max(1, size)))


# The standard deviation of 64 is right to 9 % of itself (1 / √(2 · 63)): the digit that is shown of it.
MANY = Draws(64, 8, 2**22)
# For measures whose cost is not known.
FEW = Draws(12, 4, 2**16)


class Permutations:
    """Random permutations for one layout, up to `count`, the same for every head and every run."""

    def __init__(self, layout: Layout, count: int) -> None:
        self.layout = layout
        self._count = count

    def views(self, view: LayerView, count: int) -> Iterator[LayerView]:
        """The same heads, the weights of each row in the first `count` permutations, one after another."""
        flat = view.weights.reshape(view.heads, -1)
        for permutation in islice(self._permutations, count):
            # Rows keep their sums, which therefore are not taken again.
            weights = flat.take(permutation, axis=1).reshape(view.weights.shape)
            yield LayerView(weights, view.row_sums, self.layout)

    @cached_property
    def _permutations(self) -> list[Int32]:
        """Where in the weights of all rows each comes from, int32[query * key] for each permutation."""
        seen = self.layout.in_sight
        rows = np.arange(self.layout.queries, dtype=np.int64)[:, None] * self.layout.keys
        permutations: list[Int32] = []
        for number in range(self._count):
            if number % DRAWS_OF_A_SEED == 0:
                random = np.random.default_rng(SEED + 2 * (number // DRAWS_OF_A_SEED))
            permutations.append((_permuted(seen, random) + rows).reshape(-1).astype(np.int32))
        return permutations


def _permuted(seen: Bool, random: np.random.Generator) -> Int64:
    """What is seen in random order, everything else where it is: int64[..., key].

    What is seen, bool[..., key], lies side by side.
    """
    keys = np.arange(seen.shape[-1], dtype=np.uint64)
    # Numbers in random order, each with its own key in the lower half of its bits.
    drawn = random.integers(2**31, size=seen.shape, dtype=np.uint64) << np.uint64(32)
    before = keys < seen.argmax(axis=-1)[..., None]
    # Beyond all that was drawn, or before it: what is hidden sorts to its own place.
    drawn[~seen] = np.uint64(2**63)
    drawn[before] = 0
    drawn |= keys
    drawn.sort(axis=-1)
    drawn &= np.uint64(2**32 - 1)
    return drawn.view(np.int64)
