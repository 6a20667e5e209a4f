"""Every measure on attention whose answer is known, and its range on any attention at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_made import layout_for as layout
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import METRICS, LayerView
from attention_gallery.analysis.measures.evaluator import MetricEvaluator
from attention_gallery.analysis.measures.metrics import metric_named, metrics_for

NAMES = [metric.name for metric in METRICS]


def measure(name, weights, **options):
    weights = np.asarray(weights, dtype=np.float32)
    if weights.ndim == 2:
        weights = weights[None]
    return metric_named(name)(LayerView.from_weights(weights, layout(weights.shape[2], **options)))


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
    texts = draw(st.lists(st.sampled_from(["a", "b", ".", "c"]), min_size=tokens, max_size=tokens))
    window = draw(st.integers(1, 4))
    return weights, layout(tokens, causal=causal, special=special, window=window, texts=texts)


@given(attention())
def test_every_measure_stays_in_its_range_or_is_absent(case):
    weights, where = case
    for metric in metrics_for(where.kind):
        values = metric(LayerView.from_weights(weights, where))
        low, high = metric.range_for(where.queries)
        assert values.dtype == np.float32
        assert values.shape == (3,)
        assert np.all(np.isnan(values) | ((values >= low) & (values <= high)))


@given(attention())
def test_heads_do_not_influence_each_other(case):
    weights, where = case
    for metric in metrics_for(where.kind):
        together = metric(LayerView.from_weights(weights, where))
        alone = np.concatenate([metric(LayerView.from_weights(head[None], where)) for head in weights])
        np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-7)


@given(attention(), st.permutations(range(3)))
def test_the_order_of_heads_does_not_matter(case, order):
    weights, where = case
    evaluator = MetricEvaluator(where)
    straight = evaluator.evaluate(LayerView.from_weights(weights, where))
    mixed = evaluator.evaluate(LayerView.from_weights(weights[order], where))
    for name in ("values", "shuffled_mean", "shuffled_deviation"):
        before, after = getattr(straight, name)[:, order], getattr(mixed, name)
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)


@given(attention())
def test_measures_taken_together_equal_measures_taken_alone(case):
    weights, where = case
    view = LayerView.from_weights(weights, where)
    evaluator = MetricEvaluator(where)
    for metric, values in zip(evaluator.metrics, evaluator.evaluate(view).values, strict=True):
        np.testing.assert_allclose(values, metric(view), rtol=1e-6, atol=1e-7)


@given(attention())
def test_even_attention_gives_what_is_told_of_it(case):
    _, where = case
    even = LayerView.from_weights(where.uniform()[None], where)
    for metric in metrics_for(where.kind):
        np.testing.assert_allclose(
            metric(even)[0], MetricEvaluator(where).uniform[metric.name], rtol=1e-5, atol=1e-6
        )


def pairs_of(where, counts):
    """Mean over the queries that see a wanted key (query, key) of the weights on them, the plain way."""
    rows = []
    for query in range(where.queries):
        keys = [k for k in range(query + 1 if where.causal else where.keys) if counts(query, k)]
        if keys:
            rows.append((query, keys))
    return lambda head: (
        np.mean([sum(float(head[q, k]) for k in keys) for q, keys in rows]) if rows else math.nan
    )


@given(attention(), st.data())
def test_masses_on_tokens_are_those_of_the_definitions(case, data):
    weights, where = case
    texts = data.draw(
        st.lists(st.sampled_from(["a", "b", ".", "c"]), min_size=where.queries, max_size=where.queries)
    )
    special = data.draw(st.sets(st.integers(0, where.queries - 1)))
    where = layout(where.queries, causal=where.causal, special=special, texts=texts)
    view = LayerView.from_weights(weights, where)

    def named(token):
        return token not in special and not (where.causal and token == 0)

    def equal(query, key):
        return named(query) and named(key) and abs(query - key) >= 2 and texts[query] == texts[key]

    def follows(query, key):
        return 0 < key <= query - 2 and named(query) and named(key) and texts[query] == texts[key - 1]

    def sign(query, key):
        return key not in (0, query) and key not in special and texts[key] == "."

    for name, counts in {"duplicate": equal, "induction": follows, "punctuation": sign}.items():
        if where.kind in metric_named(name).kinds:
            expected = pairs_of(where, counts)(weights[0])
            np.testing.assert_allclose(metric_named(name)(view)[0], expected, atol=1e-5)


@given(attention())
def test_the_sink_score_is_that_of_the_definition(case):
    weights, where = case
    score = metric_named("sink")(LayerView.from_weights(weights, where))[0]
    means = {}
    for key in range(where.keys):
        lookers = [q for q in range(where.queries) if q != key and (not where.causal or q > key)]
        means[key] = (len(lookers), np.mean([weights[0, q, key] for q in lookers]) if lookers else 0.0)
    most = max(count for count, _ in means.values())
    drawing = [mean for count, mean in means.values() if count >= max(2, most / 2)]
    np.testing.assert_allclose(score, max(drawing) if drawing else math.nan, atol=1e-5)


@given(attention())
def test_diagonality_is_distance_without_length(case):
    weights, where = case
    view = LayerView.from_weights(weights, where)
    score = metric_named("diagonality")(view)[0]
    if where.queries == 1:
        assert math.isnan(score)
    elif not where.causal:
        distance = metric_named("distance")(view)[0]
        assert score == pytest.approx(1 - distance / (where.queries - 1), abs=1e-5)


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
    score = metric_named("entropy")(LayerView.from_weights(weights, where))[0]
    if rows:
        assert score == pytest.approx(np.mean(rows), abs=1e-5)
    else:
        assert math.isnan(score)


@given(attention())
def test_distance_and_local_mass_are_those_of_the_definitions(case):
    weights, where = case
    pairs = [(q, k) for q in range(where.queries) for k in range(where.queries)]
    total = sum(float(weights[0, q, k]) for q, k in pairs)
    far = sum(float(weights[0, q, k]) * abs(q - k) for q, k in pairs) / total
    near = sum(float(weights[0, q, k]) for q, k in pairs if abs(q - k) <= where.window) / total
    view = LayerView.from_weights(weights, where)
    assert metric_named("distance")(view)[0] == pytest.approx(far, abs=1e-5)
    assert metric_named("local")(view)[0] == pytest.approx(near, abs=1e-5)


@given(st.integers(2, 40), st.booleans())
def test_even_attention_has_entropy_one_and_one_hot_attention_zero(tokens, causal):
    where = layout(tokens, causal=causal)
    weights = np.stack([where.uniform(), previous(tokens)])
    entropy = metric_named("entropy")(LayerView.from_weights(weights, where))
    assert entropy == pytest.approx([1.0, 0.0], abs=1e-5)


@given(st.integers(2, 40))
def test_even_attention_gives_every_key_its_share(tokens):
    where = layout(tokens, special=[0, tokens - 1])
    uniform = MetricEvaluator(where).uniform
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
    values = {
        m.name: float(measure(m.name, [[1.0]], causal=causal)[0])
        for m in metrics_for("decoder" if causal else "encoder")
    }
    absent = {name for name, value in values.items() if math.isnan(value)}
    assert absent == set(values) - {"distance", "local"}
    assert MetricEvaluator(layout(1, causal=causal)).queries["self"] == 0
    assert (values["distance"], values["local"]) == (0.0, 1.0)


def test_two_tokens_of_a_causal_model_are_measured_on_the_second():
    weights = [[1.0, 0.0], [0.25, 0.75]]
    assert measure("self", weights, causal=True) == [0.75]
    assert measure("first", weights, causal=True) == [0.25]
    assert measure("previous", weights, causal=True) == [0.25]


def test_diagonality_is_one_on_the_diagonal_and_nearly_nothing_at_the_other_end():
    assert measure("diagonality", np.eye(9)) == [1.0]
    assert measure("diagonality", np.eye(9), causal=True) == [1.0]
    assert measure("diagonality", one_hot(2, [1, 0])) == [0.0]
    assert measure("diagonality", np.full((90, 90), 1 / 90)) == pytest.approx(2 / 3, abs=0.01)


def test_a_sink_is_found_wherever_it_is():
    texts = ["[CLS]", "a", "b", ".", "c", "[SEP]"]
    for key in range(6):
        towards = one_hot(6, [key] * 6)
        assert measure("sink", towards, special=[0, 5], texts=texts) == [1.0]
    assert measure("sink", one_hot(6, [3] * 6), texts=texts) == measure(
        "punctuation", one_hot(6, [3] * 6), texts=texts
    )
    assert measure("sink", np.eye(6)) == [0.0]


def test_punctuation_is_told_by_its_characters():
    texts = ["“", "Don", "’", "t", "...", "$", "a-b", "。", "[SEP]"]
    where = layout(9, special=[8], texts=texts)
    assert np.flatnonzero(where.punctuation).tolist() == [2, 4, 7]  # the first token is left out


def test_causal_models_have_no_next_token():
    assert "next" not in [metric.name for metric in metrics_for("decoder")]


def test_every_measure_belongs_to_a_kind_of_attention():
    names = {kind: [m.name for m in metrics_for(kind)] for kind in ("encoder", "decoder", "cross")}
    assert names["encoder"] == [name for name in NAMES if name not in ("diagonal", "induction")]
    assert names["decoder"] == [name for name in NAMES if name not in ("diagonal", "next")]
    assert names["cross"] == [
        "entropy",
        "diagonal",
        "diagonality",
        "first",
        "separator",
        "punctuation",
        "sink",
        "duplicate",
    ]


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
