"""Lots: that every query's weights stay its own and in its sight, and that each draw is as even as chance."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import LayerView, Layout
from attention_gallery.analysis.measures import permutation as module
from attention_gallery.analysis.measures.permutation import Permutations


def layouts(count: int) -> list[Layout]:
    tokens = marked("t", count)
    return [
        Layout.from_tokens(tokens, causal=False, window=2),
        Layout.from_tokens(tokens, causal=True, window=2),
        Layout.from_tokens(tokens, causal=True, window=2, reach=3),
        Layout.from_tokens(tokens, causal=False, window=2, reach=4),
        Layout.crossing(tokens, marked("s", 7), window=2),
    ]


def single_rows(where: Layout) -> np.ndarray:
    """One head for each query that looks at all, another weight on every key: powers of 2 sum exactly."""
    heads = np.zeros((where.queries, where.queries, where.keys), np.float32)
    for query in range(where.queries):
        seen = np.flatnonzero(where.seen()[query])
        heads[query, query, seen] = 2.0 ** -np.arange(1, seen.size + 1)
    return heads


@pytest.mark.parametrize("count", [1, 2, 5, 23, 24, 37])
@pytest.mark.parametrize("number", range(5))
def test_what_keys_receive_is_a_query_in_another_order(count: int, number: int) -> None:
    where = layouts(count)[number]
    weights = single_rows(where)
    received = Permutations(where).column_mass(LayerView.from_weights(weights, where))
    assert received.shape == (count, module.DRAWS, where.keys)
    for query in range(count):
        seen = where.seen()[query]
        expected = np.sort(weights[query, query, seen])
        for draw in received[query]:
            assert not draw[~seen].any()
            if where.kind == "cross":
                np.testing.assert_array_equal(np.sort(draw), expected)
            else:
                others = np.sort(np.delete(draw, query)[np.delete(seen, query)])
                assert draw[query] == 0
                assert set(others) < set(expected)
                assert others.size == expected.size - 1


@pytest.mark.parametrize("number", range(5))
def test_every_key_in_sight_gets_each_weight_as_often(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 6000)
    where = layouts(29)[number]
    weights = np.zeros((3, where.queries, where.keys), np.float32)
    for head, query in enumerate((2, 20, 28)):
        weights[head, query, where.seen()[query].argmax()] = 1
    received = Permutations(where).column_mass(LayerView.from_weights(weights, where)).mean(axis=1)
    for head, query in enumerate((2, 20, 28)):
        expected = where.seen()[query] / where.visible[query]
        if where.kind != "cross":
            expected[query] = 0
        # Only what all of its group see is drawn anew, so that one draw decides for some of a window.
        moved = where.reach is None and (not where.causal or query == 2)
        assert not received[head][expected == 0].any()
        if moved:
            error = np.sqrt(expected * (1 - expected) / module.DRAWS)
            assert np.all(np.abs(received[head] - expected) <= 5 * error)


@pytest.mark.parametrize("number", range(5))
def test_moments_are_those_of_independent_queries(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    where = layouts(26)[number]
    random = np.random.default_rng(number)
    weights = random.exponential(size=(1, where.queries, where.keys)) ** 2 * where.seen()
    weights = (weights / weights.sum(axis=2, keepdims=True)).astype(np.float32)
    view = LayerView.from_weights(weights, where)
    draws = []
    for seed in range(400):
        monkeypatch.setattr(module, "SEED", 10 * seed)
        draws.append(Permutations(where).column_mass(view)[0, :4])
    drawn = np.concatenate(draws).astype(np.float64)
    others = where.seen().astype(np.float64)
    if where.kind != "cross":
        np.fill_diagonal(others, 0)
    share = weights[0].sum(axis=1, dtype=np.float64) / where.visible
    variance = (weights[0].astype(np.float64) ** 2).sum(axis=1) / where.visible - share**2
    expected = share @ others
    deviation = np.sqrt(variance @ others)
    np.testing.assert_allclose(drawn.mean(axis=0), expected, atol=6 * deviation.max() / np.sqrt(400))
    np.testing.assert_allclose(drawn.std(axis=0), deviation, rtol=0.2, atol=1e-6)


@given(st.integers(1, 40), st.integers(0, 4), st.integers(0, 99))
def test_heads_and_runs_do_not_matter(count: int, number: int, seed: int) -> None:
    where = layouts(count)[number]
    weights = np.random.default_rng(seed).random((3, where.queries, where.keys), dtype=np.float32)
    weights *= where.seen()
    together = Permutations(where).column_mass(LayerView.from_weights(weights, where))
    for head, weights_of_head in enumerate(weights):
        alone = Permutations(where).column_mass(LayerView.from_weights(weights_of_head[None], where))
        np.testing.assert_array_equal(alone[0], together[head])
