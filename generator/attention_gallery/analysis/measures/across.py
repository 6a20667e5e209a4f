"""What the heads of one model do over many sentences, gathered one sentence at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.measures.head_types import KINDS, RANDOM, decide_types
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


class _Sums:
    """Running totals of analyses like the first.

    Arrays are [metric, layer, head], of uniform and queries [metric, layer]; types: int32[type, layer, head].
    ranges: float64[metric, 2], least and greatest possible value on any sentence so far.
    """

    def __init__(self, first: SentenceAnalysis) -> None:
        shape = metrics, layers, heads = len(first.metrics), first.layers, first.heads
        self.first = first
        # In double precision, as there may be thousands of sentences.
        self.total, self.shuffled, self.variance = np.zeros((3, *shape))
        self.defined = np.zeros(shape, np.int32)
        self.lowest, self.highest = np.full((2, *shape), np.nan, np.float32)
        self.uniform = np.zeros((metrics, layers))
        self.uniform_defined, self.queries = np.zeros((2, metrics, layers), np.int32)
        self.types = np.zeros((len(KINDS), layers, heads), np.int32)
        self.ranges = np.tile([np.inf, -np.inf], (metrics, 1))

    def add(self, analysis: SentenceAnalysis) -> None:
        """Take one more sentence into account."""
        values = np.stack([metric.values for metric in analysis.metrics])
        defined = ~np.isnan(values)
        self.total += np.where(defined, values, 0)
        self.defined += defined
        # fmin and fmax pass over NaN, which a sentence has where a measure is not defined on it.
        np.fmin(self.lowest, values, out=self.lowest)
        np.fmax(self.highest, values, out=self.highest)
        uniform = np.stack(list(analysis.uniform.values()))
        self.uniform += np.nan_to_num(uniform, nan=0.0)
        self.uniform_defined += ~np.isnan(uniform)
        self.queries += np.stack(list(analysis.queries.values()))
        ranges = np.array([metric.range for metric in analysis.metrics])
        np.minimum(self.ranges[:, 0], ranges[:, 0], out=self.ranges[:, 0])
        np.maximum(self.ranges[:, 1], ranges[:, 1], out=self.ranges[:, 1])
        self.shuffled += np.where(defined, analysis.shuffled_mean, 0)
        # Each sentence is shuffled by itself, so that variances add up.
        self.variance += np.where(defined, analysis.shuffled_deviation.astype(np.float64) ** 2, 0)
        codes = np.arange(len(KINDS))[:, None, None]
        self.types += (analysis.types == codes) | (analysis.also == codes)


@dataclass(eq=False)
class Across:
    """Gathers analyses of one model; memory does not grow with their number.

    Raises `ValueError` for an analysis of another model's shape, other settings, or when none was added.
    """

    sentences: int = 0
    _sums: _Sums | None = field(default=None, repr=False)

    def add(self, analysis: SentenceAnalysis) -> None:
        """Take one more sentence into account."""
        self._sums = sums = self._sums or _Sums(analysis)
        if _signature(analysis) != _signature(sums.first):
            raise ValueError("these analyses are not of the same model under the same settings")
        self.sentences += 1
        sums.add(analysis)

    def result(self, repeats: RepeatScores | None = None) -> HeadsAcross:
        """What has been gathered so far; `repeats` are the scores of the same heads on random tokens.

        What an encoder does with these is no induction, since it has nothing to predict.
        """
        sums = self._sums
        if sums is None:
            raise ValueError("no analysis was added")
        first = sums.first
        by_name = partial(_by_name, [metric.name for metric in first.metrics])
        means = _means(sums.total, sums.defined)
        values, uniform = by_name(means), by_name(_means(sums.uniform, sums.uniform_defined))
        queries = by_name(sums.queries.copy())
        random = {} if repeats is None else {metric.name: metric.values for metric in repeats.metrics}
        evens = {} if repeats is None else dict(zip(random, repeats.uniform, strict=True))
        if first.kind != "decoder":
            # It sees both copies whole, so that a high score is no sign of one.
            random.pop(RANDOM["induction"], None)
        types, also = decide_types({**values, **random}, {**uniform, **evens}, first.thresholds, queries)
        return HeadsAcross(
            sentences=self.sentences,
            kind=first.kind,
            window=first.window,
            thresholds=first.thresholds,
            metrics=tuple(
                replace(metric, values=row, range=(low, high))
                for metric, row, (low, high) in zip(first.metrics, means, sums.ranges.tolist(), strict=True)
            ),
            # Copies, as more sentences may be added after this.
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
