"""What the heads of one model do over many sentences, gathered one sentence at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.measures.head_types import (
    KINDS,
    NONE,
    RANDOM,
    Criteria,
    Int8,
    Thresholds,
    count_types,
    head_type,
    names_of,
    on_random_tokens,
    weigh,
)
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.records import AttentionKind, Float32, HeadMetric, HeadType, Int32


@dataclass(frozen=True, eq=False)
class HeadsAcross:
    """The heads of one model over `sentences` sentences.

    metrics: mean over the sentences where a measure is defined, float32[layer, head] each.
    lowest, highest: by name of the measure, float32[layer, head]; NaN where it is never defined.
    queries: int32[layer] by name, on how many queries a measure rests, all sentences together. uniform:
    float32[layer] by name, mean of what even attention would give. shuffled_mean, shuffled_deviation: mean
    and standard deviation of the means where the weights of each row are shuffled.
    types, also: int8[layer, head], decided from the means and from scores on random tokens: the first type of
    a head, and a second or `NONE`. random: these scores by name, float32[layer, head] each.
    type_sentences: int32[type, layer, head], on how many sentences a head is of each type of `KINDS`.
    """

    sentences: int
    kind: AttentionKind
    window: int
    thresholds: Thresholds
    metrics: tuple[HeadMetric, ...]
    lowest: dict[str, Float32]
    highest: dict[str, Float32]
    queries: dict[str, Int32]
    uniform: dict[str, Float32]
    shuffled_mean: dict[str, Float32]
    shuffled_deviation: dict[str, Float32]
    types: Int8
    also: Int8
    type_sentences: Int32
    random: dict[str, Float32]

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
        """The means by name of the measure: float32[layer, head] each."""
        return {metric.name: metric.values for metric in self.metrics}

    @cached_property
    def _criteria(self) -> tuple[Criteria, ...]:
        return Criteria.of_layers(self.thresholds, self.window, self.uniform, self.queries)

    def head_metrics(self, layer: int, head: int) -> dict[str, float]:
        """The means of one head, by name; NaN where undefined."""
        return {name: float(values[layer, head]) for name, values in self.values.items()}

    def type_name(self, layer: int, head: int) -> str:
        """The short name of a head's first type, without its evidence."""
        return KINDS[int(self.types[layer, head])].name

    def type_names(self, layer: int, head: int) -> tuple[str, ...]:
        """The short names of the types that a head has."""
        return names_of(int(self.types[layer, head]), int(self.also[layer, head]))

    def head_type(self, layer: int, head: int) -> HeadType:
        """What one head does over the sentences, with the evidence."""
        found = self._head_type(int(self.types[layer, head]), layer, head)
        second = int(self.also[layer, head])
        return found if second == NONE else found._replace(also=self._head_type(second, layer, head))

    def _head_type(self, code: int, layer: int, head: int) -> HeadType:
        """One type with its evidence."""
        numbers, criteria = self.head_metrics(layer, head), self._criteria[layer]
        numbers |= {name: float(values[layer, head]) for name, values in self.random.items()}
        found = head_type(code, numbers, criteria)
        times, over = int(self.type_sentences[code, layer, head]), f"{self.sentences:,} sentence"
        if on_random_tokens(KINDS[code], numbers, criteria):
            told = f"of this type on {times} of {over}{'s' if self.sentences > 1 else ''}"
        elif self.sentences == 1:
            return found
        else:
            told = f"of this type on {times} of them"
            return found._replace(evidence=f"{found.evidence}, mean over {over}s; {told}")
        return found._replace(evidence=f"{found.evidence}; {told}")

    @cached_property
    def type_counts(self) -> tuple[tuple[str, int], ...]:
        """How many heads have each type, in the order of `KINDS`, types without heads left out."""
        return count_types(self.types, self.also)


@dataclass(eq=False)
class _Sums:
    """Running totals; value arrays are [metric, layer, head], of uniform and queries [metric, layer].

    ranges: float64[metric, 2], least and greatest possible value on any sentence so far.
    """

    total: NDArray[np.float64]
    defined: Int32
    lowest: Float32
    highest: Float32
    uniform: NDArray[np.float64]
    uniform_defined: Int32
    queries: Int32
    shuffled: NDArray[np.float64]
    variance: NDArray[np.float64]
    types: Int32
    ranges: NDArray[np.float64]

    @classmethod
    def for_shape(cls, metrics: int, layers: int, heads: int) -> _Sums:
        shape = (metrics, layers, heads)
        return cls(
            total=np.zeros(shape),
            defined=np.zeros(shape, dtype=np.int32),
            lowest=np.full(shape, np.nan, dtype=np.float32),
            highest=np.full(shape, np.nan, dtype=np.float32),
            uniform=np.zeros((metrics, layers)),
            uniform_defined=np.zeros((metrics, layers), dtype=np.int32),
            queries=np.zeros((metrics, layers), dtype=np.int32),
            shuffled=np.zeros(shape),
            variance=np.zeros(shape),
            types=np.zeros((len(KINDS), layers, heads), dtype=np.int32),
            ranges=np.tile([np.inf, -np.inf], (metrics, 1)),
        )


@dataclass(eq=False)
class Across:
    """Gathers analyses of one model; memory does not grow with their number.

    Raises `ValueError` for an analysis of another model's shape, other settings, or when none was added.
    """

    sentences: int = 0
    _first: SentenceAnalysis | None = field(default=None, repr=False)
    _sums: _Sums | None = field(default=None, repr=False)

    def add(self, analysis: SentenceAnalysis) -> None:
        """Take one more sentence into account."""
        if self._first is None or self._sums is None:
            self._first = analysis
            self._sums = _Sums.for_shape(len(analysis.metrics), analysis.layers, analysis.heads)
        if _signature(analysis) != _signature(self._first):
            raise ValueError("these analyses are not of the same model under the same settings")
        self.sentences += 1
        sums = self._sums
        values = np.stack([metric.values for metric in analysis.metrics])
        defined = ~np.isnan(values)
        sums.total += np.where(defined, values, 0)
        sums.defined += defined
        np.fmin(sums.lowest, values, out=sums.lowest)
        np.fmax(sums.highest, values, out=sums.highest)
        uniform = np.stack(list(analysis.uniform.values()))
        sums.uniform += np.nan_to_num(uniform, nan=0.0)
        sums.uniform_defined += ~np.isnan(uniform)
        sums.queries += np.stack(list(analysis.queries.values()))
        ranges = np.array([metric.range for metric in analysis.metrics])
        np.minimum(sums.ranges[:, 0], ranges[:, 0], out=sums.ranges[:, 0])
        np.maximum(sums.ranges[:, 1], ranges[:, 1], out=sums.ranges[:, 1])
        sums.shuffled += np.where(defined, analysis.shuffled_mean, 0)
        # Each sentence is shuffled by itself, so that variances add up.
        sums.variance += np.where(defined, analysis.shuffled_deviation.astype(np.float64) ** 2, 0)
        codes = np.arange(len(KINDS))[:, None, None]
        sums.types += (analysis.types == codes) | (analysis.also == codes)

    def result(self, repeats: RepeatScores | None = None) -> HeadsAcross:
        """What has been gathered so far; `repeats` are the scores of the same heads on random tokens.

        What an encoder does with these is no induction, since it has nothing to predict.
        """
        first, sums = self._first, self._sums
        if first is None or sums is None:
            raise ValueError("no analysis was added")
        names = [metric.name for metric in first.metrics]
        means = _mean(sums.total, sums.defined).astype(np.float32)
        uniform = dict(zip(names, _mean(sums.uniform, sums.uniform_defined).astype(np.float32), strict=True))
        values = dict(zip(names, means, strict=True))
        queries = dict(zip(names, sums.queries.copy(), strict=True))
        random = {} if repeats is None else {one.name: one.values for one in repeats.metrics}
        evens = {} if repeats is None else dict(zip(random, repeats.uniform, strict=True))
        if first.kind != "decoder":
            random.pop(RANDOM["induction"], None)
        types, also = weigh({**values, **random}, {**uniform, **evens}, first.thresholds, queries)
        shuffled = _mean(sums.shuffled, sums.defined).astype(np.float32)
        deviation = _mean(np.sqrt(sums.variance), sums.defined).astype(np.float32)
        return HeadsAcross(
            sentences=self.sentences,
            kind=first.kind,
            window=first.window,
            thresholds=first.thresholds,
            metrics=tuple(
                replace(metric, values=row, range=(low, high))
                for metric, row, (low, high) in zip(first.metrics, means, sums.ranges.tolist(), strict=True)
            ),
            lowest=dict(zip(names, sums.lowest.copy(), strict=True)),
            highest=dict(zip(names, sums.highest.copy(), strict=True)),
            queries=queries,
            uniform=uniform,
            shuffled_mean=dict(zip(names, shuffled, strict=True)),
            shuffled_deviation=dict(zip(names, deviation, strict=True)),
            types=types,
            also=also,
            type_sentences=sums.types.copy(),
            random=random,
        )


def _signature(analysis: SentenceAnalysis) -> tuple[object, ...]:
    names = tuple(metric.name for metric in analysis.metrics)
    return names, analysis.types.shape, analysis.kind, analysis.window, analysis.thresholds


def _mean(total: NDArray[np.float64], count: Int32) -> NDArray[np.float64]:
    """Total over count, NaN where nothing was counted."""
    mean: NDArray[np.float64] = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
