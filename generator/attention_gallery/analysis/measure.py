"""From stored attention to a `SentenceAnalysis`, reading layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.gauge import Gauge, Reading
from attention_gallery.analysis.head_types import Thresholds, classify
from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.analysis.metrics import METRICS, Metric, metrics_for
from attention_gallery.analysis.pairs import far_pair, standing_out, strongest_keys
from attention_gallery.analysis.sentence import SentenceAnalysis
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention

# Small layers are measured together, up to so many weights (1 MiB), to spare per-call cost.
BATCH_WEIGHTS = 2**18
# Of large layers so many heads are measured together, since they share what is moved.
FEWEST_HEADS = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What a few consecutive layers contribute; axes as in `SentenceAnalysis`."""

    reading: Reading
    uniform: Float32
    queries: Int32
    top_keys: tuple[Int32, Float32]
    top_content_keys: tuple[Int32, Float32]
    standouts: tuple[Int32, Int32, Float32]
    far: tuple[Int32, Int32, Float32]
    total: Float32


def analyse(
    attention: StoredAttention,
    settings: AnalysisSettings,
    thresholds: Thresholds | None = None,
    metrics: Sequence[Metric] = METRICS,
) -> SentenceAnalysis:
    """Measure every head of one capture.

    Holds one layer at a time, or a few small ones. Raises `DamagedEntry` when a layer has the wrong
    shape or holds values that are not numbers, and whatever a measure of somebody else raises.
    """
    thresholds = thresholds or Thresholds()
    facts = attention.facts
    layout = layout_of(attention, settings.window)
    own = metrics_for(layout.kind, metrics)
    gauges: dict[int | None, Gauge] = {}
    parts = []
    for reach, weights in layer_batches(attention):
        if reach not in gauges:
            gauges[reach] = Gauge(layout_of(attention, settings.window, reach), own)
        parts.append(_measure(weights, gauges[reach], settings))
    names = [metric.name for metric in own]
    values, mean, deviation = _readings(parts, (len(own), facts.layers, facts.heads))
    uniform, queries = (
        dict(zip(names, np.concatenate([getattr(part, name) for part in parts], axis=1), strict=True))
        for name in ("uniform", "queries")
    )
    named = dict(zip(names, values, strict=True))
    return SentenceAnalysis(
        key=attention.key,
        tokens=layout.queries,
        keys=layout.keys,
        kind=layout.kind,
        window=settings.window,
        thresholds=thresholds,
        metrics=tuple(metric.describe(row, layout.queries) for metric, row in zip(own, values, strict=True)),
        queries=queries,
        uniform=uniform,
        shuffled_mean=mean,
        shuffled_deviation=deviation,
        types=classify(named, uniform, thresholds, queries),
        **_joined(parts),
        overall_average=np.sum([part.total for part in parts], axis=0) / np.float32(facts.layers),
    )


def layout_of(attention: StoredAttention, window: int, reach: int | None = None) -> Layout:
    """What all heads of a capture share, those of layers that reach no further than `reach` tokens."""
    kind = attention.facts.kind
    if kind == "cross":
        return Layout.crossing(attention.tokens, attention.keys, window=window)
    return Layout.of(attention.tokens, causal=kind == "decoder", window=window, reach=reach)


def layer_batches(attention: StoredAttention) -> Iterator[tuple[int | None, Float32]]:
    """The layers in order, with their reach, a few small ones at a time: float32[layer, head, query, key]."""
    facts = attention.facts
    shape = (facts.heads, len(attention.tokens), len(attention.keys))
    step = max(1, BATCH_WEIGHTS // max(1, math.prod(shape)))
    reaches = reaches_of(attention)
    start = 0
    while start < facts.layers:
        end = start + 1
        while end < min(start + step, facts.layers) and reaches[end] == reaches[start]:
            end += 1
        layers = [_checked(attention.layer(index).weights, shape, index) for index in range(start, end)]
        yield reaches[start], np.stack(layers) if len(layers) > 1 else layers[0][None]
        start = end


def reaches_of(attention: StoredAttention) -> list[int | None]:
    """How far apart query and key may be in each layer; None where every key is near enough."""
    facts = attention.facts
    windows = facts.windows or (None,) * facts.layers
    farthest = len(attention.tokens) - 1
    # A window counts the query itself.
    return [None if window is None or window > farthest else window - 1 for window in windows]


def _checked(weights: Float32, shape: tuple[int, int, int], index: int) -> Float32:
    if weights.shape != shape:
        raise DamagedEntry(f"layer {index} holds weights of shape {weights.shape}, not {shape}")
    return np.asarray(weights, dtype=np.float32)


def _measure(weights: Float32, gauge: Gauge, settings: AnalysisSettings) -> _Part:
    """Measure consecutive layers: weights float32[layer, head, query, key]."""
    layers, heads = weights.shape[:2]
    layout = gauge.layout
    flat = weights.reshape(layers * heads, layout.queries, layout.keys)
    # Some heads at a time, so that what is computed on the way stays near the processor.
    step = max(FEWEST_HEADS, BATCH_WEIGHTS // max(1, layout.queries * layout.keys))
    found = [_heads(flat[first : first + step], gauge) for first in range(0, len(flat), step)]
    reading, standouts, far = zip(*found, strict=True)
    average = weights.sum(axis=1) / np.float32(heads)
    return _Part(
        reading=Reading(*(np.concatenate(part, axis=1) for part in zip(*map(_arrays, reading), strict=True))),
        uniform=_of_layers(gauge.uniform.values(), layers).astype(np.float32),
        queries=_of_layers(gauge.queries.values(), layers).astype(np.int32),
        top_keys=strongest_keys(average, settings.top_keys),
        top_content_keys=strongest_keys(average * layout.content, settings.top_keys),
        standouts=_per_head(standouts, (layers, heads, -1)),
        far=_per_head(far, (layers, heads)),
        total=average.sum(axis=0),
    )


_Pairs = tuple[Int32, Int32, Float32]


def _heads(weights: Float32, gauge: Gauge) -> tuple[Reading, _Pairs, _Pairs]:
    """Measures, standouts and far pairs of some heads, float32[head, query, key]."""
    view = LayerView.of(weights, gauge.layout)
    if not np.isfinite(view.row_sums).all():
        raise DamagedEntry("a layer holds weights that are not numbers")
    return gauge.read(view), standing_out(weights, gauge.layout), far_pair(weights, gauge.layout)


def _arrays(reading: Reading) -> tuple[Float32, Float32, Float32]:
    return reading.values, reading.shuffled_mean, reading.shuffled_deviation


def _per_head(parts: Sequence[_Pairs], shape: tuple[int, ...]) -> _Pairs:
    """Pairs of all heads, put together and divided among the layers."""
    queries, keys, weights = (np.concatenate(part).reshape(shape) for part in zip(*parts, strict=True))
    return queries, keys, weights


def _readings(parts: Sequence[_Part], shape: tuple[int, int, int]) -> list[Float32]:
    """Values, shuffled means and deviations of all parts: [measure, layer, head] each."""
    arrays = zip(*(_arrays(part.reading) for part in parts), strict=True)
    return [np.concatenate(part, axis=1).reshape(shape) for part in arrays]


def _of_layers(numbers: Iterable[float], layers: int) -> NDArray[Any]:
    """The same number for each of some layers: [measure, layer]."""
    return np.array(list(numbers))[:, None].repeat(layers, axis=1)


def _joined(parts: Sequence[_Part]) -> dict[str, NDArray[Any]]:
    """Keys and pairs of all parts, put together along the layers, by their names in `SentenceAnalysis`."""
    names = {
        "top_keys": ("top_keys", "top_weights"),
        "top_content_keys": ("top_content_keys", "top_content_weights"),
        "standouts": ("standouts_q", "standouts_k", "standouts_w"),
        "far": ("far_q", "far_k", "far_w"),
    }
    return {
        name: np.concatenate([getattr(part, group)[place] for part in parts])
        for group, members in names.items()
        for place, name in enumerate(members)
    }
