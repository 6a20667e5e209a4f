"""Whole columns of numbers read as each number by itself does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attention_gallery.evidence import columns, wording
from attention_gallery.records import Float32

# Halves of a hundredth, both ends, and what lies beyond them.
EDGES = (0.0, 0.005, 0.01, 0.015, 0.125, 0.145, 0.375, 0.995, 1.0, 1.005, -0.25, 3.5, 0.00004, float("nan"))
NUMBERS = arrays(
    np.float32, st.integers(0, 20), elements=st.sampled_from(EDGES) | st.floats(-0.5, 2, width=32)
)


@given(NUMBERS, st.sampled_from(["share", "tokens", ""]))
def test_a_column_of_measures(values: Float32, unit: str) -> None:
    assert columns.measures(values, unit) == [wording.measure(one, unit) for one in values.tolist()]


@given(NUMBERS, st.sampled_from([(0.0, 1.0), (0.0, 24.0), (-1.0, 1.0), (1.0, 1.0)]))
def test_a_column_of_places(values: Float32, limits: tuple[float, float]) -> None:
    assert columns.percents(values, limits) == [place_of(one, limits) for one in values.tolist()]


def place_of(value: float, limits: tuple[float, float]) -> int | None:
    """Where one value stands in its range, as a percentage."""
    low, high = limits
    if math.isnan(value) or high <= low:
        return None
    return round(min(100.0, max(0.0, 100 * (value - low) / (high - low))))


@given(st.floats(-10, 10), st.floats(-5, 5), st.floats(0, 5))
def test_a_place_in_a_range_is_a_percentage(value: float, low: float, wide: float) -> None:
    (place,) = columns.percents(np.array([value]), (low, low + wide))
    assert place is None or 0 <= place <= 100
    assert columns.percents(np.array([math.nan, 0.25]), (0, 1)) == [None, 25]


@given(NUMBERS, st.sampled_from(["share", "tokens"]))
def test_a_column_of_spreads(means: Float32, unit: str) -> None:
    deviations = np.abs(np.roll(means, 1))
    found = columns.spreads(means, deviations, unit)
    both = zip(means.tolist(), deviations.tolist(), strict=True)
    assert found == [wording.spread(mean, deviation, unit) for mean, deviation in both]


@pytest.mark.parametrize("hundredth", range(100))
def test_halves_are_rounded_as_python_formats_them(hundredth: int) -> None:
    half = np.float32(hundredth / 100 + 0.005)
    assert columns.shares(np.array([half])) == [wording.share(float(half))]
