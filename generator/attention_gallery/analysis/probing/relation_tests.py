"""Whether heads know relations better than guessing does: a test over texts, corrected over all that was
asked.

The bar for a head is what the best guess reaches on the same texts, of all that know nothing but positions
and of random words. A head that looks without regard to the words, at positions of any mixture, cannot be
expected to do better.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probing.intervals import Float64
from attention_gallery.analysis.probing.tallies import TextTallies
from attention_gallery.records import Bool, Int64

LEVEL = 0.05
# Where the bound is tried. It holds at each of these, so that the least of them holds, too.
_EXPONENTS = np.geomspace(0.01, 20, 48)
_MULTIPLIERS = np.geomspace(0.001, 1000, 121)


def adjusted_values(kinds: Iterable[TextTallies]) -> list[Float64]:
    """The p-values of all heads at all kinds, corrected over heads, kinds and directions by Holm 1979.

    float64[direction, layer, head] for each kind, 1 in a direction in which nobody sees the other side. If no
    head looks with regard to the words, any of them is below 0.05 with a chance of 0.05 at most.
    """
    p_values, asked = [], []
    for kind in kinds:
        p_values.append(_values(kind))
        asked.append(np.broadcast_to(_asked(kind)[:, None, None], p_values[-1].shape))
    if not p_values:
        return []
    every = np.concatenate([values[mask] for values, mask in zip(p_values, asked, strict=True)])
    adjusted, start = _holm(every), 0
    for values, mask in zip(p_values, asked, strict=True):
        count = int(mask.sum())
        values[mask] = adjusted[start : start + count]
        start += count
    return p_values


def _asked(kind: TextTallies) -> Bool:
    """In which directions one side can see the other at all: bool[direction]."""
    return np.array(kind.seen) > 0


def _holm(values: Float64) -> Float64:
    """Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure: adjusted p-values."""
    # Holm’s correction asks nothing of how tests hang together, and heads of one model do.
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _values(kind: TextTallies) -> Float64:
    """The p-value of each head before correction: float64[direction, layer, head]; 1 where it is below the
    bar."""
    values = np.ones(kind.hits.shape[1:])
    for direction in np.flatnonzero(_asked(kind)).tolist():
        bar, right = kind.bar(direction), kind.hits[:, direction].sum(axis=0)
        values[direction] = np.where(right > bar, _bounds(right, kind.examples, bar), 1)
    return values


def _bounds(right: NDArray[np.int64], examples: Int64, expected: float) -> Float64:
    """Bounds of the chance of so many right answers, where so many are expected at most: float64, as `right`.

    Hoeffding 1963, Probability Inequalities for Sums of Bounded Random Variables, theorem 1, for texts of
    several sizes: they are independent, and nothing is taken for granted of the examples of one text, which
    is worst where it is all right or all wrong. Nor of how what is expected is shared out among the texts:
    the dual of that problem (`_MULTIPLIERS`) bounds it from above.
    """
    sizes, counts = np.unique(examples, return_counts=True)
    # In parts of the largest text, so that one grid of exponents suits long and short ones.
    largest = sizes[-1]
    exponents, multipliers = _EXPONENTS[:, None, None], _MULTIPLIERS[:, None]
    # For small exponents the 1 of an exponential would swallow what counts.
    growth = np.expm1(exponents * (sizes / largest))
    cost = multipliers * (sizes / largest)
    share = np.clip(1 / cost - 1 / growth, 0, 1)
    inside = (counts * (np.log1p(share * growth) - cost * share)).sum(axis=2)
    worst = (inside + _MULTIPLIERS * (expected / largest)).min(axis=1)
    # In logarithms, as products over many texts leave the range of floats.
    logs = worst - _EXPONENTS * (right[..., None] / largest)
    bounds: Float64 = np.exp(np.minimum(logs.min(axis=-1), 0))
    return bounds
