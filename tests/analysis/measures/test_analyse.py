"""The analysis of one sentence: pairs, keys, traces, notable heads, damage, and how it is read."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import KINDS, analyse, average_heads
from attention_gallery.analysis.measures.sentence_analysis import token_trace
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()


def softmax_weights(layers, heads, tokens, *, causal=False, seed=0, sharpness=3.0):
    scores = np.random.default_rng(seed).normal(size=(layers, heads, tokens, tokens)) * sharpness
    if causal:
        scores = np.where(np.tril(np.ones((tokens, tokens), dtype=bool)), scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)


def test_top_keys_are_the_strongest_of_the_heads_average(stored):
    weights = softmax_weights(3, 4, 7)
    analysis = analyse(stored(weights, special=[0, 6]), SETTINGS)
    average = weights.mean(axis=1)
    for layer in range(3):
        for query in range(7):
            expected = np.argsort(-average[layer, query])[:3]
            assert analysis.top_keys[layer, query].tolist() == expected.tolist()
            assert analysis.top_weights[layer, query] == pytest.approx(average[layer, query, expected])


@pytest.mark.parametrize(("window", "share"), [(1, 0), (2, 1), (3, 1)])
def test_what_is_local_reaches_as_far_as_the_settings_say(stored, window, share):
    two_away = np.eye(6)[[2, 3, 4, 5, 2, 3]][None, None]
    analysis = analyse(stored(two_away), AnalysisSettings(window=window))
    (local,) = (metric for metric in analysis.metrics if metric.name == "local")
    assert analysis.window == window
    np.testing.assert_allclose(local.values, share, atol=1e-6)


def test_content_keys_leave_special_tokens_out(stored):
    analysis = analyse(stored(softmax_weights(2, 2, 6), special=[0, 5]), SETTINGS)
    assert set(np.unique(analysis.top_content_keys)) <= {1, 2, 3, 4}
    assert analysis.top_content_keys.min() >= 1


def test_content_keys_of_a_causal_model_leave_the_first_token_out(stored):
    analysis = analyse(stored(softmax_weights(2, 2, 6, causal=True), causal=True), SETTINGS)
    assert analysis.top_content_keys[:, 0].max() == -1
    assert 0 not in analysis.top_content_keys


def test_queries_with_fewer_keys_are_filled_up(stored):
    analysis = analyse(stored(softmax_weights(1, 2, 4, causal=True), causal=True), SETTINGS)
    assert analysis.top_keys[0, 0].tolist() == [0, -1, -1]
    assert analysis.top_weights[0, 0].tolist() == [1.0, 0.0, 0.0]
    assert token_trace(analysis, 0) == (((0, 1.0),),)


def test_a_trace_follows_one_token_through_the_layers(stored):
    weights = np.full((2, 1, 4, 4), 0.25)
    weights[0, 0, 2] = [0.1, 0.6, 0.2, 0.1]
    weights[1, 0, 2] = [0.7, 0.05, 0.1, 0.15]
    analysis = analyse(stored(weights, special=[0]), AnalysisSettings(top_keys=2))
    plain = [[key for key, _ in layer] for layer in token_trace(analysis, 2)]
    assert plain == [[1, 2], [0, 3]]
    content = token_trace(analysis, 2, content=True)
    assert [[key for key, _ in layer] for layer in content] == [[1, 2], [3, 2]]
    assert content[0][0][1] == pytest.approx(0.6)


def test_top_pairs_are_the_strongest_content_pairs_one_per_query(stored):
    weights = softmax_weights(2, 3, 9)
    analysis = analyse(stored(weights, special=[0, 8]), SETTINGS)
    for layer in range(2):
        for head in range(3):
            inner = weights[layer, head, 1:8, 1:8]
            rows = sorted(
                ((row.max(), q + 1, int(row.argmax()) + 1) for q, row in enumerate(inner)), reverse=True
            )
            triples = zip(
                analysis.top_pair_weights[layer, head].tolist(),
                analysis.top_pair_queries[layer, head].tolist(),
                analysis.top_pair_keys[layer, head].tolist(),
                strict=True,
            )
            assert [(q, k) for _, q, k in triples] == [(q, k) for _, q, k in rows[:5]]
            assert analysis.top_pair_weights[layer, head] == pytest.approx(
                [weight for weight, _, _ in rows[:5]]
            )


def test_top_pairs_fall_back_to_all_tokens_and_fill_up(stored):
    analysis = analyse(stored(softmax_weights(1, 1, 2), special=[0, 1]), SETTINGS)
    assert sorted(analysis.top_pair_queries[0, 0].tolist()) == [-1, -1, -1, 0, 1]
    assert (analysis.top_pair_weights[0, 0] > 0).tolist() == [True, True, False, False, False]


def test_the_far_pair_is_the_strongest_between_content_tokens_apart(stored):
    weights = np.full((1, 1, 6, 6), 0.01)
    weights[0, 0, 3, 2] = 0.9  # neighbours
    weights[0, 0, 3, 0] = 0.8  # special key
    weights[0, 0, 4, 1] = 0.5
    analysis = analyse(stored(weights, special=[0, 5]), SETTINGS)
    assert (analysis.far_pair_query[0, 0], analysis.far_pair_key[0, 0]) == (4, 1)
    assert analysis.far_pair_weight[0, 0] == pytest.approx(0.5)


def test_short_sentences_have_no_far_pair(stored):
    analysis = analyse(stored(softmax_weights(1, 2, 3), special=[0, 2]), SETTINGS)
    assert analysis.far_pair_query.tolist() == [[-1, -1]]
    assert analysis.far_pair_weight.tolist() == [[0.0, 0.0]]


def test_averages(stored):
    weights = softmax_weights(3, 4, 5)
    attention = stored(weights)
    analysis = analyse(attention, SETTINGS)
    np.testing.assert_allclose(analysis.overall_average, weights.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(average_heads(attention.layer(1)), weights[1].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_damage(stored, value):
    weights = softmax_weights(2, 2, 4)
    weights[1, 1, 2, 2] = value
    with pytest.raises(DamagedEntry, match="not numbers"):
        analyse(stored(weights), SETTINGS)


def test_a_layer_of_another_shape_is_damage(stored):
    attention = stored(softmax_weights(2, 2, 4))
    smaller = type(attention)(attention.weights[:, :1], attention.tokens, attention.facts)
    with pytest.raises(DamagedEntry, match="layer 0"):
        analyse(smaller, SETTINGS)


def test_layers_measured_together_equal_layers_measured_alone(stored, monkeypatch):
    attention = stored(softmax_weights(5, 3, 8), special=[0, 7])
    together = analyse(attention, SETTINGS)
    monkeypatch.setattr("attention_gallery.analysis.measures.head_blocks.BLOCK_WEIGHTS", 1)
    alone = analyse(attention, SETTINGS)
    for ours, alone_metric in zip(together.metrics, alone.metrics, strict=True):
        np.testing.assert_allclose(ours.values, alone_metric.values, rtol=1e-5, atol=1e-7)
    assert together.types.tolist() == alone.types.tolist()
    assert together.top_pair_queries.tolist() == alone.top_pair_queries.tolist()


def test_notable_heads_are_few_ordered_and_the_same_each_time(stored):
    attention = stored(softmax_weights(4, 8, 10), special=[0, 9])
    first, second = (analyse(attention, SETTINGS).notable() for _ in range(2))
    assert first == second == tuple(sorted(set(first)))
    assert 0 < len(first) <= 8
    assert len(analyse(attention, SETTINGS).notable(limit=3)) == 3


def test_notable_heads_hold_the_clearest_of_a_type_and_the_strongest_pair(stored):
    weights = np.full((3, 4, 8, 8), 1 / 8)
    for layer, share in ((0, 0.7), (2, 0.95)):
        weights[layer, 1] = (1 - share) / 7
        weights[layer, 1, np.arange(8), np.maximum(np.arange(8) - 1, 0)] = share
    weights[1, 3, 6] = 0.02
    weights[1, 3, 6, 2] = 0.86
    analysis = analyse(stored(weights, special=[0, 7]), SETTINGS)
    notable = analysis.notable()
    assert analysis.clearest("previous-token") == (2, 1)
    assert (2, 1) in notable
    assert (1, 3) in notable
    assert analysis.clearest("self") is None
    assert analysis.clearest("mixed") is None


def test_weak_pairs_make_no_head_notable(stored):
    analysis = analyse(stored(np.full((2, 3, 12, 12), 1 / 12), special=[0, 11]), SETTINGS)
    assert analysis.notable() == ((0, 0),)  # the clearest broad head, and nothing else stands out


def test_values_are_read_by_name_and_head(stored):
    texts = ["[CLS]", "a", ".", "b", "a", "[SEP]"]
    analysis = analyse(stored(softmax_weights(2, 3, 6), special=[0, 5], texts=texts), SETTINGS)
    assert (analysis.layers, analysis.heads) == (2, 3)
    numbers = analysis.head_metrics(1, 2)
    for metric in analysis.metrics:
        assert metric.values.shape == (2, 3)
        assert numbers[metric.name] == metric.values[1, 2]
    assert analysis.metrics[0].values is analysis.values[analysis.metrics[0].name]
    assert sum(count for _, count in analysis.type_counts) == 6
    assert analysis.type_name(1, 2) == analysis.head_type(1, 2).name == KINDS[analysis.types[1, 2]].name


def test_causal_analyses_have_no_next_token(stored):
    analysis = analyse(stored(softmax_weights(1, 1, 5, causal=True), causal=True), SETTINGS)
    assert "next" not in analysis.values


@pytest.mark.parametrize("tokens", [1, 2])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("special", [[], [0]])
def test_the_shortest_sentences_are_analysed(stored, tokens, causal, special):
    weights = softmax_weights(2, 2, tokens, causal=causal)
    analysis = analyse(stored(weights, causal=causal, special=special), SETTINGS)
    assert analysis.types.shape == (2, 2)
    assert analysis.notable() == tuple(sorted(analysis.notable()))
    assert {metric.name: metric.range for metric in analysis.metrics}["distance"] == (0.0, tokens - 1)
