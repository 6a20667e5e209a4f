"""The measures of a head as rows of a table, each beside what chance would give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence import columns, wording
from attention_gallery.figures.head_measures import MeasureColumn
from attention_gallery.pages.contexts.shared import MetricRow, Pair
from attention_gallery.records import HeadMetric

# Measures that may rest on few tokens say on how many.
_SPARSE = ("punctuation", "duplicate", "induction", "random-induction", "random-duplicate")


def rows_of_heads(analysis: SentenceAnalysis) -> list[tuple[MetricRow, ...]]:
    """The rows of every head of one sentence, by layer and head in one count."""
    return list(zip(*(_column(analysis, index) for index in range(len(analysis.metrics))), strict=True))


def measure_columns(analysis: SentenceAnalysis) -> list[MeasureColumn]:
    """The measures that are defined for some head, as texts for every head."""
    texts = ((metric, tuple(columns.measures(metric.values, metric.unit))) for metric in analysis.metrics)
    return [
        MeasureColumn(metric.name, metric.title, metric.unit, values)
        for metric, values in texts
        if set(values) != {wording.UNDEFINED}
    ]


def _column(analysis: SentenceAnalysis, index: int) -> Iterator[MetricRow]:
    """One measure of every head."""
    metric, heads = analysis.metrics[index], analysis.heads
    title, definition, source = metric.title, metric.definition, metric.source
    values = columns.measures(metric.values, metric.unit)
    percents = columns.percents(metric.values, metric.range)
    queries = analysis.queries[metric.name].tolist()
    # Numbers of queries differ between layers alone: a text is made for each layer.
    units = _of_heads([unit_in_words(metric, count) for count in queries], heads)
    chances = _chances(analysis, index)
    for value, percent, unit, chance in zip(values, percents, units, chances, strict=True):
        if value == wording.UNDEFINED:
            yield MetricRow(title, value, "", None, definition, source)
        else:
            yield MetricRow(title, value, unit, percent, definition, source, chance)


def _chances(analysis: SentenceAnalysis, index: int) -> list[str]:
    """What chance would give for one measure of every head."""
    metric = analysis.metrics[index]
    if not metric.ordered:
        evenly = columns.measures(analysis.uniform[metric.name], metric.unit)
        return _of_heads([f"spread evenly {value}" for value in evenly], analysis.heads)
    shuffled = analysis.shuffled_mean[index], analysis.shuffled_deviation[index]
    return [f"by chance {spread}" for spread in columns.spreads(*shuffled, metric.unit)]


def _of_heads(texts: list[str], heads: int) -> list[str]:
    """A text of each layer as a text of each head."""
    return [text for text in texts for _ in range(heads)]


def pairs_of_heads(
    analysis: SentenceAnalysis, texts: Sequence[str], key_texts: Sequence[str]
) -> list[tuple[Pair, ...]]:
    """The strongest pairs of every head, by layer and head in one count, between tokens with these texts."""
    shares = columns.shares(analysis.top_pair_weights)
    percents = columns.percents(analysis.top_pair_weights, (0.0, 1.0))
    queries, keys = analysis.top_pair_queries.ravel().tolist(), analysis.top_pair_keys.ravel().tolist()
    pairs = iter(
        Pair(texts[query], key_texts[key], query, key, share, percent or 0)
        for query, key, share, percent in zip(queries, keys, shares, percents, strict=True)
        # Pairs that are not there stand at the end of their head, so that counts tell heads apart.
        if query >= 0
    )
    counts = (analysis.top_pair_queries >= 0).sum(axis=-1).ravel().tolist()
    return [tuple(islice(pairs, count)) for count in counts]


def unit_in_words(metric: HeadMetric, queries: int) -> str:
    """The unit of a measure, with on how many tokens it rests where these may be few."""
    if metric.name not in _SPARSE:
        return metric.unit
    return f"{metric.unit}, on {wording.count(queries, 'token')}"


def definitions(metrics: Iterable[HeadMetric]) -> tuple[tuple[str, str, str], ...]:
    """Title, meaning and source of measures: what each is, and when it misleads."""
    return tuple((metric.title, _meaning(metric), metric.source) for metric in metrics)


def _meaning(metric: HeadMetric) -> str:
    return f"{metric.definition} Caveat: {metric.caveat}" if metric.caveat else metric.definition
