"""All measures of one sentence's layout, each beside what it would be without a head's choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.linear import Linear
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import metrics_for
from attention_gallery.analysis.measures.permutation import Permutations
from attention_gallery.records import Float32


class MetricValues(NamedTuple):
    """The measures of some heads: float32[metric, head] each, NaN where undefined.

    shuffled_mean, shuffled_deviation: over permutations of the weights of each row.
    """

    values: Float32
    shuffled_mean: Float32
    shuffled_deviation: Float32


class MetricEvaluator:
    """Measures heads of one layout. What all heads share is worked out once.

    uniform: what evenly spread attention gives, by name. queries: on how many queries each measure rests.
    """

    def __init__(self, layout: Layout, metrics: Sequence[Metric] | None = None) -> None:
        self.layout = layout
        self.metrics = tuple(metrics_for(layout.kind) if metrics is None else metrics)
        numbered = list(enumerate(self.metrics))
        self._linear_indices = [index for index, metric in numbered if metric.pattern is not None]
        self._others = [(index, metric) for index, metric in numbered if metric.pattern is None]
        patterns = [metric.pattern(layout) for metric in self.metrics if metric.pattern is not None]
        self._linear = Linear.from_patterns(layout, patterns)
        ranges = [self.metrics[index].range_for(layout.queries) for index in self._linear_indices]
        self._least, self._greatest = np.array(ranges, np.float32).reshape(-1, 2).T[:, :, None]
        weights = layout.queries * layout.keys
        self._drawn = [
            (index, metric, metric.draws.count(weights)) for index, metric in self._others if metric.ordered
        ]
        self._permutations = Permutations(layout, max((count for _, _, count in self._drawn), default=0))
        even = LayerView.from_weights(layout.uniform()[None], layout)
        uniform = np.full(len(numbered), np.nan, np.float32)
        uniform[self._linear_indices] = self._linear.uniform
        for index, metric in self._others:
            uniform[index] = metric(even)[0]
        queries = np.full(len(numbered), layout.choosing.sum())
        queries[self._linear_indices] = self._linear.counted
        names = [metric.name for metric in self.metrics]
        self.uniform: dict[str, float] = dict(zip(names, uniform.tolist(), strict=True))
        self.queries: dict[str, int] = dict(zip(names, queries.tolist(), strict=True))

    def evaluate(self, view: LayerView) -> MetricValues:
        """Every measure of every head in view, with its baselines."""
        shape = (len(self.metrics), view.heads)
        values, mean, deviation = (np.full(shape, np.nan, dtype=np.float32) for _ in range(3))
        linear, deviation[self._linear_indices] = self._linear.measure(view)
        # Rounding may carry a share just over its bounds.
        values[self._linear_indices] = np.minimum(np.maximum(linear, self._least), self._greatest)
        # Over all orders the mean is what even attention gives, since rows sum to 1; see `linear`.
        mean[self._linear_indices] = self._linear.uniform[:, None]
        for index, metric in self._others:
            values[index] = metric(view)
            if not metric.ordered:
                # Shuffling a row changes nothing of it.
                mean[index] = values[index]
                deviation[index] = np.where(np.isnan(values[index]), np.nan, 0)
        self._draw(view, mean, deviation)
        return MetricValues(values, mean, deviation)

    def _draw(self, view: LayerView, mean: Float32, deviation: Float32) -> None:
        """Fill in what draws tell of the measures that have no closed form."""
        for index, metric, count in self._drawn:
            # Draws last: numpy adds a head's in the same way then, however many heads there are.
            draws = self._permutations.views(view, count)
            samples = np.stack([metric(permuted) for permuted in draws], axis=1)
            mean[index], deviation[index] = samples.mean(axis=1), samples.std(axis=1, ddof=1)
