"""Cross attention: queries of one text, keys of another, so that no matrix is square."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_made import marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import KINDS, Across, LayerView, Layout, analyse
from attention_gallery.analysis.measures.analysis_codec import load, save
from attention_gallery.analysis.measures.evaluator import MetricEvaluator
from attention_gallery.analysis.measures.metrics import metric_named, metrics_for
from attention_gallery.analysis.measures.sentence_analysis import heads_only, token_trace
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()
METRICS = metrics_for("cross")


def softmax_weights(shape, *, seed=0, sharpness=3.0):
    scores = np.random.default_rng(seed).normal(size=shape) * sharpness
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (shares / shares.sum(axis=-1, keepdims=True)).astype(np.float32)


def towards(keys, columns, share=0.9):
    weights = np.full((len(keys), columns), (1 - share) / max(1, columns - 1))
    weights[np.arange(len(keys)), keys] = share
    return weights


@st.composite
def crossing(draw):
    """Rows that sum to 1 over the keys, from nearly even to nearly one-hot, with their layout."""
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    sharpness = draw(st.sampled_from([0.0, 1.0, 10.0, 200.0]))
    weights = softmax_weights((3, rows, columns), seed=draw(st.integers(0, 2**32 - 1)), sharpness=sharpness)
    special = [list(draw(st.sets(st.integers(0, n - 1)))) for n in (rows, columns)]
    queries, keys = marked("t", rows, special[0]), marked("s", columns, special[1])
    return weights, Layout.crossing(queries, keys, window=draw(st.integers(1, 4)))


@given(crossing())
def test_every_measure_stays_in_its_range_or_is_absent(case):
    weights, where = case
    for metric in METRICS:
        values = metric(LayerView.from_weights(weights, where))
        low, high = metric.range_for(where.queries)
        assert values.shape == (3,)
        assert np.all(np.isnan(values) | ((values >= low) & (values <= high)))


@given(crossing())
def test_the_measures_are_those_of_the_definitions(case):
    weights, where = case
    rows, columns = where.queries, where.keys
    view = LayerView.from_weights(weights, where)
    head = weights[0].astype(np.float64)
    values = {metric.name: float(metric(view)[0]) for metric in METRICS}
    if columns > 1:
        entropies = [-sum(w * math.log(w) for w in row if w > 0) / math.log(columns) for row in head]
        assert values["entropy"] == pytest.approx(np.mean(entropies), abs=1e-5)
        assert values["first"] == pytest.approx(head[:, 0].mean(), abs=1e-5)
    else:
        assert math.isnan(values["entropy"])
        assert math.isnan(values["first"])
    on_line = [
        [abs((q + 0.5) * columns / rows - 0.5 - k) <= where.window for k in range(columns)]
        for q in range(rows)
    ]
    assert values["diagonal"] == pytest.approx((head * on_line).sum() / head.sum(), abs=1e-5)
    separators = np.flatnonzero(where.separators)
    if separators.size:
        assert values["separator"] == pytest.approx(head[:, separators].sum(axis=1).mean(), abs=1e-5)
    else:
        assert math.isnan(values["separator"])


@given(case=crossing())
def test_an_analysis_finds_what_a_plain_search_finds(crossed, case):
    weights, where = case
    special, keys = np.flatnonzero(~where.asking), np.flatnonzero(~where.content)
    analysis = analyse(crossed(weights[None], special=special, keys=keys), SETTINGS)
    assert (analysis.tokens, analysis.keys, analysis.kind) == (where.queries, where.keys, "cross")
    average = weights.mean(axis=0)
    assert analysis.overall_average == pytest.approx(average, abs=1e-6)
    assert analysis.top_weights[0, :, 0] == pytest.approx(average.max(axis=1), abs=1e-6)
    assert analysis.top_keys.max() < where.keys
    content = average * where.content
    assert analysis.top_content_weights[0, :, 0] == pytest.approx(content.max(axis=1), abs=1e-6)
    named = weights * where.asking[:, None] * where.content
    for head in range(3):
        assert analysis.far_pair_weight[0, head] == pytest.approx(named[head].max(), abs=1e-7)
        if named[head].max() > 0:
            query, key = analysis.far_pair_query[0, head], analysis.far_pair_key[0, head]
            assert weights[head, query, key] == named[head].max()
    again = load(save(analysis))
    assert (again.tokens, again.keys, again.kind) == (analysis.tokens, analysis.keys, "cross")
    assert save(again) == save(analysis)


@given(st.integers(1, 30), st.integers(2, 30))
def test_even_attention_is_the_null_of_every_measure(rows, columns):
    where = Layout.crossing(marked("t", rows), marked("s", columns, [columns - 1]), window=3)
    uniform = MetricEvaluator(where).uniform
    assert uniform["entropy"] == pytest.approx(1, abs=1e-5)
    assert uniform["first"] == uniform["separator"] == pytest.approx(1 / columns, rel=1e-5)
    assert 0 < uniform["diagonal"] <= 1


ROWS, COLUMNS = 12, 18
LINE = np.rint((np.arange(ROWS) + 0.5) * COLUMNS / ROWS - 0.5).astype(int)
PATTERNS = {
    "separator": towards([COLUMNS - 1] * ROWS, COLUMNS),
    "first-token": towards([0] * ROWS, COLUMNS),
    "diagonal": towards(LINE, COLUMNS),
    "focused": towards((np.arange(ROWS) * 7 + 11) % COLUMNS, COLUMNS, 0.98),
    "broad": np.full((ROWS, COLUMNS), 1 / COLUMNS),
    "mixed": towards((np.arange(ROWS) * 7 + 11) % COLUMNS, COLUMNS, 0.6),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_is_recognised(crossed, name):
    attention = crossed(PATTERNS[name][None, None], special=[0], keys=[COLUMNS - 1])
    assert analyse(attention, SETTINGS).head_type(0, 0).name == name


def test_no_head_of_cross_attention_is_named_for_a_place_in_one_text(crossed):
    heads = np.stack([*PATTERNS.values(), towards(np.arange(ROWS), COLUMNS, 1.0)])
    analysis = analyse(crossed(heads[None], keys=[COLUMNS - 1]), SETTINGS)
    names = {KINDS[code].name for code in analysis.types.ravel()}
    assert not names & {"previous-token", "next-token", "self", "local"}


def test_a_diagonal_head_says_what_even_attention_would_give(crossed):
    head_type = analyse(crossed(PATTERNS["diagonal"][None, None]), SETTINGS).head_type(0, 0)
    assert head_type.evidence.startswith(
        "0.93 of its attention stays within 3 tokens of the diagonal (threshold 0.8"
    )
    assert "spread evenly it would be 0.3" in head_type.evidence


def test_in_a_short_text_the_diagonal_is_no_evidence(crossed):
    short = softmax_weights((1, 1, 4, 3))
    assert analyse(crossed(short), SETTINGS).type_name(0, 0) != "diagonal"


def test_the_strongest_pairs_are_of_content_tokens_and_need_not_be_apart(crossed):
    weights = np.full((1, 1, 3, 4), 0.01)
    weights[0, 0, 0, 1] = 0.95  # a special query
    weights[0, 0, 1, 3] = 0.9  # a special key
    weights[0, 0, 1, 1] = 0.6
    weights[0, 0, 2, 0] = 0.5
    analysis = analyse(crossed(weights, special=[0], keys=[3]), SETTINGS)
    assert (analysis.far_pair_query[0, 0], analysis.far_pair_key[0, 0]) == (1, 1)
    assert analysis.top_pair_queries[0, 0].tolist() == [1, 2, -1, -1, -1]
    assert analysis.top_pair_keys[0, 0].tolist() == [1, 0, -1, -1, -1]
    assert [[key for key, _ in layer] for layer in token_trace(analysis, 1, content=True)] == [[1, 0, 2]]


def test_a_layer_of_square_shape_is_damage(crossed):
    attention = crossed(softmax_weights((1, 2, 3, 5)))
    square = type(attention)(
        softmax_weights((1, 2, 3, 3)), attention.tokens, attention.facts, attention.others
    )
    with pytest.raises(DamagedEntry, match=r"\(2, 3, 3\), not \(2, 3, 5\)"):
        analyse(square, SETTINGS)


def test_cross_attention_is_gathered_over_sentences_of_other_lengths(crossed, stored):
    gathered = Across()
    for seed, shape in enumerate([(2, 3, 4, 9), (2, 3, 7, 5)]):
        gathered.add(heads_only(analyse(crossed(softmax_weights(shape, seed=seed)), SETTINGS)))
    heads = gathered.result()
    assert (heads.sentences, heads.kind) == (2, "cross")
    assert [metric.name for metric in heads.metrics] == [metric.name for metric in METRICS]
    with pytest.raises(ValueError, match="not of the same model"):
        gathered.add(analyse(stored(softmax_weights((2, 3, 5, 5))), SETTINGS))


def test_the_diagonal_of_equal_lengths_is_the_window_of_local_mass():
    weights = softmax_weights((2, 8, 8))
    tokens = marked("t", 8)
    square = Layout.from_tokens(tokens, causal=False, window=2)
    cross = Layout.crossing(tokens, marked("s", 8), window=2)
    local, diagonal = metric_named("local"), metric_named("diagonal")
    assert local(LayerView.from_weights(weights, square)) == pytest.approx(
        diagonal(LayerView.from_weights(weights, cross))
    )
