"""What heads do on random tokens that their model read twice, beside what they do on real texts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.relation_context import RepeatsRow, RepeatsView
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections.head_tables import head_cell

LISTED = 5


def repeats_view(
    reader: ModelReader, reads_random_tokens: bool, href: Callable[[HeadIndex], str]
) -> RepeatsView | None:
    """The heads with the highest scores, or why there are none; None where scoring failed."""
    scores = reader.repeats
    if scores is None and reads_random_tokens:
        return None  # the page says so itself
    if scores is None:
        about = (
            "What the decoder of an encoder-decoder reads is an answer to what its encoder read, so that "
            "random tokens would tell nothing here: see the encoder."
        )
        return RepeatsView(about, ())
    about = (
        f"{reader.model.spec.title} read {scores.count} random tokens twice over: text without a meaning, in "
        "which only the first copy tells what comes next in the second."
    )
    rows = tuple(_row(reader, scores, index, href) for index in range(len(scores.metrics)))
    return RepeatsView(about, rows)


def _row(
    reader: ModelReader, scores: RepeatScores, index: int, href: Callable[[HeadIndex], str]
) -> RepeatsRow:
    """The heads with the highest of one score, strongest first; those of layers without it come last."""
    metric = scores.metrics[index]
    # Stable, so that of equal scores the earlier head is named on every machine.
    ranked = np.argsort(-np.nan_to_num(metric.values.ravel(), nan=-1.0), kind="stable")[:LISTED].tolist()
    heads = [divmod(number, metric.values.shape[1]) for number in ranked]
    return RepeatsRow(
        title=metric.title,
        definition=metric.definition,
        caveat=metric.caveat,
        source=metric.source,
        even=wording.measure(float(scores.uniform[index].max()), metric.unit),
        heads=tuple(
            (head_cell(reader.across, head, href), wording.measure(float(metric.values[head]), metric.unit))
            for head in heads
        ),
    )
