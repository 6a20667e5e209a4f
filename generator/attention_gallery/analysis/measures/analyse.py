"""From stored attention to a `SentenceAnalysis`, reading layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.evaluator import Gauge, Reading
from attention_gallery.analysis.measures.head_blocks import Block, hand_out
from attention_gallery.analysis.measures.head_types import Thresholds, weigh
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import METRICS, metrics_for
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.measures.top_pairs import Tops, strongest_content
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention

_PAIRS = ("standouts_q", "standouts_k", "standouts_w", "far_q", "far_k", "far_w")
_STRONGEST = ("top_keys", "top_weights", "top_content_keys", "top_content_weights")


@dataclass(frozen=True, slots=True, eq=False)
class _Strongest:
    """What is found on the average of the heads of a few whole layers; axes as in `SentenceAnalysis`."""

    uniform: Float32
    queries: Int32
    top_keys: Int32
    top_weights: Float32
    top_content_keys: Int32
    top_content_weights: Float32

    @classmethod
    def of(cls, average: Float32, gauge: Gauge, count: int) -> _Strongest:
        """Of the averages float32[layer, query, key] of layers that are measured with the same gauge."""
        every, content = strongest_content(average, gauge.layout.content, count)
        return cls(
            _of_layers(gauge.uniform.values(), len(average)).astype(np.float32),
            _of_layers(gauge.queries.values(), len(average)).astype(np.int32),
            *every,
            *content,
        )


def _of_layers(numbers: Iterable[float], layers: int) -> NDArray[Any]:
    """The same number for each of some layers: [measure, layer]."""
    return np.array(list(numbers))[:, None].repeat(layers, axis=1)


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
    measuring = Measuring(attention, settings, thresholds, metrics)
    hand_out(attention, [measuring])
    return measuring.result()


class Measuring:
    """Takes the heads of one capture, block by block, for `analyse`."""

    def __init__(
        self,
        attention: StoredAttention,
        settings: AnalysisSettings,
        thresholds: Thresholds | None = None,
        metrics: Sequence[Metric] = METRICS,
    ) -> None:
        self._attention = attention
        self._settings = settings
        self._thresholds = thresholds or Thresholds()
        self._metrics = metrics_for(attention.facts.kind, metrics)
        self._gauges: dict[int | None, Gauge] = {}
        self._read: list[Reading] = []
        self._tops: list[Tops] = []
        self._strongest: list[_Strongest] = []
        self._sum = self._total = np.zeros((0, 0), np.float32)

    def take(self, block: Block) -> None:
        """Measure the heads of a block."""
        gauge = self._gauges.get(block.reach)
        if gauge is None:
            layout = layout_of(self._attention, self._settings.window, block.reach)
            gauge = self._gauges[block.reach] = Gauge(layout, self._metrics)
        view = LayerView.of(block.weights, gauge.layout)
        if not np.isfinite(view.row_sums).all():
            raise DamagedEntry("a layer holds weights that are not numbers")
        self._read.append(gauge.read(view))
        self._tops.append(Tops.of(block.weights, gauge.layout))
        self._add(block, gauge)

    def _add(self, block: Block, gauge: Gauge) -> None:
        """Add the heads of a block to the sums of their layers, and go on with every layer that is whole."""
        heads = self._attention.facts.heads
        weights = block.weights.reshape(block.layers, block.heads, *block.weights.shape[1:])
        if block.head == 0:
            self._sum = weights.sum(axis=1)
        else:
            for head in range(block.heads):
                self._sum += weights[:, head]
        if block.head + block.heads == heads:
            self._sum /= np.float32(heads)
            self._strongest.append(_Strongest.of(self._sum, gauge, self._settings.top_keys))
            for average in self._sum:
                self._total = self._total + average if self._total.size else average

    def result(self) -> SentenceAnalysis:
        """What was measured on all blocks."""
        facts, thresholds = self._attention.facts, self._thresholds
        shape = (facts.layers, facts.heads)
        layout = next(iter(self._gauges.values())).layout
        values, mean, deviation = (
            np.concatenate([getattr(part, name) for part in self._read], axis=1).reshape(-1, *shape)
            for name in ("values", "shuffled_mean", "shuffled_deviation")
        )
        tops = Tops.joined(self._tops)
        standouts = (one.reshape(*shape, -1) for one in tops.standing_out(layout))
        far = (one.reshape(shape) for one in tops.far_pair(layout))
        pairs: dict[str, Any] = dict(zip(_PAIRS, (*standouts, *far), strict=True))
        names = [metric.name for metric in self._metrics]
        uniform, queries = (
            dict(
                zip(
                    names,
                    np.concatenate([getattr(one, name) for one in self._strongest], axis=1),
                    strict=True,
                )
            )
            for name in ("uniform", "queries")
        )
        types, also = weigh(dict(zip(names, values, strict=True)), uniform, thresholds, queries)
        return SentenceAnalysis(
            key=self._attention.key,
            tokens=layout.queries,
            keys=layout.keys,
            kind=layout.kind,
            window=self._settings.window,
            thresholds=thresholds,
            metrics=tuple(
                metric.describe(row, layout.queries)
                for metric, row in zip(self._metrics, values, strict=True)
            ),
            queries=queries,
            uniform=uniform,
            shuffled_mean=mean,
            shuffled_deviation=deviation,
            types=types,
            also=also,
            **pairs,
            **{
                name: np.concatenate([getattr(part, name) for part in self._strongest]) for name in _STRONGEST
            },
            overall_average=self._total / np.float32(facts.layers),
        )


def layout_of(attention: StoredAttention, window: int, reach: int | None = None) -> Layout:
    """What all heads of a capture share, those of layers that reach no further than `reach` tokens."""
    kind = attention.facts.kind
    if kind == "cross":
        return Layout.crossing(attention.tokens, attention.keys, window=window)
    return Layout.of(attention.tokens, causal=kind == "decoder", window=window, reach=reach)
