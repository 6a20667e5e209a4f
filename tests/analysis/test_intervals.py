"""Intervals hold as often as they say, for examples that hang together in any way, or there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from attention_gallery.analysis.intervals import effective_texts, lead_interval, share_interval

DRAWS = 400


def right_answers(seed: int, examples: np.ndarray, share: float, correlation: float) -> np.ndarray:
    """Right answers int64[draw, text] of texts with rates of their own, or of one mind."""
    random = np.random.default_rng(seed)
    shape = DRAWS, len(examples)
    if correlation == 1:
        return np.where(random.random(shape) < share, examples, 0)
    if correlation == 0:
        return random.binomial(examples, share, shape)
    spread = 1 / correlation - 1
    return random.binomial(examples, random.beta(share * spread, (1 - share) * spread, shape))


@pytest.mark.parametrize("texts", [5, 12, 40, 200])
@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("correlation", [0, 0.2, 0.5, 1])
def test_intervals_of_shares_hold_wherever_they_are_given(texts: int, size: int, correlation: float) -> None:
    examples = np.full(texts, size)
    for share in (0.03, 0.3, 0.5, 0.8, 0.97):
        low, high = share_interval(right_answers(7, examples, share, correlation), examples)
        absent = np.isnan(low)
        wrong = ~absent & ((low > share) | (high < share))
        # Three standard deviations of the number of draws above one in twenty.
        assert wrong.mean() < 0.083, share
        if absent.mean() < 0.5:
            assert wrong.sum() / (~absent).sum() < 0.09, share


@pytest.mark.parametrize("texts", [20, 60, 200])
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("correlation", [0, 0.5, 1])
def test_intervals_of_leads_hold_wherever_they_are_given(texts: int, size: int, correlation: float) -> None:
    examples = np.full(texts, size)
    for head, offset in ((0.5, 0.1), (0.6, 0.5), (0.9, 0.5), (0.99, 0.81), (0.3, 0.3)):
        ahead = right_answers(3, examples, head, correlation) - right_answers(
            4, examples, offset, correlation
        )
        low, high = lead_interval(ahead, examples)
        absent = np.isnan(low)
        wrong = ~absent & ((low > head - offset) | (high < head - offset))
        assert wrong.mean() < 0.083, (head, offset)


@pytest.mark.parametrize(("texts", "size"), [(50, 1), (200, 2), (200, 8)])
@pytest.mark.parametrize("correlation", [0, 0.5, 1])
def test_intervals_are_little_wider_than_if_the_correlation_were_known(
    texts: int, size: int, correlation: float
) -> None:
    if size == 1 and correlation:
        return
    examples = np.full(texts, size)
    low, high = share_interval(right_answers(1, examples, 0.3, correlation), examples)
    known = texts * size / (1 + correlation * (size - 1))
    assert np.nanmedian(high - low) < 1.3 * 2 * 1.96 * math.sqrt(0.3 * 0.7 / known)


@given(st.integers(5, 80), st.data())
def test_with_one_example_a_text_the_interval_is_exact(texts: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, texts))
    low, high = share_interval(np.arange(texts) < right, np.ones(texts, np.int64))
    exact = binomtest(right, texts).proportion_ci(0.95, "exact")
    assert (float(low), float(high)) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_all_right_is_no_certainty() -> None:
    low, high = share_interval(np.ones(11, np.int64), np.ones(11, np.int64))
    assert (round(float(low), 3), float(high)) == (0.715, 1)
    # Two examples of a text tell no more than one if they hang together, and nothing tells whether they do.
    assert np.isnan(share_interval(np.full(11, 2), np.full(11, 2))).all()


def test_too_few_texts_have_no_interval() -> None:
    assert np.isnan(share_interval(np.array([1, 0, 1, 1]), np.ones(4, np.int64))).all()
    assert np.isnan(lead_interval(np.array([1, 0, 1, 1]), np.ones(4, np.int64))).all()


def test_two_that_never_differ_have_no_interval_of_their_lead() -> None:
    assert np.isnan(lead_interval(np.zeros(60, np.int64), np.ones(60, np.int64))).all()
    assert np.isnan(lead_interval(np.ones(60, np.int64), np.ones(60, np.int64))).all()


@given(st.lists(st.integers(1, 8), min_size=6, max_size=40), st.data())
def test_intervals_hold_their_share_and_do_not_depend_on_the_order(
    sizes: list[int], data: st.DataObject
) -> None:
    examples = np.array(sizes)
    right = np.array([data.draw(st.integers(0, size)) for size in sizes])
    low, high = share_interval(right, examples)
    order = np.array(data.draw(st.permutations(range(len(sizes)))))
    assert np.allclose(share_interval(right[order], examples[order]), (low, high), equal_nan=True, atol=1e-12)
    assert np.isnan(low) or 0 <= low <= right.sum() / examples.sum() <= high <= 1
    mirrored = share_interval(examples - right, examples)
    assert np.allclose(mirrored, (1 - high, 1 - low), equal_nan=True, atol=1e-9)


def test_texts_of_one_size_count_as_many_and_a_long_one_as_little_more_than_itself() -> None:
    assert effective_texts(np.full(7, 3)) == pytest.approx(7)
    assert effective_texts(np.array([200, *[1] * 10])) == pytest.approx(1.1, abs=0.01)
