"""From stored attention to a `SentenceAnalysis`, reading layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.gauge import Gauge, Reading
from attention_gallery.analysis.head_types import Thresholds, classify
from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.analysis.pairs import far_pair, standing_out, strongest_keys
from attention_gallery.analysis.sentence import SentenceAnalysis
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention

# Small layers are measured together, up to so many weights (1 MiB), to spare per-call cost.
BATCH_WEIGHTS = 2**18


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What a few consecutive layers contribute; axes as in `SentenceAnalysis`."""

    reading: Reading
    top_keys: tuple[Int32, Float32]
    top_content_keys: tuple[Int32, Float32]
    standouts: tuple[Int32, Int32, Float32]
    far: tuple[Int32, Int32, Float32]
    total: Float32


def analyse(
    attention: StoredAttention, settings: AnalysisSettings, thresholds: Thresholds | None = None
) -> SentenceAnalysis:
    """Measure every head of one capture.

    Holds one layer at a time, or a few small ones. Raises `DamagedEntry` when a layer has the wrong
    shape or holds values that are not numbers.
    """
    thresholds = thresholds or Thresholds()
    facts = attention.facts
    layout = layout_of(attention, settings.window)
    gauge = Gauge(layout)
    parts = [_measure(weights, gauge, settings) for weights in _batches(attention)]
    shape = (len(gauge.metrics), facts.layers, facts.heads)
    readings = [part.reading for part in parts]
    values, mean, deviation = (
        np.concatenate([getattr(reading, name) for reading in readings], axis=1).reshape(shape)
        for name in ("values", "shuffled_mean", "shuffled_deviation")
    )
    named = {metric.name: row for metric, row in zip(gauge.metrics, values, strict=True)}
    return SentenceAnalysis(
        key=attention.key,
        tokens=layout.queries,
        keys=layout.keys,
        kind=layout.kind,
        window=settings.window,
        thresholds=thresholds,
        metrics=tuple(
            metric.describe(row, layout.queries) for metric, row in zip(gauge.metrics, values, strict=True)
        ),
        queries=gauge.queries,
        uniform=gauge.uniform,
        shuffled_mean=mean,
        shuffled_deviation=deviation,
        types=classify(named, gauge.uniform, thresholds, gauge.queries),
        **_joined(parts),
        overall_average=np.sum([part.total for part in parts], axis=0) / np.float32(facts.layers),
    )


def layout_of(attention: StoredAttention, window: int) -> Layout:
    """What all heads of a capture share."""
    kind = attention.facts.kind
    if kind == "cross":
        return Layout.crossing(attention.tokens, attention.keys, window=window)
    return Layout.of(attention.tokens, causal=kind == "decoder", window=window)


def _batches(attention: StoredAttention) -> Iterator[Float32]:
    """The layers in order, a few small ones at a time: float32[layer, head, query, key]."""
    facts = attention.facts
    shape = (facts.heads, len(attention.tokens), len(attention.keys))
    step = max(1, BATCH_WEIGHTS // max(1, math.prod(shape)))
    for start in range(0, facts.layers, step):
        layers = [
            _checked(attention.layer(index).weights, shape, index)
            for index in range(start, min(start + step, facts.layers))
        ]
        yield np.stack(layers) if len(layers) > 1 else layers[0][None]


def _checked(weights: Float32, shape: tuple[int, int, int], index: int) -> Float32:
    if weights.shape != shape:
        raise DamagedEntry(f"layer {index} holds weights of shape {weights.shape}, not {shape}")
    return np.asarray(weights, dtype=np.float32)


def _measure(weights: Float32, gauge: Gauge, settings: AnalysisSettings) -> _Part:
    """Measure consecutive layers: weights float32[layer, head, query, key]."""
    layers, heads = weights.shape[:2]
    layout = gauge.layout
    view = LayerView.of(weights.reshape(layers * heads, layout.queries, layout.keys), layout)
    if not np.isfinite(view.row_sums).all():
        raise DamagedEntry("a layer holds weights that are not numbers")
    average = weights.sum(axis=1) / np.float32(heads)
    queries, keys, best = standing_out(view.weights, layout)
    far = far_pair(view.weights, layout)
    per_head = (layers, heads, -1)
    return _Part(
        reading=gauge.read(view),
        top_keys=strongest_keys(average, settings.top_keys),
        top_content_keys=strongest_keys(average * layout.content, settings.top_keys),
        standouts=(queries.reshape(per_head), keys.reshape(per_head), best.reshape(per_head)),
        far=(far[0].reshape(layers, heads), far[1].reshape(layers, heads), far[2].reshape(layers, heads)),
        total=average.sum(axis=0),
    )


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
