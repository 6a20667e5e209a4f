"""A strip on which one measure of one head lies, on every sentence, beside what chance would give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT, TALLEST = 240, 20, 12


@dataclass(frozen=True, slots=True)
class Strip:
    """What a strip shows, in the unit of the measure.

    values: one a sentence, NaN left out. limits: the ends of the strip. middle: first and third quartile,
    None for too few values. even: what evenly spread attention gives. shuffled: mean and standard deviation
    of shuffled rows, None where shuffling changes nothing.
    """

    values: Sequence[float]
    limits: tuple[float, float]
    middle: tuple[float, float] | None
    even: float
    shuffled: tuple[float, float] | None


def strip_svg(strip: Strip) -> str:
    """The strip as SVG, hidden from screen readers: the page says in words what it shows.

    Ticks are sentences; where many share a place they are as tall as they are many. Behind them lie the
    middle half, evenly spread attention, and two standard deviations of shuffled rows.
    """
    parts = []
    if strip.shuffled is not None:
        mean, deviation = strip.shuffled
        ends = (mean - 2 * deviation, mean + 2 * deviation)
        parts.append(_span("strip-shuffled", strip, ends, (0, HEIGHT)))
    if strip.middle is not None:
        parts.append(_span("strip-middle", strip, strip.middle, (HEIGHT - TALLEST - 2, TALLEST + 2)))
    if not math.isnan(strip.even):
        parts.append(f'<path class="strip-even" d="M{_place(strip, strip.even)} 0v{HEIGHT}"/>')
    parts.append(f'<path class="strip-values" d="{_ticks(strip)}"/>')
    return (
        # Wider by two on both sides, or ticks at the ends would be cut in half.
        f'<svg class="strip" viewBox="-2 0 {WIDTH + 4} {HEIGHT}" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def _ticks(strip: Strip) -> str:
    values = np.asarray(strip.values, np.float64)
    low, high = strip.limits
    # A measure whose range is a point lies at its beginning.
    shares = (values[~np.isnan(values)] - low) / (high - low if high > low else np.inf)
    counts = np.bincount(np.rint(WIDTH * np.clip(shares, 0.0, 1.0)).astype(np.int64))
    most = counts.max(initial=1)
    columns = np.flatnonzero(counts)
    # A single sentence among thousands is still to be seen.
    heights = np.maximum(TALLEST // 2, np.rint(TALLEST * counts[columns] / most).astype(np.int64))
    ticks = zip(columns.tolist(), heights.tolist(), strict=True)
    # One path for all ticks: pages have a strip for each measure.
    return "".join([f"M{x} {HEIGHT}v-{height}" for x, height in ticks])


def _span(name: str, strip: Strip, ends: tuple[float, float], upright: tuple[int, int]) -> str:
    low, high = (_place(strip, end) for end in ends)
    top, height = upright
    return f'<rect class="{name}" x="{low}" y="{top}" width="{max(1, high - low)}" height="{height}"/>'


def _place(strip: Strip, value: float) -> int:
    """How far along the strip a value lies, held inside it."""
    low, high = strip.limits
    share = (value - low) / (high - low) if high > low else 0.0
    return round(WIDTH * min(1.0, max(0.0, share)))
