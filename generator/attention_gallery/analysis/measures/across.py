"""What the heads of one model do over many sentences, gathered one sentence at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.measures.head_types import KINDS, RANDOM, weigh
from attention_gallery.analysis.measures.linear import mean_where_counted
from attention_gallery.analysis.measures.measured_heads import MeasuredHeads
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.measures.type_evidence import on_random_tokens, type_with_evidence
from attention_gallery.records import Float32, HeadType, Int32

Array = TypeVar("Array")


@dataclass(frozen=True, eq=False, kw_only=True)
class HeadsAcross(MeasuredHeads):
    """The heads of one model over `sentences` sentences: what is measured is their mean.

    metrics: over the sentences where a measure is defined. lowest, highest: by name of the measure,
    float32[layer, head]; NaN where it is never defined. queries: of all sentences together. uniform: means.
    shuffled_mean, shuffled_deviation: mean and standard deviation of the means where the weights of each row
    are shuffled.
    types, also: decided from the means and from scores on random tokens. random: these scores by name,
    float32[layer, head] each. type_sentences: int32[type, layer, head], on how many sentences a head is of
    each type of `KINDS`.
    """

    sentences: int
    lowest: dict[str, Float32]
    highest: dict[str, Float32]
    shuffled_mean: dict[str, Float32]
    shuffled_deviation: dict[str, Float32]
    type_sentences: Int32
    random: dict[str, Float32]

    def _head_type(self, code: int, layer: int, head: int) -> HeadType:
        numbers, criteria = self.head_metrics(layer, head), self._criteria[layer]
        numbers |= {name: float(values[layer, head]) for name, values in self.random.items()}
        head_type = type_with_evidence(code, numbers, criteria)
        count, sentences = int(self.type_sentences[code, layer, head]), f"{self.sentences:,} sentence"
        if on_random_tokens(KINDS[code], numbers, criteria):
            note = f"; of this type on {count} of {sentences}{'s' if self.sentences > 1 else ''}"
        elif self.sentences == 1:
            return head_type
        else:
            note = f", mean over {sentences}s; of this type on {count} of them"
        return head_type._replace(evidence=head_type.evidence + note)


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
    def zeros(cls, metrics: int, layers: int, heads: int) -> _Sums:
        """Nothing added yet."""
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
            self._sums = _Sums.zeros(len(analysis.metrics), analysis.layers, analysis.heads)
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
        by_name = partial(_by_name, [metric.name for metric in first.metrics])
        means = _means(sums.total, sums.defined)
        values, uniform = by_name(means), by_name(_means(sums.uniform, sums.uniform_defined))
        queries = by_name(sums.queries.copy())
        random = {} if repeats is None else {metric.name: metric.values for metric in repeats.metrics}
        evens = {} if repeats is None else dict(zip(random, repeats.uniform, strict=True))
        if first.kind != "decoder":
            random.pop(RANDOM["induction"], None)
        types, also = weigh({**values, **random}, {**uniform, **evens}, first.thresholds, queries)
        return HeadsAcross(
            sentences=self.sentences,
            kind=first.kind,
            window=first.window,
            thresholds=first.thresholds,
            metrics=tuple(
                replace(metric, values=row, range=(low, high))
                for metric, row, (low, high) in zip(first.metrics, means, sums.ranges.tolist(), strict=True)
            ),
            lowest=by_name(sums.lowest.copy()),
            highest=by_name(sums.highest.copy()),
            queries=queries,
            uniform=uniform,
            shuffled_mean=by_name(_means(sums.shuffled, sums.defined)),
            shuffled_deviation=by_name(_means(np.sqrt(sums.variance), sums.defined)),
            types=types,
            also=also,
            type_sentences=sums.types.copy(),
            random=random,
        )


def _signature(analysis: SentenceAnalysis) -> tuple[object, ...]:
    names = tuple(metric.name for metric in analysis.metrics)
    return names, analysis.types.shape, analysis.kind, analysis.window, analysis.thresholds


def _means(total: NDArray[np.float64], count: Int32) -> Float32:
    return mean_where_counted(total, count).astype(np.float32)


def _by_name(names: Sequence[str], arrays: Iterable[Array]) -> dict[str, Array]:
    """An array of each measure, [metric, ...], by its name."""
    return dict(zip(names, arrays, strict=True))
