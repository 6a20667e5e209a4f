"""Attention flow beside another implementation, and on graphs that can be followed by hand."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hand_made import hand_crossed, hand_made, layout_for
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rollout import softmax_rows

from attention_gallery.analysis import flow_views, load_views, save_views
from attention_gallery.analysis.attention_flow import attention_flow, flows_needed
from attention_gallery.analysis.rollout import with_residual
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


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_flows_are_those_of_networkx(seed: int, layers: int, count: int, causal: bool) -> None:
    attention = hand_made(softmax_rows(seed, layers, 2, count, causal), causal=causal)
    found = list(attention_flow(attention))
    assert len(found) == layers
    for depth, flow in enumerate(found, 1):
        np.testing.assert_allclose(flow, by_networkx(attention, depth, count), rtol=0, atol=1e-7)
        np.testing.assert_allclose(flow.sum(axis=1), 1)
        if causal:
            assert not np.triu(flow, 1).any()


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
    assert save_views(load_views(save_views(views))) == save_views(views)
    assert flow_views(attention, below).top("flow") is None


def test_cross_attention_has_no_flow() -> None:
    attention = hand_crossed(np.full((1, 1, 2, 4), 0.25))
    with pytest.raises(ValueError, match="cross attention"):
        next(attention_flow(attention))
    assert flow_views(attention, AnalysisSettings()).top("flow") is None
