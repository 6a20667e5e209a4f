"""All measures of one sentence's layout, each beside what it would be without a head's choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.linear import Linear
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import metrics_for
from attention_gallery.analysis.measures.permutation import Shuffles
from attention_gallery.records import Float32


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The measures of some heads: float32[metric, head] each, NaN where undefined.

    shuffled_mean, shuffled_deviation: over the orders of the weights of each row.
    """

    values: Float32
    shuffled_mean: Float32
    shuffled_deviation: Float32


class Gauge:
    """Measures heads of one layout. What all heads share is worked out once.

    uniform: what evenly spread attention gives, by name. queries: on how many queries each measure rests.
    """

    def __init__(self, layout: Layout, metrics: Sequence[Metric] | None = None) -> None:
        self.layout = layout
        self.metrics = tuple(metrics_for(layout.kind) if metrics is None else metrics)
        self._places = [index for index, metric in enumerate(self.metrics) if metric.pattern is not None]
        patterns = [metric.pattern(layout) for metric in self.metrics if metric.pattern is not None]
        self._linear = Linear.of(layout, patterns)
        ranges = [self.metrics[index].range_for(layout.queries) for index in self._places]
        self._least, self._greatest = np.array(ranges, np.float32).reshape(-1, 2).T[:, :, None]
        self._others = [
            (index, metric) for index, metric in enumerate(self.metrics) if metric.pattern is None
        ]
        size = layout.queries * layout.keys
        self._drawn = [
            (index, metric, metric.draws.count(size)) for index, metric in self._others if metric.ordered
        ]
        self._shuffles = Shuffles(layout, max((count for _, _, count in self._drawn), default=0))
        self.uniform = self._uniform()
        self.queries = self._queries()

    def _uniform(self) -> dict[str, float]:
        even = LayerView.of(self.layout.uniform()[None], self.layout)
        found = {
            metric.name: float(metric(even)[0]) if metric.pattern is None else float("nan")
            for metric in self.metrics
        }
        for place, value in zip(self._places, self._linear.uniform.tolist(), strict=True):
            found[self.metrics[place].name] = float(np.float32(value))
        return found

    def _queries(self) -> dict[str, int]:
        found = {metric.name: int(self.layout.choosing.sum()) for metric in self.metrics}
        for place, count in zip(self._places, self._linear.counted.tolist(), strict=True):
            found[self.metrics[place].name] = int(count)
        return found

    def read(self, view: LayerView) -> Reading:
        """Every measure of every head in view, with its baselines."""
        shape = (len(self.metrics), view.heads)
        values, mean, deviation = (np.full(shape, np.nan, dtype=np.float32) for _ in range(3))
        linear, deviation[self._places] = self._linear.measure(view)
        values[self._places] = np.minimum(np.maximum(linear, self._least), self._greatest)
        mean[self._places] = self._linear.uniform[:, None]
        for index, metric in self._others:
            values[index] = metric(view)
            if not metric.ordered:
                mean[index] = values[index]
                deviation[index] = np.where(np.isnan(values[index]), np.nan, 0)
        self._draw(view, mean, deviation)
        return Reading(values, mean, deviation)

    def _draw(self, view: LayerView, mean: Float32, deviation: Float32) -> None:
        """Fill in what random orders tell of the measures that have no closed form."""
        for index, metric, count in self._drawn:
            # Draws last: numpy adds a head's in the same way then, however many heads there are.
            samples = np.stack([metric(shuffled) for shuffled in self._shuffles.views(view, count)], axis=1)
            mean[index], deviation[index] = samples.mean(axis=1), samples.std(axis=1, ddof=1)
