"""Where each token's information comes from, in other ways than by raw attention, so that it can be compared.

A view gives for each layer and token the tokens that it draws from most. Raw attention itself is in the
`SentenceAnalysis`, with as many keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.attribution.maximum_flow import attention_flow, flows_needed
from attention_gallery.analysis.attribution.norm_weighted import Sinks, norm_weighted, shares_of
from attention_gallery.analysis.attribution.rollout import rollout
from attention_gallery.analysis.codec import pack_fields, unpack_fields
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.analysis.measures.top_pairs import strongest_keys
from attention_gallery.analysis.result import Result
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention

MAGIC = b"attention-gallery flow views 1\n"


@dataclass(frozen=True, eq=False)
class FlowViews:
    """The strongest sources of each token in each layer, by every view but raw attention.

    Keys are int32[layer, query, rank], strongest first, -1 where there are fewer; shares are
    float32[layer, query, rank], 0 to 1 of all that the token draws. A view that there is none of has arrays
    without elements.
    raw_sinks, norm_sinks: float32[layer, head], the mean share of special tokens and, in causal models, of
    the first token, in raw attention and weighted by the lengths of vectors; NaN where there are no such
    tokens, and no elements where the lengths are not known.
    """

    rollout_keys: Int32
    rollout_shares: Float32
    flow_keys: Int32
    flow_shares: Float32
    norm_keys: Int32
    norm_shares: Float32
    raw_sinks: Float32
    norm_sinks: Float32

    def top(self, name: str) -> tuple[Int32, Float32] | None:
        """Keys and shares of one view, None where there is none."""
        keys: Int32 = getattr(self, f"{name}_keys")
        return (keys, getattr(self, f"{name}_shares")) if keys.size else None


def flow_views(attention: StoredAttention, settings: AnalysisSettings) -> FlowViews:
    """Every view of one capture, layer by layer; `settings.top_keys` sources of each token.

    Cross attention has neither rollout nor flow, a long text no flow (`settings.flow_limit`), and not every
    capture has the lengths of vectors. Loads scipy where there is a flow. Raises `DamagedEntry` when
    something cannot be read.
    """
    count = settings.top_keys
    norms = attention.beside.norms
    layout = layout_of(attention, 1)
    crossing = attention.facts.kind == "cross"
    flowing = not crossing and flows_needed(layout, attention.facts.layers) <= settings.flow_limit
    paths = (
        *_strongest(() if crossing else rollout(attention), count),
        *_strongest(attention_flow(attention) if flowing else (), count),
    )
    if norms is None:
        nothing = np.zeros((0, 0), np.float32)
        return FlowViews(*paths, *_strongest((), count), nothing, nothing)
    sinks = Sinks.from_layout(layout)
    averages, raw_sinks, norm_sinks = [], [], []
    for index in range(attention.facts.layers):
        weights = attention.layer(index).weights
        lengths = norm_weighted(weights, norms[index])
        averages.append(shares_of(lengths.mean(axis=0, dtype=np.float32)))
        raw_sinks.append(sinks.mass(weights))
        norm_sinks.append(sinks.mass(shares_of(lengths)))
    return FlowViews(*paths, *_strongest(averages, count), np.stack(raw_sinks), np.stack(norm_sinks))


def _strongest(layers: Iterable[NDArray[Any]], count: int) -> tuple[Int32, Float32]:
    strongest = [strongest_keys(layer.astype(np.float32), count) for layer in layers]
    if not strongest:
        return np.zeros((0, 0, 0), np.int32), np.zeros((0, 0, 0), np.float32)
    return np.stack([keys for keys, _ in strongest]), np.stack([shares for _, shares in strongest])


FLOW_VIEWS: Result[FlowViews] = Result(
    name="flow views",
    needs=("capture",),
    settings=("top_keys", "flow_limit"),
    compute=lambda captures, settings, about: flow_views(next(captures), settings),
    dump=partial(pack_fields, MAGIC),
    load=lambda data, about: unpack_fields(MAGIC, FlowViews, data),
    subjects=lambda inventory: inventory.capture_subjects,
)
