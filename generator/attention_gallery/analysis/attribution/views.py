"""Where each token's information comes from, in other ways than by raw attention, so that it can be compared.

A view gives for each layer and token the tokens that it draws from most. Raw attention itself is kept in the
`SentenceAnalysis`, with as many keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.attribution.norm_weighted import Sinks, norm_weighted, shares_of
from attention_gallery.analysis.attribution.view_registry import VIEWS
from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.analysis.measures.top_pairs import strongest_keys
from attention_gallery.analysis.result import Result
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import AttentionLayer, Float32, Int32, StoredAttention

MAGIC = b"attention-gallery flow views 1\n"
TopKeys = tuple[Int32, Float32]
_ARRAYS = {"keys": "<i4", "shares": "<f4"}
# What a view that is absent is cached as, so that every file has the same arrays.
_NO_KEYS: TopKeys = np.zeros((0, 0, 0), np.int32), np.zeros((0, 0, 0), np.float32)
_NO_SINKS: Float32 = np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class FlowViews:
    """The strongest sources of each token in each layer, by every view but raw attention.

    top_keys: by name of the views that there are, keys int32[layer, query, rank], strongest first, -1 where
    there are fewer, and shares float32[layer, query, rank], 0 to 1 of all that the token draws.
    raw_sinks, norm_sinks: float32[layer, head], the mean share of special tokens and, in causal models, of
    the first token, in raw attention and weighted by the lengths of vectors; NaN where there are no such
    tokens, and no elements where the lengths are not known.
    """

    top_keys: Mapping[str, TopKeys]
    raw_sinks: Float32
    norm_sinks: Float32

    def top(self, name: str) -> TopKeys | None:
        """Keys and shares of one view, None where there is none."""
        return self.top_keys.get(name)


def flow_views(attention: StoredAttention, settings: AnalysisSettings) -> FlowViews:
    """Every view of one capture, layer by layer; `settings.top_keys` sources of each token.

    Loads scipy where there is a flow. Raises `DamagedEntry` when something cannot be read.
    """
    # All views go from layer to layer together, so that each layer is read once for them all.
    reader = cast(StoredAttention, _LatestLayer(attention))
    count, facts = settings.top_keys, attention.facts
    sources = {
        view.name: iter(view.layers(reader))
        for view in VIEWS
        if view.layers is not None and not view.absent(attention, settings)
    }
    sinks = _sinks(reader)
    tops: dict[str, list[TopKeys]] = {name: [] for name in sources}
    masses = []
    for _ in range(facts.layers):
        for name, layers in sources.items():
            tops[name].append(strongest_keys(next(layers).astype(np.float32), count))
        masses.append(next(sinks))
    stacked = {name: _stacked(layers) for name, layers in tops.items()}
    return FlowViews(stacked, *_stacked(masses))


class _LatestLayer:
    """A capture, of which the layer that was read last is at hand."""

    def __init__(self, attention: StoredAttention) -> None:
        self._attention = attention
        self._latest: AttentionLayer | None = None

    def layer(self, index: int) -> AttentionLayer:
        """One layer. Raises `DamagedEntry` when it cannot be read."""
        if self._latest is None or self._latest.index != index:
            self._latest = self._attention.layer(index)
        return self._latest

    def __getattr__(self, name: str) -> Any:
        """Everything else is the capture's."""
        return getattr(self._attention, name)


def _sinks(attention: StoredAttention) -> Iterator[tuple[Float32, Float32]]:
    """The mass on sinks of each layer, raw and weighted; without elements where no lengths are known."""
    norms = attention.side_outputs.norms
    sinks = Sinks.from_layout(layout_of(attention, 1))
    for index in range(attention.facts.layers):
        if norms is None:
            yield _NO_SINKS, _NO_SINKS
            continue
        weights = attention.layer(index).weights
        yield sinks.mass(weights), sinks.mass(shares_of(norm_weighted(weights, norms[index])))


def _stacked(layers: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[Any, Any]:
    first, second = zip(*layers, strict=True)
    return np.stack(first), np.stack(second)


def _dump(views: FlowViews) -> bytes:
    """The views as bytes; equal views give equal bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in _computed():
        arrays[f"{name}_keys"], arrays[f"{name}_shares"] = views.top_keys.get(name, _NO_KEYS)
    return pack(MAGIC, {}, {**arrays, "raw_sinks": views.raw_sinks, "norm_sinks": views.norm_sinks})


def _load(data: bytes) -> FlowViews:
    """The views that `_dump` wrote. Raises `DamagedEntry` for any other bytes."""
    dtypes = {f"{name}_{array}": dtype for name in _computed() for array, dtype in _ARRAYS.items()}
    arrays = unpack(MAGIC, data, {**dtypes, "raw_sinks": "<f4", "norm_sinks": "<f4"})[1]
    tops = {name: (arrays[f"{name}_keys"], arrays[f"{name}_shares"]) for name in _computed()}
    present = {name: top for name, top in tops.items() if top[0].size}
    return FlowViews(present, arrays["raw_sinks"], arrays["norm_sinks"])


def _computed() -> list[str]:
    return [view.name for view in VIEWS if view.layers is not None]


FLOW_VIEWS: Result[FlowViews] = Result(
    name="flow views",
    needs=("capture",),
    settings=("top_keys", "flow_limit"),
    compute=lambda captures, settings, about: flow_views(next(captures), settings),
    dump=_dump,
    load=lambda data, about: _load(data),
    subjects=lambda inventory: inventory.capture_subjects,
)
