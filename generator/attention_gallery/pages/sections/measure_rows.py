"""The measures of a head as rows of a table, each beside what chance would give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence import columns, wording
from attention_gallery.pages.contexts.shared import MetricRow, Pair
from attention_gallery.records import HeadMetric

# Measures that may rest on few tokens say on how many.
_SPARSE = ("punctuation", "duplicate", "induction", "random-induction", "random-duplicate")


def rows_of_heads(found: SentenceAnalysis) -> list[tuple[MetricRow, ...]]:
    """The rows of every head of one sentence, by layer and head in one count."""
    return list(zip(*(_column(found, index) for index in range(len(found.metrics))), strict=True))


def _column(found: SentenceAnalysis, index: int) -> Iterator[MetricRow]:
    """One measure of every head."""
    metric, heads = found.metrics[index], found.heads
    title, definition, source, unit = metric.title, metric.definition, metric.source, metric.unit
    shown = columns.measures(metric.values, unit)
    places = columns.percents(metric.values, metric.range)
    units = _of_heads([told_unit(metric, count) for count in found.queries[metric.name].tolist()], heads)
    chances = _chances(found, index)
    for value, place, told, chance in zip(shown, places, units, chances, strict=True):
        if value == wording.UNDEFINED:
            yield MetricRow(title, value, "", None, definition, source)
        else:
            yield MetricRow(title, value, told, place, definition, source, chance)


def _chances(found: SentenceAnalysis, index: int) -> list[str]:
    """What chance would give for one measure of every head."""
    metric = found.metrics[index]
    if not metric.ordered:
        evenly = columns.measures(found.uniform[metric.name], metric.unit)
        return _of_heads([f"spread evenly {one}" for one in evenly], found.heads)
    shuffled = found.shuffled_mean[index], found.shuffled_deviation[index]
    return [f"by chance {one}" for one in columns.spreads(*shuffled, metric.unit)]


def _of_heads(texts: list[str], heads: int) -> list[str]:
    """A text of each layer as a text of each head."""
    return [text for text in texts for _ in range(heads)]


def pairs_of_heads(
    found: SentenceAnalysis, texts: Sequence[str], keys: Sequence[str]
) -> list[tuple[Pair, ...]]:
    """The strongest pairs of every head, by layer and head in one count, between tokens with these texts."""
    shape = found.standouts_q.shape
    shown = columns.shares(found.standouts_w)
    places = columns.percents(found.standouts_w, (0.0, 1.0))
    asking, asked = found.standouts_q.ravel().tolist(), found.standouts_k.ravel().tolist()
    rows = [
        Pair(texts[query], keys[key], query, key, weight, place or 0)
        for query, key, weight, place in zip(asking, asked, shown, places, strict=True)
        if query >= 0
    ]
    many = (found.standouts_q >= 0).reshape(-1, shape[-1]).sum(axis=1).tolist()
    following = iter(rows)
    return [tuple(islice(following, count)) for count in many]


def told_unit(metric: HeadMetric, queries: int) -> str:
    """The unit of a measure, with on how many tokens it rests where these may be few."""
    if metric.name not in _SPARSE:
        return metric.unit
    return f"{metric.unit}, on {wording.count(queries, 'token')}"


def definitions(metrics: Iterable[HeadMetric]) -> tuple[tuple[str, str, str], ...]:
    """Title, meaning and source of measures: what each is, and when it misleads."""
    return tuple((metric.title, _meaning(metric), metric.source) for metric in metrics)


def _meaning(metric: HeadMetric) -> str:
    return f"{metric.definition} Caveat: {metric.caveat}" if metric.caveat else metric.definition
