"""All that is measured of the heads of one model: over its sentences, and on random tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attention_gallery.analysis import HeadsAcross
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.records import Float32, HeadMetric, Int32


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One measure of every head, with its ends and baselines.

    metric: the mean over sentences, or the score on random tokens. lowest, highest, shuffled,
    shuffled_deviation: float32[layer, head]. even: float32[layer]. queries: int32[layer].
    index: its number among the measures of a sentence, None for scores on random tokens.
    """

    metric: HeadMetric
    lowest: Float32
    highest: Float32
    even: Float32
    shuffled: Float32
    shuffled_deviation: Float32
    queries: Int32
    index: int | None


def all_measured(across: HeadsAcross, repeats: RepeatScores | None) -> Iterator[Measured]:
    """The measures over sentences, then the scores on random tokens, where a model read any."""
    for index, metric in enumerate(across.metrics):
        name = metric.name
        ends = across.lowest[name], across.highest[name]
        shuffled = across.shuffled_mean[name], across.shuffled_deviation[name]
        yield Measured(metric, *ends, across.uniform[name], *shuffled, across.queries[name], index)
    if repeats is not None:
        baselines = zip(repeats.uniform, repeats.shuffled_mean, repeats.shuffled_deviation, strict=True)
        for metric, baseline, queries in zip(repeats.metrics, baselines, repeats.queries, strict=True):
            # Random tokens are one text, so that both ends are the score itself.
            yield Measured(metric, metric.values, metric.values, *baseline, queries, None)
