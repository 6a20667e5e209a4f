"""Every measure on attention that gives all of each query to one key."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import layout_for, marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import METRICS, LayerView, Layout
from attention_gallery.analysis.measures.evaluator import MetricEvaluator
from attention_gallery.analysis.measures.metrics import metrics_for


@st.composite
def chosen(draw):
    """A layout of any kind, and for each query a key that it can see."""
    kind = draw(st.sampled_from(["encoder", "decoder", "cross"]))
    count = draw(st.integers(1, 9))
    texts = draw(st.lists(st.sampled_from(["a", "b", ".", "c"]), min_size=count, max_size=count))
    special = draw(st.sets(st.integers(0, count - 1)))
    if kind == "cross":
        keys = draw(st.integers(1, 9))
        where = Layout.crossing(marked("t", count, special, texts), marked("s", keys), window=2)
    else:
        where = layout_for(count, causal=kind == "decoder", special=special, texts=texts, window=2)
    picks = [draw(st.sampled_from(np.flatnonzero(row).tolist())) for row in where.seen()]
    return where, np.array(picks)


@given(chosen())
def test_every_measure_counts_the_keys_that_were_chosen(case):
    where, picks = case
    weights = np.eye(where.keys, dtype=np.float32)[picks][None]
    reading = MetricEvaluator(where).evaluate(LayerView.from_weights(weights, where))
    queries = np.arange(where.queries)
    for metric, values in zip(metrics_for(where.kind), reading.values, strict=True):
        if metric.pattern is not None:
            pattern = metric.pattern(where)
            worths = pattern.worth[queries, picks][pattern.rows]
            expected = worths.mean() if worths.size else np.nan
            np.testing.assert_allclose(values[0], expected, atol=1e-5, err_msg=metric.name)
        elif metric.name == "entropy":
            assert values[0] == pytest.approx(0, abs=1e-6) or not where.choosing.any()
        else:
            assert metric.name == "sink"
            assert np.isnan(values[0]) or values[0] <= 1
    # No other measure computes what is not tested here.
    assert {metric.name for metric in METRICS if metric.pattern is None} == {"entropy", "sink"}


@given(st.integers(3, 9), st.integers(0, 8), st.booleans())
def test_one_key_that_all_choose_is_a_sink(count, key, causal):
    key = min(key, count - 1)
    where = layout_for(count, causal=causal)
    picks = np.where(where.seen()[:, key], key, 0)
    weights = np.eye(count, dtype=np.float32)[picks][None]
    names = [metric.name for metric in metrics_for(where.kind)]
    score = (
        MetricEvaluator(where).evaluate(LayerView.from_weights(weights, where)).values[names.index("sink"), 0]
    )
    # In a causal model half of the keys are seen by too few, and all that cannot see one rest on the first.
    seen = np.maximum(where.seen().sum(axis=0) - 1, 0)
    counts = [
        (np.count_nonzero(picks == other) - (picks[other] == other)) / seen[other]
        for other in range(count)
        if seen[other] >= max(2, seen.max() / 2)
    ]
    assert score == pytest.approx(max(counts), abs=1e-5)
