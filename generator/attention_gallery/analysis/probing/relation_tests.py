"""Whether heads know relations better than guessing does: a test over texts, corrected over all that was
asked.

The bar for a head is what the best guess reaches on the same texts, of all that know nothing but places and
of random words. A head that looks without regard to the words, at places of any mixture, cannot be expected
to do better.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probing.intervals import Float64
from attention_gallery.records import Int64

LEVEL = 0.05
# Where the bound is tried. It holds at each of these, so that the least of them holds, too.
_EXPONENTS = np.geomspace(0.01, 20, 48)
_MULTIPLIERS = np.geomspace(0.001, 1000, 121)


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """One kind of relation over texts: what the heads get right, and what guessing does.

    examples: int64[text]. hits: int64[text, direction, layer, head]. guesses: int64[text, guess], how often
    each guess is right. chance: float64[text, direction], how often a random other word is right, on average.
    asked: bool[direction], whether one side can see the other at all.
    """

    examples: Int64
    hits: NDArray[np.int64]
    guesses: Int64
    chance: Float64
    asked: tuple[bool, bool]

    def bar(self, direction: int) -> float:
        """How many examples the best guess is right about, or random words on average if these are more."""
        return float(max(self.guesses.sum(axis=0).max(initial=0), self.chance[:, direction].sum()))


def adjusted_values(kinds: Iterable[Rivals]) -> list[Float64]:
    """The p-values of all heads at all kinds, corrected over heads, kinds and directions by Holm 1979.

    float64[direction, layer, head] for each kind, 1 in a direction that was not asked. If no head looks with
    regard to the words, any of them is below 0.05 with a chance of 0.05 at most.
    """
    found, asked = [], []
    for kind in kinds:
        found.append(_values(kind))
        asked.append(np.broadcast_to(np.array(kind.asked)[:, None, None], found[-1].shape))
    if not found:
        return []
    every = np.concatenate([values[mask] for values, mask in zip(found, asked, strict=True)])
    adjusted, start = _holm(every), 0
    for values, mask in zip(found, asked, strict=True):
        count = int(mask.sum())
        values[mask] = adjusted[start : start + count]
        start += count
    return found


def _holm(values: Float64) -> Float64:
    """Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure: adjusted p-values."""
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _values(kind: Rivals) -> Float64:
    """The p-value of each head before correction: float64[direction, layer, head]; 1 where it is below the
    bar."""
    values = np.ones(kind.hits.shape[1:])
    for way in np.flatnonzero(kind.asked).tolist():
        bar, right = kind.bar(way), kind.hits[:, way].sum(axis=0)
        values[way] = np.where(right > bar, _bounds(right, kind.examples, bar), 1)
    return values


def _bounds(right: NDArray[np.int64], examples: Int64, expected: float) -> Float64:
    """Bounds of the chance of so many right answers, where so many are expected at most: float64, as `right`.

    Hoeffding 1963, Probability Inequalities for Sums of Bounded Random Variables, theorem 1, for texts of
    several sizes: they are independent, and nothing is taken for granted of the examples of one text, which
    is worst where it is all right or all wrong. Nor of how what is expected is shared out among the texts:
    the dual of that problem (`_MULTIPLIERS`) bounds it from above.
    """
    sizes, counts = np.unique(examples, return_counts=True)
    largest = sizes[-1]
    exponents, multipliers = _EXPONENTS[:, None, None], _MULTIPLIERS[:, None]
    growth = np.expm1(exponents * (sizes / largest))
    cost = multipliers * (sizes / largest)
    share = np.clip(1 / cost - 1 / growth, 0, 1)
    inside = (counts * (np.log1p(share * growth) - cost * share)).sum(axis=2)
    worst = (inside + _MULTIPLIERS * (expected / largest)).min(axis=1)
    logs = worst - _EXPONENTS * (right[..., None] / largest)
    bounds: Float64 = np.exp(np.minimum(logs.min(axis=-1), 0))
    return bounds
