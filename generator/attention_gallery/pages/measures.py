"""The measures of a head as rows of a table, each beside what chance would give."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from attention_gallery.analysis import HeadsAcross, SentenceAnalysis
from attention_gallery.pages import words
from attention_gallery.pages.pieces import MetricRow
from attention_gallery.records import HeadMetric

# Measures that may rest on few tokens say on how many.
_SPARSE = ("punctuation", "duplicate", "induction")


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
        yield MetricRow(title, shown, _unit(metric, count), place, definition, source, chance)


def _each(row: NDArray[Any], heads: int) -> list[Any]:
    """A value of each layer as a value of each head."""
    values: list[Any] = row.repeat(heads).tolist()
    return values


def rows_across(across: HeadsAcross, layer: int, head: int) -> tuple[MetricRow, ...]:
    """The rows of one head over all sentences, with how far each measure varies."""
    return tuple(_across(across, metric, (layer, head)) for metric in across.metrics)


def _across(across: HeadsAcross, metric: HeadMetric, place: tuple[int, int]) -> MetricRow:
    name, unit = metric.name, metric.unit
    value = float(metric.values[place])
    if math.isnan(value):
        return MetricRow(metric.title, words.UNDEFINED, "", None, metric.definition, metric.source)
    low, high = (words.measure(float(found[name][place]), unit) for found in (across.lowest, across.highest))
    mean, deviation = float(across.shuffled_mean[name][place]), float(across.shuffled_deviation[name][place])
    return MetricRow(
        title=metric.title,
        value=words.measure(value, unit),
        unit=_unit(metric, int(across.queries[name][place[0]])),
        percent=words.percent(value, metric.range),
        definition=metric.definition,
        source=metric.source,
        spread="" if low == high else f"{low} to {high}",
        even=words.measure(float(across.uniform[name][place[0]]), unit),
        shuffled=words.spread(mean, deviation, unit) if metric.ordered else "the same",
    )


def _unit(metric: HeadMetric, queries: int) -> str:
    if metric.name not in _SPARSE:
        return metric.unit
    return f"{metric.unit}, on {words.count(queries, 'token')}"
