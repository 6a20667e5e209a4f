"""What chance would give: closed forms against every permutation there is, and draws against closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hand_made import layout_for, marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import Across, LayerView, Layout, analyse
from attention_gallery.analysis.measures import permutation
from attention_gallery.analysis.measures.evaluator import MetricEvaluator
from attention_gallery.analysis.measures.linear import Linear
from attention_gallery.analysis.measures.metrics import metric_named
from attention_gallery.analysis.measures.patterns import Pattern
from attention_gallery.analysis.measures.permutation import Permutations
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()
TEXTS = ["a", "b", ".", "a"]


def rows(count, keys, *, causal=False, seed=0):
    scores = np.random.default_rng(seed).exponential(size=(2, count, keys))
    if causal:
        scores = np.tril(scores)
    return (scores / scores.sum(axis=-1, keepdims=True)).astype(np.float32)


def every_permutation(head, causal):
    """All permutations of what each query sees, independently: the whole population."""
    visible = [query + 1 if causal else head.shape[1] for query in range(len(head))]
    choices = [list(itertools.permutations(range(seen))) for seen in visible]
    for orders in itertools.product(*choices):
        shuffled = head.copy()
        for query, order in enumerate(orders):
            shuffled[query, : len(order)] = head[query, list(order)]
        yield shuffled


@pytest.mark.parametrize("causal", [False, True])
def test_moments_are_those_of_all_permutations(causal):
    tokens = 4 if causal else 3
    where = layout_for(tokens, causal=causal, window=1, texts=TEXTS[:tokens])
    weights = rows(tokens, tokens, causal=causal)
    evaluator = MetricEvaluator(where)
    reading = evaluator.evaluate(LayerView.from_weights(weights, where))
    everything = LayerView.from_weights(np.stack(list(every_permutation(weights[0], causal))), where)
    for index, metric in enumerate(evaluator.metrics):
        values = metric(everything).astype(np.float64)
        if metric.pattern is None and metric.ordered:
            continue
        np.testing.assert_allclose(reading.shuffled_mean[index, 0], values.mean(), atol=1e-6)
        np.testing.assert_allclose(reading.shuffled_deviation[index, 0], values.std(), atol=1e-6)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 1000))
def test_moments_hold_for_any_pattern(count, keys, seed):
    random = np.random.default_rng(seed)
    where = Layout.crossing(marked("t", count), marked("s", keys), window=1)
    weights = rows(count, keys, seed=seed)
    pattern = Pattern(random.normal(size=(count, keys)).astype(np.float32), random.random(count) < 0.7)
    linear = Linear.from_patterns(where, [pattern])
    values, deviation = linear.measure(LayerView.from_weights(weights, where))
    if not pattern.rows.any():
        assert np.isnan(values).all()
        assert np.isnan(deviation).all()
        return
    counted = pattern.worth[pattern.rows].astype(np.float64)
    shares = weights[:, pattern.rows].astype(np.float64)
    np.testing.assert_allclose(values[0], (shares * counted).sum(axis=2).mean(axis=1), atol=1e-5)
    variance = shares.var(axis=2) * counted.var(axis=1) * keys**2 / max(1, keys - 1)
    np.testing.assert_allclose(deviation[0], np.sqrt(variance.sum(axis=1)) / len(counted), atol=1e-5)
    assert linear.uniform[0] == pytest.approx(counted.mean())


@pytest.mark.parametrize("causal", [False, True])
def test_draws_agree_with_all_permutations(causal):
    tokens = 4 if causal else 3
    where = layout_for(tokens, causal=causal)
    weights = rows(tokens, tokens, causal=causal)
    evaluator = MetricEvaluator(where)
    sink = [metric.name for metric in evaluator.metrics].index("sink")
    reading = evaluator.evaluate(LayerView.from_weights(weights, where))
    values = metric_named("sink")(
        LayerView.from_weights(np.stack(list(every_permutation(weights[0], causal))), where)
    )
    # The mean of twelve draws lies within four of its standard errors.
    assert abs(reading.shuffled_mean[sink, 0] - values.mean()) < 4 * values.std() / np.sqrt(12)
    assert 0 < reading.shuffled_deviation[sink, 0] < 3 * values.std()


def test_draws_are_the_same_each_time_and_put_nothing_where_it_cannot_be_seen(monkeypatch):
    where = layout_for(7, causal=True)
    weights = rows(7, 7, causal=True)
    view = LayerView.from_weights(weights, where)
    first, second = MetricEvaluator(where).evaluate(view), MetricEvaluator(where).evaluate(view)
    np.testing.assert_array_equal(first.shuffled_mean, second.shuffled_mean)
    for shuffled in Permutations(where).views(view):
        assert np.triu(shuffled.weights, 1).max() == 0
        np.testing.assert_array_equal(np.sort(shuffled.weights, axis=2), np.sort(weights, axis=2))


def test_chance_has_no_say_in_even_attention_nor_in_entropy():
    where = layout_for(6, texts=["a", "b", ".", "a", "c", "d"])
    even = MetricEvaluator(where).evaluate(LayerView.from_weights(where.uniform()[None], where))
    np.testing.assert_allclose(even.values, even.shuffled_mean, atol=1e-6)
    np.testing.assert_allclose(np.nan_to_num(even.shuffled_deviation), 0, atol=1e-6)
    some = MetricEvaluator(where).evaluate(LayerView.from_weights(rows(6, 6), where))
    assert some.values[0].tolist() == some.shuffled_mean[0].tolist()
    assert some.shuffled_deviation[0].tolist() == [0, 0]


def test_the_spread_of_sinks_hardly_hangs_on_the_seed(stored, monkeypatch):
    attention = stored(rows(16, 16)[None])
    deviations = []
    for seed in range(40):
        monkeypatch.setattr(permutation, "SEED", seed)
        measured = analyse(attention, SETTINGS)
        names = [metric.name for metric in measured.metrics]
        deviations.append(measured.shuffled_deviation[names.index("sink")])
    # Of twelve draws it is known to a fifth at best.
    assert np.all(np.std(deviations, axis=0) < 0.15 * np.mean(deviations, axis=0))


def test_deviations_of_sentences_shrink_as_they_are_gathered(stored):
    analysis = analyse(stored(rows(9, 9)[None], special=[0, 8]), SETTINGS)
    gathered = Across()
    for _ in range(4):
        gathered.add(analysis)
    heads = gathered.result()
    index = list(heads.values).index("previous")
    np.testing.assert_allclose(heads.shuffled_mean["previous"], analysis.shuffled_mean[index])
    np.testing.assert_allclose(heads.shuffled_deviation["previous"], analysis.shuffled_deviation[index] / 2)
    assert np.isnan(heads.shuffled_mean["duplicate"]).all()
