"""Attention flow beside another implementation, and on graphs that can be followed by hand."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hand_made import hand_crossed, hand_made, layout_for
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow
from test_rollout import softmax_rows

from attention_gallery.analysis.attribution import many_flows
from attention_gallery.analysis.attribution.flow_bounds import Reached, most_taken, proven
from attention_gallery.analysis.attribution.many_flows import maximum_flows
from attention_gallery.analysis.attribution.maximum_flow import PARTS, attention_flow, flows_needed, in_parts
from attention_gallery.analysis.attribution.rollout import with_residual
from attention_gallery.analysis.attribution.views import FLOW_VIEWS, flow_views
from attention_gallery.manifest.settings import AnalysisSettings


def by_networkx(attention: object, layers: int, count: int) -> np.ndarray:
    """The flows with widths as they are, by an algorithm that takes floats."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(range((layers + 1) * count))
    for index in range(layers):
        for query, row in enumerate(with_residual(attention.layer(index))):  # type: ignore[attr-defined]
            for key, width in enumerate(row.tolist()):
                if width:
                    graph.add_edge(index * count + key, (index + 1) * count + query, capacity=width)
    flows = np.array(
        [
            [networkx.maximum_flow_value(graph, key, layers * count + query) for key in range(count)]
            for query in range(count)
        ]
    )
    return flows / flows.sum(axis=1, keepdims=True)


def by_scipy(widths: list[np.ndarray]) -> np.ndarray:
    """The flows float64[input token, token], each by a search of its own through all edges of all layers."""
    depth, count = len(widths), len(widths[0])
    nodes = (depth + 1) * count
    dense = np.zeros((nodes, nodes), np.int32)
    for index, width in enumerate(widths):
        dense[index * count : (index + 1) * count, (index + 1) * count : (index + 2) * count] = width.T
    graph = csr_matrix(dense)
    return np.array(
        [
            [maximum_flow(graph, key, depth * count + query).flow_value for query in range(count)]
            for key in range(count)
        ],
        float,
    )


def sparse_rows(seed: int, layers: int, count: int, causal: bool, share: float) -> np.ndarray:
    """Attention of one head, float64[layer, 1, query, key], in which only some keys of a query are seen."""
    weights = softmax_rows(seed, layers, 1, count, causal)
    seen = np.random.default_rng(seed + 1).random(weights.shape) < share
    seen[..., np.arange(count), np.arange(count)] = True
    weights *= seen
    return weights / weights.sum(axis=-1, keepdims=True)


graphs = st.builds(
    sparse_rows, st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 6), st.booleans(), st.floats(0.1, 1)
)


def widths_of(weights: np.ndarray) -> list[np.ndarray]:
    attention = hand_made(weights)
    return [in_parts(with_residual(attention.layer(index))) for index in range(len(weights))]


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_flows_are_those_of_networkx(seed: int, layers: int, count: int, causal: bool) -> None:
    attention = hand_made(softmax_rows(seed, layers, 2, count, causal), causal=causal)
    flows = list(attention_flow(attention))
    assert len(flows) == layers
    for depth, flow in enumerate(flows, 1):
        np.testing.assert_allclose(flow, by_networkx(attention, depth, count), rtol=0, atol=1e-7)
        np.testing.assert_allclose(flow.sum(axis=1), 1)
        if causal:
            assert not np.triu(flow, 1).any()


@settings(max_examples=60)
@given(graphs)
def test_flows_are_exactly_those_of_one_search_each(weights: np.ndarray) -> None:
    causal = not np.triu(weights, 1).any()
    widths = widths_of(weights)
    flows = list(attention_flow(hand_made(weights, causal=causal)))
    for depth, flow in enumerate(flows, 1):
        expected = by_scipy(widths[:depth])
        np.testing.assert_array_equal(flow, (expected / expected.sum(axis=0)).T)


@pytest.mark.parametrize("edges", [1, 100, 10**6])
@pytest.mark.parametrize("causal", [True, False])
def test_many_flows_at_once_are_those_of_one_search_each(
    edges: int, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_flows, "EDGES", edges)
    widths = widths_of(softmax_rows(5, 4, 1, 7, causal))
    visible = np.tril(np.ones((7, 7), bool)) if causal else np.ones((7, 7), bool)
    sources, targets = np.nonzero(visible.T)
    most = np.full(len(sources), PARTS)
    flows = maximum_flows(widths, sources, targets, most.astype(float), visible)
    np.testing.assert_array_equal(flows, by_scipy(widths)[sources, targets])


def bounds(widths: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[Reached]]:
    """What tokens take in the last layer, the bound of their flows, and the layers before."""
    reached: list[Reached] = []
    takes = np.zeros((len(widths[0]), len(widths[0]), 0))
    for depth in range(1, len(widths)):
        reached.append(Reached.from_flows(by_scipy(widths[:depth]), takes))
        takes = most_taken(widths[depth], reached[-1])
    return takes, np.minimum(takes.sum(axis=2), widths[0].sum(axis=0)[:, None]), reached


@settings(max_examples=60)
@given(graphs.filter(lambda weights: len(weights) > 2))
def test_no_flow_is_above_its_bound_and_none_is_proven_that_does_not_exist(weights: np.ndarray) -> None:
    widths = widths_of(weights)
    flows = by_scipy(widths)
    takes, bound, reached = bounds(widths)
    assert (flows <= bound).all()
    for more in (0, 1, 1000):
        goal = np.minimum(bound, flows + more)
        assert not (proven(takes, goal, reached) & (goal > flows)).any()


def test_what_deep_causal_models_carry_is_proven_without_a_search() -> None:
    even = np.tril(np.ones((8, 8)))
    widths = widths_of(np.repeat((even / even.sum(axis=1, keepdims=True))[None, None], 10, axis=0))
    takes, bound, reached = bounds(widths)
    assert proven(takes, bound, reached).all()
    np.testing.assert_array_equal(bound, by_scipy(widths))


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_rounded_rows_sum_to_one_and_no_set_of_edges_is_far_off(seed: int, count: int) -> None:
    exact = with_residual(hand_made(softmax_rows(seed, 1, 1, count, False)).layer(0))
    parts = in_parts(exact)
    assert (parts == np.rint(parts)).all()
    assert (parts.sum(axis=1) == PARTS).all()
    off = parts - exact * PARTS
    for some in (np.maximum(off, 0), np.maximum(-off, 0)):
        assert (some.sum(axis=1) <= count / 2 + 1e-3).all()


def test_after_one_layer_flow_is_the_width_of_the_pipe() -> None:
    attention = hand_made(softmax_rows(1, 1, 3, 5, False))
    (flow,) = attention_flow(attention)
    np.testing.assert_allclose(flow, with_residual(attention.layer(0)), atol=1e-8)


def test_two_ways_of_a_half_carry_everything() -> None:
    # Token 1 looks at token 0 in both layers, so that token 0 comes by two ways, each of them half as wide.
    weights = np.array([[1, 0], [1, 0]], float)
    first, second = attention_flow(hand_made(np.stack([weights[None]] * 2), causal=True))
    np.testing.assert_allclose(first[1], [0.5, 0.5])
    np.testing.assert_allclose(second[1], [1 / 1.5, 0.5 / 1.5])


def test_a_sentence_that_would_take_too_many_has_no_flow() -> None:
    attention = hand_made(softmax_rows(1, 2, 1, 4, False))
    assert flows_needed(layout_for(4), 2) == 32
    assert flows_needed(layout_for(4, causal=True), 2) == 20
    at, below = (AnalysisSettings(flow_limit=limit) for limit in (32, 31))
    views = flow_views(attention, at)
    top = views.top("flow")
    assert top is not None
    for layer, flow in enumerate(attention_flow(attention)):
        np.testing.assert_array_equal(top[0][layer], np.argsort(-flow.astype(np.float32), 1, "stable")[:, :3])
    assert FLOW_VIEWS.dump(FLOW_VIEWS.load(FLOW_VIEWS.dump(views), None)) == FLOW_VIEWS.dump(views)
    assert flow_views(attention, below).top("flow") is None


def test_cross_attention_has_no_flow() -> None:
    attention = hand_crossed(np.full((1, 1, 2, 4), 0.25))
    with pytest.raises(ValueError, match="cross attention"):
        next(attention_flow(attention))
    assert flow_views(attention, AnalysisSettings()).top("flow") is None
