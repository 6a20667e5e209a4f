"""What heads do on random tokens that their model read twice, beside what they do on real texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.analysis.repeats import RepeatScores
from attention_gallery.pages import words
from attention_gallery.pages.head_tables import head_cell
from attention_gallery.pages.model_view import ModelView
from attention_gallery.pages.neighbours import Place
from attention_gallery.pages.pieces import MetricRow, RepeatsRow, RepeatsView

LISTED = 5


def repeats_view(view: ModelView, href: Callable[[Place], str]) -> RepeatsView | None:
    """The heads with the highest scores, or why there are none; None where the test is switched off."""
    if not view.gallery.settings.analysis.repeated_tokens:
        return None
    scores = view.repeats
    if scores is None:
        about = (
            "What the decoder of an encoder-decoder reads is an answer to what its encoder read, so that "
            "random tokens would tell nothing here: see the encoder."
        )
        return RepeatsView(about, ())
    about = (
        f"{view.model.spec.title} read {scores.count} random tokens twice over: text without a meaning, in "
        "which only the first copy tells what comes next in the second."
    )
    rows = tuple(_row(view, scores, index, href) for index in range(len(scores.metrics)))
    return RepeatsView(about, rows)


def _row(view: ModelView, scores: RepeatScores, index: int, href: Callable[[Place], str]) -> RepeatsRow:
    """The heads with the highest of one score, strongest first; those of layers without it come last."""
    metric = scores.metrics[index]
    heads = metric.values.shape[1]
    ranked = np.argsort(-np.nan_to_num(metric.values.ravel(), nan=-1.0), kind="stable")[:LISTED].tolist()
    places = [divmod(place, heads) for place in ranked]
    return RepeatsRow(
        title=metric.title,
        definition=metric.definition,
        caveat=metric.caveat,
        source=metric.source,
        even=words.measure(float(scores.uniform[index].max()), metric.unit),
        heads=tuple(
            (head_cell(view.across, place, href), words.measure(float(metric.values[place]), metric.unit))
            for place in places
        ),
    )


def repeats_columns(view: ModelView) -> tuple[tuple[str, str, str], ...]:
    """Title, meaning and source of each score, as of the columns of measures."""
    scores = view.repeats
    if scores is None:
        return ()
    return tuple((one.title, f"{one.definition} Caveat: {one.caveat}", one.source) for one in scores.metrics)


def repeats_cells(view: ModelView, place: Place) -> tuple[str, ...]:
    """The scores of one head as text."""
    scores = view.repeats
    if scores is None:
        return ()
    return tuple(words.measure(float(one.values[place]), one.unit) for one in scores.metrics)


def repeats_rows(view: ModelView, place: Place) -> Iterator[MetricRow]:
    """The scores of one head as rows of a table of measures."""
    scores = view.repeats
    if scores is None:
        return
    layer = place[0]
    for index, metric in enumerate(scores.metrics):
        value = float(metric.values[place])
        if np.isnan(value):
            yield MetricRow(metric.title, words.UNDEFINED, "", None, metric.definition, metric.source)
            continue
        mean, deviation = (
            float(found[index][place]) for found in (scores.shuffled_mean, scores.shuffled_deviation)
        )
        count = words.count(int(scores.queries[index, layer]), "token")
        yield MetricRow(
            title=metric.title,
            value=words.measure(value, metric.unit),
            unit=f"{metric.unit}, on {count}",
            percent=words.percent(value, metric.range),
            definition=f"{metric.definition} {metric.caveat}",
            source=metric.source,
            even=words.measure(float(scores.uniform[index, layer]), metric.unit),
            shuffled=words.spread(mean, deviation, metric.unit),
        )
