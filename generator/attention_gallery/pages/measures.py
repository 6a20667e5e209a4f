"""The measures of a head as rows of a table, each beside what chance would give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from numpy.typing import NDArray

from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.pages import words
from attention_gallery.pages.pieces import MetricRow
from attention_gallery.records import HeadMetric

# Measures that may rest on few tokens say on how many.
_SPARSE = ("punctuation", "duplicate", "induction", "random-induction", "random-duplicate")


def rows_of_heads(found: SentenceAnalysis) -> list[tuple[MetricRow, ...]]:
    """The rows of every head of one sentence, by layer and head in one count."""
    columns = [
        _column(
            metric,
            _each(found.queries[metric.name], found.heads),
            _each(found.uniform[metric.name], found.heads),
            (found.shuffled_mean[index].ravel().tolist(), found.shuffled_deviation[index].ravel().tolist()),
        )
        for index, metric in enumerate(found.metrics)
    ]
    return list(zip(*columns, strict=True))


def _column(
    metric: HeadMetric, queries: list[int], even: list[float], shuffled: tuple[list[float], list[float]]
) -> Iterator[MetricRow]:
    """One measure of every head; the lists have a value for each."""
    title, definition, source, limits = metric.title, metric.definition, metric.source, metric.range
    values = metric.values.ravel().tolist()
    for value, count, evenly, mean, deviation in zip(values, queries, even, *shuffled, strict=True):
        if math.isnan(value):
            yield MetricRow(title, words.UNDEFINED, "", None, definition, source)
            continue
        shown, place = words.measure(value, metric.unit), words.percent(value, limits)
        chance = f"spread evenly {words.measure(evenly, metric.unit)}"
        if metric.ordered:
            chance = f"by chance {words.spread(mean, deviation, metric.unit)}"
        yield MetricRow(title, shown, told_unit(metric, count), place, definition, source, chance)


def _each(row: NDArray[Any], heads: int) -> list[Any]:
    """A value of each layer as a value of each head."""
    values: list[Any] = row.repeat(heads).tolist()
    return values


def told_unit(metric: HeadMetric, queries: int) -> str:
    """The unit of a measure, with on how many tokens it rests where these may be few."""
    if metric.name not in _SPARSE:
        return metric.unit
    return f"{metric.unit}, on {words.count(queries, 'token')}"


def definitions(metrics: Iterable[HeadMetric]) -> tuple[tuple[str, str, str], ...]:
    """Title, meaning and source of measures: what each is, and when it misleads."""
    return tuple((metric.title, _meaning(metric), metric.source) for metric in metrics)


def _meaning(metric: HeadMetric) -> str:
    return f"{metric.definition} Caveat: {metric.caveat}" if metric.caveat else metric.definition
