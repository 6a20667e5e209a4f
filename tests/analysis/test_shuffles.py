"""Shuffled weights stay their query's own and in its sight, and each order is as likely as any other."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import marked

from attention_gallery.analysis import LayerView, Layout
from attention_gallery.analysis.measures.permutation import FEW, MANY, Permutations


def layouts(count: int) -> list[Layout]:
    tokens = marked("t", count)
    return [
        Layout.from_tokens(tokens, causal=False, window=2),
        Layout.from_tokens(tokens, causal=True, window=2),
        Layout.from_tokens(tokens, causal=True, window=2, reach=3),
        Layout.from_tokens(tokens, causal=False, window=2, reach=4),
        Layout.crossing(tokens, marked("s", 7), window=2),
    ]


@pytest.mark.parametrize("tokens", [1, 2, 5, 37])
@pytest.mark.parametrize("number", range(5))
def test_each_query_keeps_its_weights_where_it_sees(tokens: int, number: int) -> None:
    where = layouts(tokens)[number]
    weights = np.random.default_rng(tokens).random((2, where.queries, where.keys), dtype=np.float32)
    weights *= where.seen()
    views = list(Permutations(where, 20).views(LayerView.from_weights(weights, where), 20))
    assert len(views) == 20
    for shuffled in views:
        assert not shuffled.weights[:, ~where.seen()].any()
        np.testing.assert_array_equal(np.sort(shuffled.weights, axis=2), np.sort(weights, axis=2))


@pytest.mark.parametrize("number", range(5))
def test_every_key_in_sight_gets_each_weight_as_often(number: int) -> None:
    where = layouts(29)[number]
    weights = np.zeros((3, where.queries, where.keys), np.float32)
    for head, query in enumerate((2, 20, 28)):
        weights[head, query, where.seen()[query].argmax()] = 1
    views = Permutations(where, 4000).views(LayerView.from_weights(weights, where), 4000)
    shares = np.mean([shuffled.weights for shuffled in views], axis=0)
    for head, query in enumerate((2, 20, 28)):
        expected = where.seen()[query] / where.visible[query]
        error = np.sqrt(expected * (1 - expected) / 4000)
        assert np.all(np.abs(shares[head, query] - expected) <= 5 * error)


def test_more_draws_change_none_of_those_before() -> None:
    where = layouts(9)[1]
    view = LayerView.from_weights(where.uniform()[None] * np.arange(9, dtype=np.float32), where)
    few, many = (list(Permutations(where, count).views(view, count)) for count in (5, 40))
    for first, second in zip(few, many, strict=False):
        np.testing.assert_array_equal(first.weights, second.weights)


@pytest.mark.parametrize(
    ("tokens", "many", "few"),
    [(1, 64, 12), (73, 64, 12), (128, 64, 4), (256, 64, 4), (512, 16, 4), (4096, 8, 4)],
)
def test_long_texts_have_fewer_draws(tokens: int, many: int, few: int) -> None:
    assert MANY.count(tokens**2) == many
    assert FEW.count(tokens**2) == few
