"""Rollout against chains that can be followed by hand, and what holds of it for any attention."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import hand_crossed, hand_made
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import rollout
from attention_gallery.analysis.attribution.views import FLOW_VIEWS, flow_views
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()


def softmax_rows(seed: int, layers: int, heads: int, count: int, causal: bool) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(0, 3, (layers, heads, count, count))
    if causal:
        scores = np.where(np.tril(np.ones((count, count), bool)), scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def test_a_chain_of_previous_tokens_is_binomial() -> None:
    # Half stays, half moves one to the right: after n layers the shares are those of n coin tosses.
    count = 6
    previous = np.eye(count, k=-1)
    previous[0, 0] = 1
    layers = list(rollout(hand_made(np.stack([previous[None]] * 3), causal=True)))
    np.testing.assert_allclose(layers[0][5], [0, 0, 0, 0, 0.5, 0.5])
    np.testing.assert_allclose(layers[1][5], [0, 0, 0, 0.25, 0.5, 0.25])
    np.testing.assert_allclose(layers[2][5], [0, 0, 0.125, 0.375, 0.375, 0.125])


def test_heads_are_averaged_and_the_later_layer_comes_first_in_the_product() -> None:
    first = np.array([[[1, 0], [1, 0]], [[1, 0], [0, 1]]], float)  # the mean of row 1 is even
    second = np.array([[[0, 1], [1, 0]], [[0, 1], [1, 0]]], float)  # swaps
    layers = list(rollout(hand_made(np.stack([first, second]))))
    np.testing.assert_allclose(layers[0], [[1, 0], [0.25, 0.75]])
    np.testing.assert_allclose(layers[1], [[0.625, 0.375], [0.625, 0.375]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.integers(1, 7), st.booleans())
def test_shares_sum_to_one_and_never_come_from_later_tokens(
    seed: int, layers: int, heads: int, count: int, causal: bool
) -> None:
    weights = softmax_rows(seed, layers, heads, count, causal)
    for depth, reached in enumerate(rollout(hand_made(weights, causal=causal)), 1):
        np.testing.assert_allclose(reached.sum(axis=1), 1, rtol=0, atol=1e-6)
        assert (reached >= 0).all()
        assert (np.diag(reached) >= 0.5**depth - 1e-9).all()
        if causal:
            assert not np.triu(reached, 1).any()


def test_the_strongest_sources_are_kept_as_they_were() -> None:
    attention = hand_made(softmax_rows(3, 3, 2, 6, False))
    views = flow_views(attention, SETTINGS)
    top = views.top("rollout")
    assert top is not None
    keys, shares = top
    assert keys.shape == shares.shape == (3, 6, SETTINGS.top_keys)
    for layer, reached in enumerate(rollout(attention)):
        order = np.argsort(-reached, axis=1)[:, : SETTINGS.top_keys]
        np.testing.assert_array_equal(keys[layer], order)
        np.testing.assert_allclose(shares[layer], np.take_along_axis(reached, order, 1), rtol=1e-6)
    loaded = FLOW_VIEWS.load(FLOW_VIEWS.dump(views), None)
    assert FLOW_VIEWS.dump(loaded) == FLOW_VIEWS.dump(views)
    np.testing.assert_array_equal(loaded.top_keys["rollout"][0], keys)
    with pytest.raises(DamagedEntry):
        FLOW_VIEWS.load(FLOW_VIEWS.dump(views)[:-1], None)


def test_cross_attention_has_no_rollout() -> None:
    attention = hand_crossed(np.full((1, 1, 2, 4), 0.25))
    with pytest.raises(ValueError, match="cross attention"):
        next(rollout(attention))
    assert flow_views(attention, SETTINGS).top("rollout") is None
