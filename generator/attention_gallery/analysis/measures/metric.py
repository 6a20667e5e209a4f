"""A measure of heads: a small stateless function that says what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.linear import Linear
from attention_gallery.analysis.measures.patterns import Pattern
from attention_gallery.records import AttentionKind, Float32, HeadMetric

EVERY: tuple[AttentionKind, ...] = ("encoder", "decoder", "cross")


@dataclass(frozen=True, slots=True)
class Metric:
    """One registered measure.

    range: least and greatest possible value; the greatest is None where it is tokens - 1.
    definition: a plain sentence for readers. caveat: when the number misleads.
    pattern: what a linear measure looks for. compute: LayerView -> float32[head], for any other.
    kinds: the kinds of attention that have it at all. ordered: whether it asks where the weights of a row
    lie, so that shuffling them can change it. from_column_mass: instead of `compute`, what a built-in measure
    makes of column mass, float32[..., key] -> float32[...].
    """

    name: str
    title: str
    unit: str
    range: tuple[float, float | None]
    definition: str
    source: str
    caveat: str
    pattern: Callable[[Layout], Pattern] | None = None
    compute: Callable[[LayerView], Float32] | None = None
    kinds: tuple[AttentionKind, ...] = EVERY
    ordered: bool = True
    from_column_mass: Callable[[Float32, Layout], Float32] | None = None

    def range_for(self, tokens: int) -> tuple[float, float]:
        """The closed interval of possible values for a sentence of so many tokens."""
        low, high = self.range
        return low, float(tokens - 1) if high is None else high

    def __call__(self, view: LayerView) -> Float32:
        """The measure of every head in view, float32[head], held in its range."""
        if self.compute is not None:
            return self.held(self.compute(view), view.layout)
        if self.from_column_mass is not None:
            return self.evaluate_column_mass(view.column_mass(), view.layout)
        if self.pattern is None:
            raise TypeError(f"the measure {self.name} has neither a pattern nor a way to compute it")
        linear = Linear.from_patterns(view.layout, [self.pattern(view.layout)])
        return self.held(linear.measure(view)[0][0], view.layout)

    def evaluate_column_mass(self, mass: Float32, layout: Layout) -> Float32:
        """What a measure makes of column mass, float32[..., key]: float32[...], held in its range."""
        if self.from_column_mass is None:
            raise TypeError(f"the measure {self.name} asks for more than column mass")
        return self.held(self.from_column_mass(mass, layout), layout)

    def held(self, values: Float32, layout: Layout) -> Float32:
        """The values, held in the measure's range against rounding."""
        low, high = self.range_for(layout.queries)
        return np.minimum(np.maximum(values, np.float32(low)), np.float32(high))

    def describe(self, values: Float32, tokens: int) -> HeadMetric:
        """The measured values float32[layer, head] together with what they mean."""
        return HeadMetric(
            name=self.name,
            title=self.title,
            unit=self.unit,
            range=self.range_for(tokens),
            values=values,
            definition=self.definition,
            source=self.source,
            caveat=self.caveat,
            ordered=self.ordered,
        )
