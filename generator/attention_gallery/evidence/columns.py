"""Whole columns of numbers as text: what `wording` says of one number, for thousands at once.

A site has a dozen numbers for each head on each sentence. Most are shares, and there are only a hundred
ways to write one, so that rounding all of them in numpy and looking the texts up spares most of the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.evidence import wording

# Every text that a share can have: one is looked up much quicker than it is formatted.
_SHARES = (*(f"{number / 100:.2f}" for number in range(101)), "0", "< 0.01", wording.UNDEFINED)
_ZERO, _SMALL, _UNDEFINED = 101, 102, 103


def shares(values: NDArray[np.floating[Any]]) -> list[str]:
    """`wording.share` of each value, in the order in which they lie."""
    numbers = values.astype(np.float64).ravel()
    usual = (numbers >= 0.01) & (numbers <= 1)
    # A float32 times 100 is exact in double precision, so that halves go where formatting takes them.
    codes = np.rint(np.where(usual, numbers, 0) * 100).astype(np.int64)
    codes[numbers == 0] = _ZERO
    codes[(numbers > 0) & (numbers < 0.01)] = _SMALL
    codes[np.isnan(numbers)] = _UNDEFINED
    texts = list(map(_SHARES.__getitem__, codes.tolist()))
    for index in np.flatnonzero((numbers < 0) | (numbers > 1)).tolist():
        texts[index] = wording.share(float(numbers[index]))
    return texts


def measures(values: NDArray[np.floating[Any]], unit: str) -> list[str]:
    """`wording.measure` of each value."""
    return [wording.measure(value, unit) for value in _each(values)] if unit == "tokens" else shares(values)


def spreads(means: NDArray[np.floating[Any]], deviations: NDArray[np.floating[Any]], unit: str) -> list[str]:
    """`wording.spread` of each mean and its deviation."""
    texts, numbers = measures(means, unit), _each(deviations)
    if unit == "tokens":
        pairs = zip(texts, numbers, strict=True)
        return [wording.with_deviation(mean, deviation, unit) for mean, deviation in pairs]
    return [
        f"{mean} ± {text}" if 0.01 <= deviation <= 1 else wording.with_deviation(mean, deviation, unit)
        for mean, deviation, text in zip(texts, numbers, shares(deviations), strict=True)
    ]


def percents(values: NDArray[np.floating[Any]], limits: tuple[float, float]) -> list[int | None]:
    """Where each value stands in its range, 0 to 100, for a bar; None when it is undefined."""
    low, high = limits
    if high <= low:
        return [None] * values.size
    numbers = values.astype(np.float64).ravel()
    undefined = np.isnan(numbers)
    with np.errstate(over="ignore"):  # far outside of a tiny range is outside
        hundredths = 100 * (np.where(undefined, low, numbers) - low) / (high - low)
    positions: list[int | None] = np.rint(np.clip(hundredths, 0, 100)).astype(np.int64).tolist()
    for index in np.flatnonzero(undefined).tolist():
        positions[index] = None
    return positions


def _each(values: NDArray[np.floating[Any]]) -> list[float]:
    numbers: list[float] = values.ravel().tolist()
    return numbers
