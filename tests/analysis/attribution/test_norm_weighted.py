"""Attention weighted by vector lengths, on sinks whose vectors are known to be short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import HandMade, hand_made
from hypothesis import given
from hypothesis import strategies as st
from test_rollout import SETTINGS, softmax_rows

from attention_gallery.analysis.attribution.norm_weighted import norm_weighted, shares_of
from attention_gallery.analysis.attribution.views import FLOW_VIEWS, flow_views
from attention_gallery.records import SideOutputs


def with_norms(attention: HandMade, norms: np.ndarray) -> HandMade:
    return replace(attention, side_outputs=SideOutputs(norms=norms.astype(np.float32)))


def test_a_sink_with_a_short_vector_weighs_little() -> None:
    # Each token gives 0.8 to [CLS] and 0.1 to each of the two words; the vector of [CLS] is a tenth as long.
    weights = np.tile([0.8, 0.1, 0.1], (1, 1, 3, 1))
    views = flow_views(with_norms(hand_made(weights, special=[0]), np.array([[[0.1, 1.0, 2.0]]])), SETTINGS)
    total = 0.08 + 0.1 + 0.2
    assert views.raw_sinks[0, 0] == pytest.approx(0.8)
    assert views.norm_sinks[0, 0] == pytest.approx(0.08 / total)
    top = views.top("norm")
    assert top is not None
    np.testing.assert_array_equal(top[0][0], [[2, 1, 0]] * 3)
    np.testing.assert_allclose(top[1][0], [[0.2 / total, 0.1 / total, 0.08 / total]] * 3, rtol=1e-6)
    loaded = FLOW_VIEWS.load(FLOW_VIEWS.dump(views), None)
    np.testing.assert_array_equal(loaded.norm_sinks, views.norm_sinks)


def test_heads_are_averaged_before_rows_are_divided() -> None:
    # The second head takes vectors ten times as long, so that the average is nearly its own.
    weights = np.array([[[[1, 0], [1, 0]], [[0, 1], [0, 1]]]], float)
    norms = np.array([[[1.0, 1.0], [10.0, 10.0]]])
    top = flow_views(with_norms(hand_made(weights), norms), SETTINGS).top("norm")
    assert top is not None
    np.testing.assert_allclose(top[1][0, :, :2], [[10 / 11, 1 / 11]] * 2, rtol=1e-6)
    np.testing.assert_array_equal(top[0][0, :, :2], [[1, 0]] * 2)


def test_queries_that_see_nothing_but_the_sink_do_not_count() -> None:
    weights = np.array([[[[1, 0], [0.25, 0.75]]]])
    views = flow_views(with_norms(hand_made(weights, causal=True), np.ones((1, 1, 2))), SETTINGS)
    assert views.raw_sinks[0, 0] == pytest.approx(0.25)
    assert views.norm_sinks[0, 0] == pytest.approx(0.25)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 6), st.floats(0.01, 100))
def test_vectors_of_one_length_change_nothing(seed: int, heads: int, count: int, length: float) -> None:
    weights = softmax_rows(seed, 1, heads, count, False).astype(np.float32)[0]
    shares = shares_of(norm_weighted(weights, np.full((heads, count), length, np.float32)))
    np.testing.assert_allclose(shares, weights, rtol=1e-5, atol=1e-7)


def test_vectors_of_no_length_give_no_shares() -> None:
    weights = np.full((1, 2, 2), 0.5, np.float32)
    np.testing.assert_array_equal(shares_of(norm_weighted(weights, np.zeros((1, 2), np.float32))), 0)


def test_without_lengths_there_is_no_such_view() -> None:
    views = flow_views(hand_made(softmax_rows(1, 2, 2, 4, False), special=[0]), SETTINGS)
    assert views.top("norm") is None
    assert views.raw_sinks.size == views.norm_sinks.size == 0
    assert views.top("rollout") is not None


def test_without_sinks_their_mass_is_not_defined() -> None:
    attention = with_norms(hand_made(softmax_rows(1, 2, 2, 4, False)), np.ones((2, 2, 4)))
    assert np.isnan(flow_views(attention, SETTINGS).raw_sinks).all()
