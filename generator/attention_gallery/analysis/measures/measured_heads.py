"""The measures of all heads of a model and the types that follow, of one sentence or over several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention_gallery.analysis.measures.head_types import (
    KINDS,
    NONE,
    Int8,
    Thresholds,
    count_types,
    names_of,
)
from attention_gallery.analysis.measures.type_evidence import Criteria, type_with_evidence
from attention_gallery.records import AttentionKind, Float32, HeadMetric, HeadType, Int32


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredHeads:
    """What heads are known by, whether measured once or over many sentences.

    queries: int32[layer] by name, on how many queries each measure rests. uniform: float32[layer] by name,
    what each measure would be for even attention. Both differ between layers only where some have a window.
    types, also: int8[layer, head], indices into `KINDS`: the first type of a head, and a second or `NONE`.
    """

    kind: AttentionKind
    window: int
    thresholds: Thresholds
    metrics: tuple[HeadMetric, ...]
    queries: dict[str, Int32]
    uniform: dict[str, Float32]
    types: Int8
    also: Int8

    @property
    def layers(self) -> int:
        """How many layers."""
        return int(self.types.shape[0])

    @property
    def heads(self) -> int:
        """How many heads in each layer."""
        return int(self.types.shape[1])

    @cached_property
    def values(self) -> dict[str, Float32]:
        """The values by name of the measure: float32[layer, head] each."""
        return {metric.name: metric.values for metric in self.metrics}

    @cached_property
    def _numbers(self) -> Float32:
        """Every measure of each head: float32[layer, head, measure]."""
        return np.stack(list(self.values.values()), axis=-1)

    @cached_property
    def _criteria(self) -> tuple[Criteria, ...]:
        return Criteria.per_layer(self.thresholds, self.window, self.uniform, self.queries)

    @cached_property
    def _codes(self) -> list[list[tuple[int, int]]]:
        """First and second type of each head; lists, since pages ask for one head after another."""
        return [
            list(zip(*codes, strict=True))
            for codes in zip(self.types.tolist(), self.also.tolist(), strict=True)
        ]

    def head_metrics(self, layer: int, head: int) -> dict[str, float]:
        """All measures of one head, by name; NaN where undefined."""
        return dict(zip(self.values, self._numbers[layer, head].tolist(), strict=True))

    def type_name(self, layer: int, head: int) -> str:
        """The short name of a head's first type, without its evidence."""
        return KINDS[self._codes[layer][head][0]].name

    def type_names(self, layer: int, head: int) -> tuple[str, ...]:
        """The short names of the types that a head has."""
        return names_of(*self._codes[layer][head])

    def head_type(self, layer: int, head: int) -> HeadType:
        """What one head does, with the evidence."""
        first, second = self._codes[layer][head]
        head_type = self._head_type(first, layer, head)
        return head_type if second == NONE else head_type._replace(also=self._head_type(second, layer, head))

    def _head_type(self, code: int, layer: int, head: int) -> HeadType:
        """One type with its evidence."""
        return type_with_evidence(code, self.head_metrics(layer, head), self._criteria[layer])

    @cached_property
    def type_counts(self) -> tuple[tuple[str, int], ...]:
        """How many heads have each type, in the order of `KINDS`, types without heads left out."""
        return count_types(self.types, self.also)
