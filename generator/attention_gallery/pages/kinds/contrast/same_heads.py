"""The same heads on two sentences, or in two models that are built alike: which change most, and in what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from attention_gallery.addresses.routes import href
from attention_gallery.analysis.contrast.head_contrast import HeadContrast
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import (
    ContrastContext,
    ContrastRow,
    ContrastSide,
    ContrastTable,
    Strip,
    StripCell,
)
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastReader
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.sections.model_inputs import reading_gaps
from attention_gallery.records import Float32, head_name

# Rows of the tables; and heads with pictures, of which each is three heatmaps.
RANKED, FOCUSED, PICTURED = 10, 5, 2


def paired_context(reader: ContrastReader, heads: HeadContrast) -> ContrastContext:
    """What the page shows; label, notes and neighbours are left open."""
    one_model = reader.left.model is reader.right.model
    ranked = _ranked(heads)
    # Two equal heatmaps and an empty difference show nothing.
    pictured = [head for head in ranked[:PICTURED] if heads.distance[head] > 0]
    title = "Distance of every head from itself"
    return base_context(
        reader,
        kind="sentences" if one_model else "models",
        summary=_summary(reader, heads, ranked),
        strips=(strip(title, heads.distance, lambda at: reader.href(reader.right, at)),) if ranked else (),
        tables=tuple(_tables(reader, heads, ranked)),
        figures=tuple(reader.figure_of(head, head, head_name(*head)) for head in pictured),
        method=_method(reader),
    )


def _ranked(heads: HeadContrast) -> list[HeadIndex]:
    return [head for head in heads.ranked() if not np.isnan(heads.distance[head])]


def _tables(reader: ContrastReader, heads: HeadContrast, ranked: list[HeadIndex]) -> Iterator[ContrastTable]:
    """The heads that change most, over all rows and in that of the word that both sentences open with."""
    about = (
        "How far apart the rows of each head are, from 0 to 1, beside what the same weights give in random "
        "order."
    )
    if ranked:
        rows = tuple(_row(reader, heads, head, ranked[0]) for head in ranked[:RANKED])
        yield ContrastTable("Heads that change most", about, *reader.side_titles, rows)
    if reader.focus_row is not None:
        in_row = reader.heads_in_row(reader.focus_row)
        order = _ranked(in_row)[:FOCUSED]
        rows = tuple(_row(reader, in_row, head, order[0]) for head in order if in_row.distance[head] > 0)
        if rows:
            title = f"Heads in which {reader.row_names[reader.focus_row]} looks elsewhere"
            yield ContrastTable(title, "The same of this one row.", *reader.side_titles, rows)


def base_context(reader: ContrastReader, kind: str, **contents: Any) -> ContrastContext:
    """A context with what all kinds of contrasts have in common, and the `contents` of this kind."""
    spec = reader.contrast.spec
    return ContrastContext(
        kind=kind,
        title=spec.title,
        description=spec.description,
        language=reader.language,
        sides=(_side(reader, 0), _side(reader, 1)),
        words=reader.aligned(),
        alignment=_alignment(reader),
        **contents,
    )


def _side(reader: ContrastReader, number: int) -> ContrastSide:
    capture, attention = (reader.left, reader.right)[number], reader.attention[number]
    text, context = capture.sentence.joined, capture.model.facts.context
    gaps = reading_gaps(attention.keys, attention.key_text, capture.sentence, context)
    if reader.contrast.heads:
        head = reader.contrast.heads[number]
        return ContrastSide(head_name(*head), reader.href(capture, head), text, gaps)
    return ContrastSide(reader.side_titles[number], href(reader.route, capture.route), text, gaps)


def _alignment(reader: ContrastReader) -> str:
    """How the two texts are put side by side, "" for one and the same."""
    rows = reader.frame.rows
    if not rows.differs.any():
        return ""
    parts = [
        (int(rows.changed.sum()), "changed"),
        (int((rows.right < 0).sum()), "only above"),
        (int((rows.left < 0).sum()), "only below"),
    ]
    counts = wording.listed(f"{wording.count(number, 'word')} {what}" for number, what in parts if number)
    return f"Word by word, the first above the second: {counts}."


def strip(title: str, distances: Float32, href: Callable[[HeadIndex], str]) -> Strip:
    """A cell for each head; the largest distance gets the whole colour."""
    largest = float(np.nanmax(distances)) if not np.isnan(distances).all() else 0.0
    cells = tuple(
        tuple(
            StripCell(
                head_name(layer, head),
                href((layer, head)),
                wording.weight(distance) if distance == distance else wording.UNDEFINED,
                # NaN is not equal to itself.
                round(100 * distance / largest) if largest and distance == distance else 0,
            )
            for head, distance in enumerate(row)
        )
        for layer, row in enumerate(distances.tolist())
    )
    return Strip(title, cells, wording.weight(largest))


def _row(reader: ContrastReader, heads: HeadContrast, head: HeadIndex, first: HeadIndex) -> ContrastRow:
    distance, largest = float(heads.distance[head]), float(heads.distance[first])
    return ContrastRow(
        left=reader.cell(reader.left, head),
        right=reader.cell(reader.right, head),
        distance=wording.weight(distance),
        percent=round(100 * distance / largest) if largest else 0,
        chance=wording.estimate(float(heads.shuffled[head]), float(heads.shuffled_error[head])),
        said=reader.largest_change(heads.change(*head)),
    )


def _summary(reader: ContrastReader, heads: HeadContrast, ranked: list[HeadIndex]) -> tuple[str, ...]:
    compared = len(reader.frame.compared)
    if not ranked:
        return ("No row of the one can be compared with one of the other.",)
    first = ranked[0]
    distance, chance = float(heads.distance[first]), float(heads.shuffled[first])
    if distance == 0:
        return ("No head changes at all.",)
    beside = ""
    if chance:
        error = float(heads.shuffled_error[first])
        beside = f"; the same weights in random order would be {wording.estimate(chance, error)} apart"
    sentences = [
        f"Of {wording.count(heads.distance.size, 'head')} {head_name(*first)} changes most: its rows are "
        f"{wording.weight(distance)} apart{beside}. Half of the heads change by "
        f"{wording.weight(float(np.nanmedian(heads.distance)))} or less."
    ]
    frame = reader.frame
    if frame.one_model and frame.left.causal and frame.rows.differs.any():
        name = reader.row_names[int(np.argmax(frame.rows.differs))]
        sentences.append(
            f"{reader.left.model.spec.title} reads from left to right, so that no row before {name} can "
            f"differ: {wording.count(compared, 'row')} from there on {'is' if compared == 1 else 'are'} "
            "compared."
        )
    return tuple(sentences)


def _method(reader: ContrastReader) -> tuple[str, ...]:
    like = (
        "A head is compared with that of the same layer and number. That says something where one model "
        "was made from the other, as by fine-tuning; heads of models that were trained apart have "
        "nothing in common.",
    )
    return (
        "A distance is the Jensen-Shannon divergence in bits of what a word gives to all others on both "
        "sides, averaged over the words that both have: 0 where nothing changes, 1 where no word looks "
        "at anything that it looked at before. What only one side has counts as not looked at on the "
        "other.",
        *(() if reader.frame.one_model else like),
        unit(reader),
        "In random order: the weights of each row on the left are shuffled among all that it can see. "
        "Two heads that are as sharp as these, and look at unrelated words, would be so far apart. That is "
        "estimated from a few orders, of long texts on some rows; after ± stands its standard error. All "
        "other distances are over every row that is compared.",
        "That a head changes does not say that the change matters to the model; a change of a few "
        "hundredths can come from any other word of the sentence.",
        precision(reader),
    )


def precision(reader: ContrastReader) -> str:
    """A sentence on what the numbers come from."""
    # What holds of the coarser side holds of both.
    origin = max((reader.left.provenance, reader.right.provenance), key=lambda side: side.storage_error)
    return (
        f"Every number in the text comes from {wording.stored_weights(origin)}; the pictures hold weights in "
        "16 bits, right to 0.00001, and differences to 0.00002."
    )


def unit(reader: ContrastReader) -> str:
    """A sentence on what a row is."""
    if not reader.frame.by_words:
        return "Both sides have the same tokens and are compared token by token."
    return (
        "Words of several tokens are put together: what they get is summed, what they give is averaged "
        "(Clark et al. 2019, section 4.1)."
    )
