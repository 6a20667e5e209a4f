"""All measures of one sentence's layout, each beside what it would be without a head's choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.analysis.linear import Linear
from attention_gallery.analysis.metrics import Metric, metrics_for
from attention_gallery.records import Float32, Int64

# Lots are drawn where there is no closed form: so many orders, fewer on long texts, whose means vary less.
ORDERS = 12
FEWEST_ORDERS = 4
ORDERED_WEIGHTS = 2**16
SEED = 2026


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
        values[self._places], deviation[self._places] = self._linear.measure(view)
        mean[self._places] = self._linear.uniform[:, None]
        drawn = []
        for index, metric in enumerate(self.metrics):
            if metric.pattern is not None:
                values[index] = metric.held(values[index], self.layout)
                continue
            values[index] = metric(view)
            if metric.ordered:
                drawn.append(index)
            else:
                mean[index] = values[index]
                deviation[index] = np.where(np.isnan(values[index]), np.nan, 0)
        if drawn:
            samples = np.stack(
                [[self.metrics[index](one) for index in drawn] for one in self._shuffled(view)]
            )
            mean[drawn] = samples.mean(axis=0)
            deviation[drawn] = samples.std(axis=0)
        return Reading(values, mean, deviation)

    def _shuffled(self, view: LayerView) -> Iterator[LayerView]:
        """The same heads with the weights of each row in one random order after another."""
        # Heads last, so that each draw moves the weights of all heads together.
        flat = np.ascontiguousarray(view.weights.reshape(view.heads, -1).T)
        shape = (self.layout.queries, self.layout.keys, view.heads)
        for order in self._orders:
            weights = flat.take(order, axis=0).reshape(shape).transpose(2, 0, 1)
            yield LayerView(weights, view.row_sums, self.layout)

    @cached_property
    def _orders(self) -> list[Int64]:
        """Random orders of the weights of all rows, each int64[query * key]: the place to take one from.

        The same for every head and every run.
        """
        layout = self.layout
        count = layout.queries * layout.keys
        lots = np.random.default_rng(SEED)
        starts = np.arange(layout.queries, dtype=np.int64)[:, None] * layout.keys
        # Numbers in random order, each with its own place in the lower half of its bits. What a query cannot
        # see stays behind what it can.
        place = np.arange(layout.keys, dtype=np.uint64) | (
            (~layout.seen()).astype(np.uint64) << np.uint64(63)
        )
        orders = []
        for _ in range(max(FEWEST_ORDERS, min(ORDERS, ORDERED_WEIGHTS // max(1, count)))):
            drawn = lots.integers(2**31, size=place.shape, dtype=np.uint64) << np.uint64(32)
            order = np.sort(drawn | place, axis=1) & np.uint64(2**32 - 1)
            orders.append((starts + order.astype(np.int64)).reshape(-1))
        return orders
