"""Layers with a window are measured by what their queries can see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import layout_for, marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import Across, LayerView, Layout, analyse
from attention_gallery.analysis.measures.analysis_codec import load, save
from attention_gallery.analysis.measures.evaluator import MetricEvaluator
from attention_gallery.analysis.measures.metrics import metrics_for
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()


def windowed(stored, weights, windows, **options):
    attention = stored(weights, **options)
    return replace(attention, facts=replace(attention.facts, windows=windows))


def evenly(count, window, causal):
    positions = np.arange(count)
    seen = np.abs(positions[:, None] - positions) < window
    seen = np.tril(seen) if causal else seen
    return seen / seen.sum(axis=1, keepdims=True)


@given(st.integers(1, 12), st.integers(1, 14), st.booleans())
def test_a_layout_knows_what_a_window_shows(count, window, causal):
    where = Layout.from_tokens(marked("t", count), causal=causal, window=3, reach=window - 1)
    expected = evenly(count, window, causal)
    np.testing.assert_allclose(where.uniform(), expected, atol=1e-6)
    np.testing.assert_array_equal(where.visible, (expected > 0).sum(axis=1))
    np.testing.assert_array_equal(where.seen(), expected > 0)


@pytest.mark.parametrize("causal", [False, True])
def test_even_attention_within_a_window_is_as_broad_as_can_be(stored, causal):
    count, window = 12, 4
    narrow, wide = evenly(count, window, causal), evenly(count, count, causal)
    measured = analyse(windowed(stored, [[narrow], [wide]], (window, None), causal=causal), SETTINGS)
    np.testing.assert_allclose(measured.values["entropy"][:, 0], 1, atol=1e-5)
    for name, values in measured.values.items():
        np.testing.assert_allclose(values[:, 0], measured.uniform[name], atol=1e-5, err_msg=name)
    assert measured.uniform["local"][0] == pytest.approx(1)
    assert measured.uniform["local"][1] < 1
    assert [measured.type_name(layer, 0) for layer in (0, 1)] == ["broad", "broad"]


def test_a_window_as_wide_as_the_text_changes_nothing(stored):
    weights = np.random.default_rng(3).dirichlet(np.ones(7), size=(2, 2, 7))
    plain = analyse(stored(weights), SETTINGS)
    measured = analyse(windowed(stored, weights, (7, None)), SETTINGS)
    for name, values in plain.values.items():
        np.testing.assert_array_equal(values, measured.values[name])
        np.testing.assert_array_equal(plain.uniform[name], measured.uniform[name])
    np.testing.assert_array_equal(plain.types, measured.types)


def test_what_lies_beyond_a_window_is_not_asked_for(stored):
    texts = ["a", "b", "c", "d", "e", "f", "b", "c"]
    attention = windowed(
        stored, [[evenly(8, 3, True)], [evenly(8, 8, True)]], (3, None), causal=True, texts=texts
    )
    measured = analyse(attention, SETTINGS)
    assert measured.queries["induction"].tolist() == [0, 2]
    assert np.isnan(measured.values["duplicate"][0, 0])
    assert measured.queries["first"].tolist() == [2, 7]  # those that still see it


def test_layers_keep_their_baselines_in_the_cache_and_over_sentences(stored):
    attention = windowed(stored, [[evenly(9, 3, True)], [evenly(9, 9, True)]], (3, None), causal=True)
    analysis = load(save(analyse(attention, SETTINGS)))
    gathered = Across()
    gathered.add(analysis)
    measured = gathered.result()
    for layer, window in enumerate((3, 9)):
        where = Layout.from_tokens(marked("t", 9), causal=True, window=3, reach=window - 1)
        expected = MetricEvaluator(where).uniform["self"]
        assert analysis.uniform["self"][layer] == pytest.approx(expected)
        assert measured.uniform["self"][layer] == pytest.approx(expected)


@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 99))
def test_measures_stay_in_their_ranges_within_a_window(count, window, causal, seed):
    where = Layout.from_tokens(
        marked("t", count, texts=list("abab.abab"[:count])), causal=causal, window=2, reach=window - 1
    )
    scores = np.random.default_rng(seed).exponential(size=(3, count, count)) * where.seen()
    weights = (scores / scores.sum(axis=-1, keepdims=True)).astype(np.float32)
    reading = MetricEvaluator(where).evaluate(LayerView.from_weights(weights, where))
    for metric, values in zip(metrics_for(where.kind), reading.values, strict=True):
        low, high = metric.range_for(count)
        assert np.all(np.isnan(values) | ((values >= low) & (values <= high)))
    assert layout_for(count, causal=causal).reach is None
