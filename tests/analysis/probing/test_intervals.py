"""Intervals hold as often as they say, for examples that hang together in any way, or there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from attention_gallery.analysis.probing.intervals import (
    effective_texts,
    even_texts,
    lead_interval,
    share_interval,
)

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


def held_share(low: np.ndarray, high: np.ndarray, true: float) -> float:
    """In which share of the draws the interval holds; every draw has one, or none has."""
    assert not np.isnan(low).any()
    return float(((low <= true + 1e-12) & (true - 1e-12 <= high)).mean())


# Three standard deviations of the number of draws below 0.95.
LEAST_HELD = 0.95 - 3 * math.sqrt(0.95 * 0.05 / DRAWS)
CLUSTERED = [(400, 2), (400, 8), (700, 3)]


@pytest.mark.parametrize(("texts", "size"), [(5, 1), (12, 1), (40, 1), (200, 1), *CLUSTERED])
@pytest.mark.parametrize("correlation", [0, 0.2, 0.5, 1])
def test_intervals_of_shares_hold_at_every_share(texts: int, size: int, correlation: float) -> None:
    examples = np.full(texts, size)
    for share in (0.01, 0.03, 0.3, 0.5, 0.8, 0.97, 0.99):
        low, high = share_interval(right_answers(7, examples, share, correlation), examples)
        assert held_share(low, high, share) >= LEAST_HELD, share


@pytest.mark.parametrize(("texts", "size"), [(200, 1), *CLUSTERED])
@pytest.mark.parametrize("correlation", [0, 0.5, 1])
def test_intervals_of_leads_hold_for_every_two_guesses(texts: int, size: int, correlation: float) -> None:
    examples = np.full(texts, size)
    rivals = ((0.01, 0.01), (0.5, 0.1), (0.6, 0.5), (0.9, 0.5), (0.99, 0.81), (0.99, 0.99), (0.3, 0.3))
    for head, offset in rivals:
        ahead = right_answers(3, examples, head, correlation) - right_answers(
            4, examples, offset, correlation
        )
        assert held_share(*lead_interval(ahead, examples), head - offset) >= LEAST_HELD, (head, offset)


@pytest.mark.parametrize("texts", [5, 20, 60, 200])
@pytest.mark.parametrize("sizes", [(2,), (4,), (8,), (1, 8), tuple(range(1, 9))])
def test_whether_there_is_an_interval_does_not_depend_on_the_answers(
    texts: int, sizes: tuple[int, ...]
) -> None:
    """An interval that only some answers have is not to be trusted: where one in a hundred is right, the luck
    that brings it about has moved the share out of it."""
    examples = np.resize(np.array(sizes), texts)
    for share in (0.0, 0.01, 0.3, 0.5, 1.0):
        right = right_answers(5, examples, share, 1)
        assert np.isnan(share_interval(right, examples)).all()
        assert np.isnan(lead_interval(right, examples)).all()


@pytest.mark.parametrize(("texts", "size"), [(50, 1), *CLUSTERED])
@pytest.mark.parametrize("correlation", [0, 0.5, 1])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_intervals_are_little_wider_than_if_the_correlation_were_known(
    texts: int, size: int, correlation: float, share: float
) -> None:
    if size == 1 and correlation:
        return
    examples = np.full(texts, size)
    right = right_answers(1, examples, share, correlation)
    low, high = share_interval(right, examples)
    known = texts * size / (1 + correlation * (size - 1))
    rate = right.sum(axis=1) / (texts * size)
    least, most = beta.ppf(
        [[0.025], [0.975]], [rate * known, rate * known + 1], [(1 - rate) * known + 1, (1 - rate) * known]
    )
    assert np.median(high - low) < 1.5 * np.nanmedian(most - least)


@given(st.integers(5, 80), st.data())
def test_with_one_example_a_text_the_interval_is_exact(texts: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, texts))
    low, high = share_interval(np.arange(texts) < right, np.ones(texts, np.int64))
    exact = binomtest(right, texts).proportion_ci(0.95, "exact")
    assert (float(low), float(high)) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_all_right_is_no_certainty() -> None:
    low, high = share_interval(np.ones(11, np.int64), np.ones(11, np.int64))
    assert (round(float(low), 3), float(high)) == (0.715, 1)
    # Two examples of a text may say no more than one, and nothing tells whether they do.
    many = np.full(400, 2)
    assert share_interval(many, many)[0] == pytest.approx(share_interval(many // 2, many // 2)[0])


def test_too_few_texts_have_no_interval() -> None:
    assert np.isnan(share_interval(np.array([1, 0, 1, 1]), np.ones(4, np.int64))).all()
    assert np.isnan(lead_interval(np.array([1, 0, 1, 1]), np.ones(4, np.int64))).all()
    # Half of the examples are in one text in eight: these few are what counts.
    uneven = np.resize([1, 1, 1, 1, 1, 1, 1, 8], 500)
    assert np.isnan(share_interval(uneven // 2, uneven)).all()


def test_two_that_never_differ_may_yet_differ_a_little() -> None:
    texts = np.ones(400, np.int64)
    low, high = (float(end) for end in lead_interval(np.zeros(400, np.int64), texts))
    assert low == -high
    assert 0.005 < high < 0.02
    low, high = (float(end) for end in lead_interval(texts, texts))
    assert 0.97 < low < high == 1


@given(
    st.lists(st.integers(1, 8), min_size=1, max_size=40), st.sampled_from([1, 30]), st.integers(0, 2**32 - 1)
)
def test_intervals_hold_their_share_and_depend_neither_on_order_nor_on_the_name_of_right(
    sizes: list[int], copies: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    examples = np.tile(sizes, copies)
    right = random.integers(0, examples + 1)
    low, high = share_interval(right, examples)
    order = random.permutation(len(examples))
    assert np.allclose(share_interval(right[order], examples[order]), (low, high), equal_nan=True, atol=1e-9)
    assert np.isnan(low) or 0 <= low <= right.sum() / examples.sum() + 1e-12 <= high + 1e-9 <= 1 + 1e-9
    mirrored = share_interval(examples - right, examples)
    assert np.allclose(mirrored, (1 - high, 1 - low), equal_nan=True, atol=1e-9)
    ahead = right - random.integers(0, examples + 1)
    behind = lead_interval(-ahead, examples)
    assert np.allclose(lead_interval(ahead, examples), (-behind[1], -behind[0]), equal_nan=True, atol=1e-9)


def test_texts_of_one_size_count_as_many_and_a_long_one_as_little_more_than_itself() -> None:
    assert effective_texts(np.full(7, 3)) == pytest.approx(7)
    assert effective_texts(np.array([200, *[1] * 10])) == pytest.approx(1.1, abs=0.01)
    assert even_texts(np.full(7, 3)) == pytest.approx(7)
    assert even_texts(np.array([200, *[1] * 10])) == pytest.approx(1, abs=0.01)
