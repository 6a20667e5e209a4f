"""Many maximum flows through the same layers in one call of scipy, which costs more than most flows do.

Each pair of an input token and a token has a copy of the layers of its own; a source and a sink are joined to
all copies. In a copy the input token has an edge to each token after the first layer, and each token before
the last layer one to the sink, so that only the layers between have an edge for each key and query. Only
tokens are in it that see the input token and are seen by the last one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention_gallery.analysis.attribution.rollout import Float64
from attention_gallery.records import Bool, Int32, Int64

# More edges at once leave the processor's cache, fewer pay more for each call.
EDGES = 30_000


def maximum_flows(
    widths: Sequence[Float64], sources: Int64, targets: Int64, most: Float64, visible: Bool
) -> Float64:
    """The largest flow of each pair through three or more layers, found by scipy: float64[pair].

    widths: float64[query, key] of each layer, whole and below 2^31. sources, targets: int64[pair], input
    tokens and tokens after the last layer that see them. most: float64[pair], which no flow exceeds: what has
    reached it is not searched again. visible: bool[query, key], which keys a query can see; who sees a token
    sees all that this one sees. Loads scipy.
    """
    first, *layers, last = (width.astype(np.int32) for width in widths)
    between = visible[:, sources].T & visible[targets]
    edges = len(layers) * ((between.astype(np.float32) @ visible) * between).sum(axis=1)
    batch_numbers = (edges.cumsum() // EDGES).astype(np.int64)
    flows = np.zeros(len(sources))
    for batch in np.split(np.arange(len(sources)), np.flatnonzero(np.diff(batch_numbers)) + 1):
        ends = first.T[sources[batch]], last[targets[batch]]
        flows[batch] = _at_once(ends, layers, most[batch], between[batch], visible)
    return flows


def _at_once(
    ends: tuple[Int32, Int32], layers: Sequence[Int32], most: Float64, between: Bool, visible: Bool
) -> Float64:
    """The flows of pairs, float64[pair].

    ends: int32[pair, token], the widths from the input token and those to the last token. layers: those
    between. between: bool[pair, token], which tokens are in a copy.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow

    # Tokens on the widest way come first, so that it is tried first.
    token = np.argsort(-ends[0].astype(np.float64) * ends[1], axis=1, kind="stable").astype(np.int32)
    between = np.take_along_axis(between, token, axis=1)
    first, last = (np.take_along_axis(widths, token, axis=1)[between] for widths in ends)
    cells, heads, leaving = _edges_of_a_layer(token, between, visible)
    nodes, depth, pairs = len(first), len(layers), len(most)

    # Rows: the sink, tokens before the last layer, …, tokens after the first, input tokens, the source.
    # scipy tries edges in the order of their ends, and so looks ahead before it looks back.
    degrees = [[0], np.ones(nodes), np.tile(leaving, depth), between.sum(axis=1), [pairs]]
    capacities = [last, *(layer.ravel()[cells] for layer in reversed(layers)), first, most.astype(np.int32)]
    after = 1 + depth * nodes
    columns = [
        np.zeros(nodes, np.int32),
        *(heads + np.int32(1 + above * nodes) for above in range(depth)),
        np.arange(after, after + nodes + pairs, dtype=np.int32),
    ]
    pointers = np.concatenate([[0], *degrees]).cumsum().astype(np.int32)
    size = len(pointers) - 1
    graph = csr_matrix((np.concatenate(capacities), np.concatenate(columns), pointers), shape=(size, size))
    flow = maximum_flow(graph, size - 1, 0).flow
    flows: Float64 = flow.data[flow.indptr[-2] :].astype(np.float64)
    return flows


def _edges_of_a_layer(token: Int32, between: Bool, visible: Bool) -> tuple[Int32, Int32, Int64]:
    """The edges of one layer in all copies, in the order of copy, key and query.

    token: int32[copy, place], which token has the place. between: bool[copy, place], whether it is in the
    copy. Returns for each edge where in int32[query, key] its width is, and the number of its query among the
    tokens of all copies; and for each of these tokens how many edges leave it.
    """
    number = between.cumsum(dtype=np.int32).reshape(between.shape) - 1
    cell = token[:, None, :] * np.int32(len(visible)) + token[:, :, None]
    edges = visible.ravel()[cell] & between[:, :, None] & between[:, None, :]
    heads = np.broadcast_to(number[:, None, :], cell.shape)[edges]
    return cell[edges], heads, edges.sum(axis=2)[between]
