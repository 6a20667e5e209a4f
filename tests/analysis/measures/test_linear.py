"""Linear measures against their plain definition in double precision, whatever way they are taken."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import LayerView, Layout
from attention_gallery.analysis.measures import linear as module
from attention_gallery.analysis.measures.linear import Linear
from attention_gallery.analysis.measures.metrics import metrics_for
from attention_gallery.analysis.measures.patterns import Pattern


@st.composite
def cases(draw):
    """Attention of any kind with its layout, from even to sharp, in half precision or not."""
    count = draw(st.integers(1, 40))
    texts = tuple(draw(st.lists(st.sampled_from("ab.,"), min_size=count, max_size=count)))
    special = draw(st.sets(st.integers(0, count - 1), max_size=3))
    tokens = marked("t", count, sorted(special), texts)
    kind = draw(st.sampled_from(["encoder", "decoder", "window", "cross"]))
    window = draw(st.integers(1, 5))
    if kind == "cross":
        where = Layout.crossing(tokens, marked("s", draw(st.integers(1, 30))), window=window)
    else:
        reach = draw(st.integers(0, 9)) if kind == "window" else None
        causal = kind == "decoder" or (kind == "window" and draw(st.booleans()))
        where = Layout.from_tokens(tokens, causal=causal, window=window, reach=reach)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sharpness = draw(st.sampled_from([0.0, 1e-3, 1.0, 10.0]))
    scores = np.exp(random.normal(size=(2, where.queries, where.keys)) * sharpness) * where.seen()
    weights = (scores / scores.sum(axis=2, keepdims=True)).astype(np.float32)
    return where, weights.astype(np.float16).astype(np.float32) if draw(st.booleans()) else weights


def plain(where: Layout, pattern: Pattern, head: np.ndarray) -> tuple[float, float]:
    """A measure and its standard deviation over all orders, one query after another."""
    values, variances = [], []
    for query in np.flatnonzero(pattern.rows):
        seen = where.seen()[query]
        shares, worth = (rows[query][seen].astype(np.float64) for rows in (head, pattern.worth))
        values.append((shares * worth).sum())
        spread = ((shares - shares.mean()) ** 2).sum() * ((worth - worth.mean()) ** 2).sum()
        variances.append(spread / max(1, shares.size - 1))
    return (np.mean(values), np.sqrt(np.sum(variances)) / len(values)) if values else (np.nan, np.nan)


def check(where: Layout, patterns: list[Pattern], weights: np.ndarray, limits: list[float]) -> None:
    values, deviations = Linear.from_patterns(where, patterns).measure(LayerView.from_weights(weights, where))
    for index, (pattern, limit) in enumerate(zip(patterns, limits, strict=True)):
        for number, head in enumerate(weights):
            value, deviation = plain(where, pattern, head)
            np.testing.assert_allclose(values[index, number], value, atol=1e-6 * limit)
            np.testing.assert_allclose(deviations[index, number], deviation, atol=1e-6 * limit)


@pytest.mark.parametrize("large", [0, 2**15])
@given(case=cases())
def test_measures_are_those_of_the_definition(large, case):
    where, weights = case
    own = [metric for metric in metrics_for(where.kind) if metric.pattern is not None]
    patterns = [metric.pattern(where) for metric in own]
    limits = [max(1.0, metric.range_for(where.queries)[1]) for metric in own]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGE", large)
        check(where, patterns, weights, limits)


@pytest.mark.parametrize("large", [0, 2**15])
@given(case=cases(), seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.02, 0.2, 1.0]))
def test_any_pattern_is_taken_as_it_is_defined(large, case, seed, share):
    where, weights = case
    random = np.random.default_rng(seed)
    shape = (where.queries, where.keys)
    by_key = np.broadcast_to(random.normal(size=where.keys).astype(np.float32), shape)
    odd = np.where(random.random(shape) < 0.01, random.normal(size=shape), by_key).astype(np.float32)
    some = (random.normal(size=shape) * (random.random(shape) < share)).astype(np.float32)
    rows = random.random(where.queries) < 0.8
    patterns = [Pattern(worth, rows) for worth in (by_key, odd, some)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGE", large)
        check(where, patterns, weights, [4.0, 4.0, 4.0])


def test_rules_are_found_where_they_hold(monkeypatch):
    monkeypatch.setattr(module, "LARGE", 0)
    where = Layout.from_tokens(marked("t", 40, [], [".", *"ab" * 19, "."]), causal=False, window=3)
    named = {metric.name: metric.pattern(where) for metric in metrics_for("encoder") if metric.pattern}
    linear = Linear.from_patterns(where, [named["distance"], named["diagonality"]])
    assert [worth.base is not None and min(worth.strides) < 0 for worth in linear.worth] == [True, True]
    assert not linear.pairs.size
