"""Every measure on attention whose answer is known, and its range on any attention at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import METRICS, LayerView, Layout, metric_named, metrics_for, uniform_values

NAMES = [metric.name for metric in METRICS]


def layout(tokens, *, causal=False, special=(), window=3):
    marks = np.zeros(tokens, dtype=bool)
    marks[list(special)] = True
    return Layout.of(marks, causal=causal, window=window)


def measure(name, weights, **options):
    weights = np.asarray(weights, dtype=np.float32)
    if weights.ndim == 2:
        weights = weights[None]
    return metric_named(name)(LayerView.of(weights, layout(weights.shape[2], **options)))


def one_hot(tokens, keys):
    return np.eye(tokens, dtype=np.float32)[list(keys)]


def previous(tokens):
    return one_hot(tokens, [max(0, query - 1) for query in range(tokens)])


@st.composite
def attention(draw):
    """Rows that sum to 1 over visible keys, from nearly even to nearly one-hot, with their layout."""
    tokens = draw(st.integers(1, 9))
    causal = draw(st.booleans())
    seed = draw(st.integers(0, 2**32 - 1))
    sharpness = draw(st.sampled_from([0.0, 1.0, 10.0, 200.0]))
    scores = np.random.default_rng(seed).normal(size=(3, tokens, tokens)) * sharpness
    if causal:
        scores = np.where(np.tril(np.ones((tokens, tokens), dtype=bool)), scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)
    special = draw(st.sets(st.integers(0, tokens - 1)))
    return weights, layout(tokens, causal=causal, special=special, window=draw(st.integers(1, 4)))


@given(attention())
def test_every_measure_stays_in_its_range_or_is_absent(case):
    weights, where = case
    for metric in metrics_for(where.kind):
        values = metric(LayerView.of(weights, where))
        low, high = metric.range_for(where.queries)
        assert values.dtype == np.float32
        assert values.shape == (3,)
        assert np.all(np.isnan(values) | ((values >= low) & (values <= high)))


@given(attention())
def test_heads_do_not_influence_each_other(case):
    weights, where = case
    for metric in metrics_for(where.kind):
        together = metric(LayerView.of(weights, where))
        alone = np.concatenate([metric(LayerView.of(head[None], where)) for head in weights])
        np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-7)


@given(attention())
def test_entropy_is_that_of_the_definition(case):
    weights, where = case
    rows = []
    for query in range(where.queries):
        visible = query + 1 if where.causal else where.queries
        if visible > 1:
            row = weights[0, query].astype(np.float64)
            row = row[row > 0]
            rows.append(-np.sum(row * np.log(row)) / math.log(visible))
    found = metric_named("entropy")(LayerView.of(weights, where))[0]
    if rows:
        assert found == pytest.approx(np.mean(rows), abs=1e-5)
    else:
        assert math.isnan(found)


@given(attention())
def test_distance_and_local_mass_are_those_of_the_definitions(case):
    weights, where = case
    pairs = [(q, k) for q in range(where.queries) for k in range(where.queries)]
    total = sum(float(weights[0, q, k]) for q, k in pairs)
    far = sum(float(weights[0, q, k]) * abs(q - k) for q, k in pairs) / total
    near = sum(float(weights[0, q, k]) for q, k in pairs if abs(q - k) <= where.window) / total
    view = LayerView.of(weights, where)
    assert metric_named("distance")(view)[0] == pytest.approx(far, abs=1e-5)
    assert metric_named("local")(view)[0] == pytest.approx(near, abs=1e-5)


@given(st.integers(2, 40), st.booleans())
def test_even_attention_has_entropy_one_and_one_hot_attention_zero(tokens, causal):
    where = layout(tokens, causal=causal)
    weights = np.stack([where.uniform(), previous(tokens)])
    entropy = metric_named("entropy")(LayerView.of(weights, where))
    assert entropy == pytest.approx([1.0, 0.0], abs=1e-5)


@given(st.integers(2, 40))
def test_even_attention_gives_every_key_its_share(tokens):
    where = layout(tokens, special=[0, tokens - 1])
    uniform = dict(zip(NAMES, uniform_values(where, METRICS).tolist(), strict=True))
    for name in ("self", "previous", "next", "first", "separator"):
        assert uniform[name] == pytest.approx(1 / tokens, rel=1e-5)
    assert uniform["distance"] == pytest.approx((tokens**2 - 1) / (3 * tokens), rel=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_known_patterns(causal):
    tokens = 6
    assert measure("previous", previous(tokens), causal=causal) == [1.0]
    assert measure("self", np.eye(tokens), causal=causal) == [1.0]
    assert measure("first", one_hot(tokens, [0] * tokens), causal=causal) == [1.0]
    assert measure("distance", np.eye(tokens), causal=causal) == [0.0]
    assert measure("local", previous(tokens), causal=causal, window=1) == [1.0]
    assert measure("first", np.eye(tokens), causal=causal) == pytest.approx(0 if causal else 1 / 6)


def test_next_token_is_measured_over_the_queries_that_have_one():
    weights = one_hot(5, [1, 2, 3, 4, 0])
    assert measure("next", weights) == [1.0]
    assert measure("distance", weights) == pytest.approx(8 / 5)
    assert measure("previous", weights) == [0.0]


def test_blocks_are_local_and_look_no_further_than_the_block():
    block = np.kron(np.eye(3), np.full((4, 4), 0.25))
    assert measure("local", block) == pytest.approx([1.0])
    assert measure("entropy", block) == pytest.approx([math.log(4) / math.log(12)], abs=1e-6)


def test_separator_mass_counts_special_tokens_after_the_first():
    weights = one_hot(5, [4, 4, 2, 4, 0])
    assert measure("separator", weights, special=[0, 4]) == pytest.approx(0.6)
    assert measure("separator", weights, special=[0, 2, 4]) == pytest.approx(0.8)


def test_separator_mass_of_a_causal_model_is_over_the_queries_that_can_see_one():
    weights = one_hot(4, [0, 0, 2, 2])
    assert measure("separator", weights, special=[0, 2], causal=True) == [1.0]


@pytest.mark.parametrize("special", [[], [0]])
def test_separator_mass_is_absent_without_separators(special):
    assert np.isnan(measure("separator", np.eye(4), special=special)).all()


@pytest.mark.parametrize("causal", [False, True])
def test_one_token_leaves_nothing_to_choose(causal):
    found = {
        m.name: float(measure(m.name, [[1.0]], causal=causal)[0])
        for m in metrics_for("decoder" if causal else "encoder")
    }
    absent = {name for name, value in found.items() if math.isnan(value)}
    assert absent == set(found) - {"distance", "local"}
    assert (found["distance"], found["local"]) == (0.0, 1.0)


def test_two_tokens_of_a_causal_model_are_measured_on_the_second():
    weights = [[1.0, 0.0], [0.25, 0.75]]
    assert measure("self", weights, causal=True) == [0.75]
    assert measure("first", weights, causal=True) == [0.25]
    assert measure("previous", weights, causal=True) == [0.25]


def test_causal_models_have_no_next_token():
    assert "next" not in [metric.name for metric in metrics_for("decoder")]


def test_every_measure_belongs_to_a_kind_of_attention():
    names = {kind: [m.name for m in metrics_for(kind)] for kind in ("encoder", "decoder", "cross")}
    assert names["encoder"] == [name for name in NAMES if name != "diagonal"]
    assert names["decoder"] == [name for name in names["encoder"] if name != "next"]
    assert names["cross"] == ["entropy", "diagonal", "first", "separator"]


def test_every_measure_says_what_it_is():
    assert len(set(NAMES)) == len(NAMES)
    for metric in METRICS:
        assert metric.definition.endswith(".")
        assert metric.caveat.endswith(".")
        assert metric.title
        assert metric.source
        assert metric.unit
    with pytest.raises(KeyError):
        metric_named("no-such-measure")
