"""Where each token's information comes from, in other ways than by raw attention, so that it can be compared.

A view gives for each layer and token the tokens that it draws from most. Raw attention itself is kept in the
`SentenceAnalysis`, with as many keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.attribution.norm_weighted import Sinks, norm_weighted, shares_of
from attention_gallery.analysis.attribution.view_registry import VIEWS
from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.analysis.measures.top_pairs import strongest_keys
from attention_gallery.analysis.result import Result
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention

MAGIC = b"attention-gallery flow views 1\n"
Top = tuple[Int32, Float32]
_TOP = {"keys": "<i4", "shares": "<f4"}
_NO_TOP: Top = np.zeros((0, 0, 0), np.int32), np.zeros((0, 0, 0), np.float32)
_NO_SINKS: Float32 = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class FlowViews:
    """The strongest sources of each token in each layer, by every view but raw attention.

    tops: by name of the views that there are, keys int32[layer, query, rank], strongest first, -1 where there
    are fewer, and shares float32[layer, query, rank], 0 to 1 of all that the token draws.
    raw_sinks, norm_sinks: float32[layer, head], the mean share of special tokens and, in causal models, of
    the first token, in raw attention and weighted by the lengths of vectors; NaN where there are no such
    tokens, and no elements where the lengths are not known.
    """

    tops: Mapping[str, Top]
    raw_sinks: Float32
    norm_sinks: Float32

    def top(self, name: str) -> Top | None:
        """Keys and shares of one view, None where there is none."""
        return self.tops.get(name)


def flow_views(attention: StoredAttention, settings: AnalysisSettings) -> FlowViews:
    """Every view of one capture, layer by layer; `settings.top_keys` sources of each token.

    Loads scipy where there is a flow. Raises `DamagedEntry` when something cannot be read.
    """
    tops = {
        view.name: _strongest(view.layers(attention), settings.top_keys)
        for view in VIEWS
        if view.layers is not None and not view.absent(attention, settings)
    }
    return FlowViews(tops, *_sinks(attention))


def _sinks(attention: StoredAttention) -> tuple[Float32, Float32]:
    norms = attention.beside.norms
    if norms is None:
        return _NO_SINKS, _NO_SINKS
    sinks = Sinks.of(layout_of(attention, 1))
    raw, weighted = [], []
    for index in range(attention.facts.layers):
        weights = attention.layer(index).weights
        raw.append(sinks.mass(weights))
        weighted.append(sinks.mass(shares_of(norm_weighted(weights, norms[index]))))
    return np.stack(raw), np.stack(weighted)


def _strongest(layers: Iterable[NDArray[Any]], count: int) -> Top:
    tops = [strongest_keys(layer.astype(np.float32), count) for layer in layers]
    return np.stack([keys for keys, _ in tops]), np.stack([shares for _, shares in tops])


def save_views(views: FlowViews) -> bytes:
    """The views as bytes; equal views give equal bytes."""
    tops = {name: views.tops.get(name, _NO_TOP) for name in _computed()}
    arrays = {f"{name}_{array}": top[index] for name, top in tops.items() for index, array in enumerate(_TOP)}
    return pack(MAGIC, {}, {**arrays, "raw_sinks": views.raw_sinks, "norm_sinks": views.norm_sinks})


def load_views(data: bytes) -> FlowViews:
    """The views that `save_views` wrote. Raises `DamagedEntry` for any other bytes."""
    dtypes = {f"{name}_{array}": dtype for name in _computed() for array, dtype in _TOP.items()}
    arrays = unpack(MAGIC, data, {**dtypes, "raw_sinks": "<f4", "norm_sinks": "<f4"})[1]
    tops = {name: (arrays[f"{name}_keys"], arrays[f"{name}_shares"]) for name in _computed()}
    present = {name: top for name, top in tops.items() if top[0].size}
    return FlowViews(present, arrays["raw_sinks"], arrays["norm_sinks"])


def _computed() -> list[str]:
    return [view.name for view in VIEWS if view.layers is not None]


FLOW_VIEWS = Result(
    name="flow views",
    needs=("capture",),
    settings=("top_keys", "flow_limit"),
    compute=lambda captures, settings, about: flow_views(next(captures), settings),
    dump=save_views,
    load=lambda data, about: load_views(data),
    subjects=lambda inventory: inventory.each,
)
