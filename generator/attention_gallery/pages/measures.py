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
            _unit(metric, found.queries),
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
        unit=_unit(metric, across.queries),
        percent=words.percent(value, metric.range),
        definition=metric.definition,
        source=metric.source,
        spread="" if low == high else f"{low} to {high}",
        even=words.measure(across.uniform[name], unit),
        shuffled=words.spread(mean, deviation, unit) if metric_named(name).ordered else "the same",
    )


def _unit(metric: HeadMetric, queries: Mapping[str, int]) -> str:
    if metric.name not in _SPARSE:
        return metric.unit
    return f"{metric.unit}, on {words.count(queries[metric.name], 'token')}"
