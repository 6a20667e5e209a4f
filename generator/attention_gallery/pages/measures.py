"""The measures of a head as rows of a table, each beside what chance would give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from attention_gallery.analysis import HeadsAcross, SentenceAnalysis, metric_named
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
            told_unit(metric, found.queries),
            found.uniform[metric.name],
            (found.shuffled_mean[index].ravel().tolist(), found.shuffled_deviation[index].ravel().tolist()),
        )
        for index, metric in enumerate(found.metrics)
    ]
    return list(zip(*columns, strict=True))


def _column(
    metric: HeadMetric, unit: str, even: float, shuffled: tuple[list[float], list[float]]
) -> Iterator[MetricRow]:
    """One measure of every head."""
    title, definition, source, limits = metric.title, metric.definition, metric.source, metric.range
    ordered = metric_named(metric.name).ordered
    evenly = f"spread evenly {words.measure(even, metric.unit)}"
    for value, mean, deviation in zip(metric.values.ravel().tolist(), *shuffled, strict=True):
        if math.isnan(value):
            yield MetricRow(title, words.UNDEFINED, "", None, definition, source)
            continue
        shown, place = words.measure(value, metric.unit), words.percent(value, limits)
        chance = f"by chance {words.spread(mean, deviation, metric.unit)}" if ordered else evenly
        yield MetricRow(title, shown, unit, place, definition, source, chance)


def told_unit(metric: HeadMetric, queries: Mapping[str, int]) -> str:
    """The unit of a measure, with on how many tokens it rests where these may be few."""
    if metric.name not in _SPARSE:
        return metric.unit
    return f"{metric.unit}, on {words.count(queries[metric.name], 'token')}"


def definitions(across: HeadsAcross) -> tuple[tuple[str, str, str], ...]:
    """Title, meaning and source of every measure of a model: what it is, and when it misleads."""
    return tuple(
        (metric.title, f"{metric.definition} Caveat: {metric_named(metric.name).caveat}", metric.source)
        for metric in across.metrics
    )
