"""The measures of a gallery: the built-in ones, and those of its author."""

from __future__ import annotations

from dataclasses import dataclass

from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import METRICS


@dataclass(frozen=True, slots=True)
class MeasureSet:
    """Measures in the order shown, the built-in ones first.

    digest: of the code of the others, "" where there are none. files: those that hold this code.
    """

    metrics: tuple[Metric, ...] = METRICS
    digest: str = ""
    files: tuple[str, ...] = ()

    def named(self, name: str) -> Metric:
        """The measure of this name. Raises `KeyError`."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)


BUILT_IN = MeasureSet()
