"""From stored attention to a `SentenceAnalysis`, reading layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.evaluator import MetricEvaluator, MetricValues
from attention_gallery.analysis.measures.head_blocks import Block, feed_blocks, joined
from attention_gallery.analysis.measures.head_types import Thresholds, decide_types
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import METRICS, metrics_for
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.measures.top_pairs import StrongestKeys, strongest_content
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention


class _LayerSummary(NamedTuple):
    """What is known of a few whole layers: of their layout, and of the average of their heads.

    uniform: float32[layer, metric], queries: int32[layer, metric]; the others as in `SentenceAnalysis`.
    """

    uniform: Float32
    queries: Int32
    top_keys: Int32
    top_weights: Float32
    top_content_keys: Int32
    top_content_weights: Float32

    @classmethod
    def from_averages(cls, average: Float32, evaluator: MetricEvaluator, count: int) -> _LayerSummary:
        """Of the averages float32[layer, query, key] of layers that are measured with the same evaluator."""
        every, content = strongest_content(average, evaluator.layout.content, count)
        layers = (len(average), 1)
        return cls(
            np.tile(np.array(list(evaluator.uniform.values()), np.float32), layers),
            np.tile(np.array(list(evaluator.queries.values()), np.int32), layers),
            *every,
            *content,
        )


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
    accumulator = AnalysisAccumulator(attention, settings, thresholds, metrics)
    feed_blocks(attention, [accumulator])
    return accumulator.result()


class AnalysisAccumulator:
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
        self._evaluators: dict[int | None, MetricEvaluator] = {}
        self._values: list[MetricValues] = []
        self._strongest: list[StrongestKeys] = []
        self._layers: list[_LayerSummary] = []
        self._sum = self._total = np.zeros((0, 0), np.float32)

    def take(self, block: Block) -> None:
        """Measure the heads of a block."""
        # Windows differ between layers, and with them what a query sees.
        evaluator = self._evaluators.get(block.reach)
        if evaluator is None:
            layout = layout_of(self._attention, self._settings.window, block.reach)
            evaluator = self._evaluators[block.reach] = MetricEvaluator(layout, self._metrics)
        view = LayerView.from_weights(block.weights, evaluator.layout)
        if not np.isfinite(view.row_sums).all():
            raise DamagedEntry("a layer holds weights that are not numbers")
        self._values.append(evaluator.evaluate(view))
        self._strongest.append(StrongestKeys.from_weights(block.weights, evaluator.layout))
        self._add(block, evaluator)

    def _add(self, block: Block, evaluator: MetricEvaluator) -> None:
        """Add the heads of a block to the sums of their layers, and go on with every layer that is whole."""
        heads = self._attention.facts.heads
        weights = block.weights.reshape(block.layers, block.heads, *block.weights.shape[1:])
        if block.head == 0:
            self._sum = weights.sum(axis=1)
        else:
            # Head after head, as numpy sums this axis: the mean is the same however a layer is divided.
            for head in range(block.heads):
                self._sum += weights[:, head]
        if block.head + block.heads == heads:
            self._sum /= np.float32(heads)
            self._layers.append(_LayerSummary.from_averages(self._sum, evaluator, self._settings.top_keys))
            for average in self._sum:
                self._total = self._total + average if self._total.size else average

    def result(self) -> SentenceAnalysis:
        """What was measured on all blocks."""
        facts, layout = self._attention.facts, next(iter(self._evaluators.values())).layout
        shape = (facts.layers, facts.heads)
        values, mean, deviation = (array.reshape(-1, *shape) for array in joined(self._values, axis=1))
        strongest, layers = joined(self._strongest), joined(self._layers)
        queries, keys, weights = strongest.top_pairs(layout)
        far_queries, far_keys, far_weights = strongest.far_pair(layout)
        names = [metric.name for metric in self._metrics]
        uniform = dict(zip(names, layers.uniform.T, strict=True))
        counted = dict(zip(names, layers.queries.T, strict=True))
        types, also = decide_types(dict(zip(names, values, strict=True)), uniform, self._thresholds, counted)
        described = zip(self._metrics, values, strict=True)
        return SentenceAnalysis(
            key=self._attention.key,
            tokens=layout.queries,
            keys=layout.keys,
            kind=layout.kind,
            window=self._settings.window,
            thresholds=self._thresholds,
            metrics=tuple(metric.describe(rows, layout.queries) for metric, rows in described),
            queries=counted,
            uniform=uniform,
            shuffled_mean=mean,
            shuffled_deviation=deviation,
            types=types,
            also=also,
            top_pair_queries=queries.reshape(*shape, -1),
            top_pair_keys=keys.reshape(*shape, -1),
            top_pair_weights=weights.reshape(*shape, -1),
            far_pair_query=far_queries.reshape(shape),
            far_pair_key=far_keys.reshape(shape),
            far_pair_weight=far_weights.reshape(shape),
            overall_average=self._total / np.float32(facts.layers),
            top_keys=layers.top_keys,
            top_weights=layers.top_weights,
            top_content_keys=layers.top_content_keys,
            top_content_weights=layers.top_content_weights,
        )


def layout_of(attention: StoredAttention, window: int, reach: int | None = None) -> Layout:
    """What all heads of a capture share, those of layers that reach no further than `reach` tokens."""
    kind = attention.facts.kind
    if kind == "cross":
        return Layout.crossing(attention.tokens, attention.keys, window=window)
    return Layout.from_tokens(attention.tokens, causal=kind == "decoder", window=window, reach=reach)
