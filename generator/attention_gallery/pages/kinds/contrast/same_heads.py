"""The same heads on two sentences, or in two models that are built alike: which change most, and in what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.addresses.routes import explorer, href
from attention_gallery.analysis import HeadContrast
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import (
    ContrastContext,
    ContrastFigure,
    ContrastRow,
    ContrastSide,
    ContrastTable,
    SentenceDistance,
    Strip,
    StripCell,
)
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastView
from attention_gallery.pages.sections.model_inputs import reading_gaps
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import Float32, head_name

RANKED, FOCUSED, PICTURED = 10, 5, 2


def paired_context(view: ContrastView) -> ContrastContext:
    """What the page shows; label, notes and neighbours are left open."""
    one_model = view.left.model is view.right.model
    found = view.heads
    ranked = _ranked(found)
    pictured = [place for place in ranked[:PICTURED] if found.distance[place] > 0]
    title = "Distance of every head from itself"
    return base_context(
        view,
        kind="sentences" if one_model else "models",
        summary=_summary(view, ranked),
        strips=(strip(title, found.distance, lambda at: view.href(view.right, at)),) if ranked else (),
        tables=tuple(_tables(view, ranked)),
        figures=tuple(view.figure_of(place, place, head_name(*place)) for place in pictured),
        method=_method(view),
    )


def _ranked(found: HeadContrast) -> list[Place]:
    return [place for place in found.ranked() if not np.isnan(found.distance[place])]


def _tables(view: ContrastView, ranked: list[Place]) -> Iterator[ContrastTable]:
    """The heads that change most, over all rows and in that of the word that both sentences open with."""
    about = (
        "How far apart the rows of each head are, from 0 to 1, beside what the same weights give in random "
        "order."
    )
    if ranked:
        rows = tuple(_row(view, view.heads, place, ranked[0]) for place in ranked[:RANKED])
        yield ContrastTable("Heads that change most", about, *view.side_titles, rows)
    if view.focus_row is not None:
        found = view.heads_in_row(view.focus_row)
        order = _ranked(found)[:FOCUSED]
        rows = tuple(_row(view, found, place, order[0]) for place in order if found.distance[place] > 0)
        if rows:
            title = f"Heads in which {view.row_names[view.focus_row]} looks elsewhere"
            yield ContrastTable(title, "The same of this one row.", *view.side_titles, rows)


def base_context(
    view: ContrastView,
    *,
    kind: str,
    summary: tuple[str, ...],
    strips: tuple[Strip, ...] = (),
    tables: tuple[ContrastTable, ...] = (),
    sentences: tuple[SentenceDistance, ...] = (),
    figures: tuple[ContrastFigure, ...] = (),
    method: tuple[str, ...] = (),
) -> ContrastContext:
    """A context with what all kinds of contrasts have in common."""
    spec = view.contrast.spec
    return ContrastContext(
        kind=kind,
        label="",
        title=spec.title,
        description=spec.description,
        language=view.left.sentence.language or view.gallery.settings.language,
        sides=(_side(view, 0), _side(view, 1)),
        words=view.aligned(),
        alignment=_alignment(view),
        summary=summary,
        strips=strips,
        tables=tables,
        sentences=sentences,
        figures=figures,
        method=method,
        notes=(),
        previous=None,
        next=None,
    )


def _side(view: ContrastView, number: int) -> ContrastSide:
    pair, entry = (view.left, view.right)[number], view.attention[number]
    gaps = reading_gaps(entry.keys, entry.key_text, pair.sentence, pair.model.facts.context)
    if view.contrast.heads:
        place = view.contrast.heads[number]
        return ContrastSide(head_name(*place), view.href(pair, place), pair.sentence.joined, gaps)
    address = explorer(pair.model.spec.slug, pair.sentence.slug)
    return ContrastSide(view.side_titles[number], href(view.route, address), pair.sentence.joined, gaps)


def _alignment(view: ContrastView) -> str:
    """How the two texts are put side by side, "" for one and the same."""
    rows = view.frame.rows
    if not rows.differs.any():
        return ""
    parts = [
        (int(rows.changed.sum()), "changed"),
        (int((rows.right < 0).sum()), "only above"),
        (int((rows.left < 0).sum()), "only below"),
    ]
    told = wording.listed(f"{wording.count(number, 'word')} {what}" for number, what in parts if number)
    return f"Word by word, the first above the second: {told}."


def strip(title: str, distances: Float32, href: Callable[[Place], str]) -> Strip:
    """A cell for each head; the largest distance gets the whole colour."""
    largest = float(np.nanmax(distances)) if not np.isnan(distances).all() else 0.0
    cells = tuple(
        tuple(
            StripCell(
                head_name(layer, head),
                href((layer, head)),
                wording.weight(distance) if distance == distance else wording.UNDEFINED,
                round(100 * distance / largest) if largest and distance == distance else 0,
            )
            for head, distance in enumerate(row)
        )
        for layer, row in enumerate(distances.tolist())
    )
    return Strip(title, cells, wording.weight(largest))


def _row(view: ContrastView, found: HeadContrast, place: Place, first: Place) -> ContrastRow:
    distance, largest = float(found.distance[place]), float(found.distance[first])
    return ContrastRow(
        left=view.cell(view.left, place),
        right=view.cell(view.right, place),
        distance=wording.weight(distance),
        percent=round(100 * distance / largest) if largest else 0,
        chance=wording.estimate(float(found.shuffled[place]), float(found.shuffled_error[place])),
        said=view.said(found.change(*place)),
    )


def _summary(view: ContrastView, ranked: list[Place]) -> tuple[str, ...]:
    found, compared = view.heads, len(view.frame.compared)
    if not ranked:
        return ("No row of the one can be compared with one of the other.",)
    first = ranked[0]
    distance, chance = float(found.distance[first]), float(found.shuffled[first])
    if distance == 0:
        return ("No head changes at all.",)
    part = ""
    if chance:
        error = float(found.shuffled_error[first])
        part = f"; the same weights in random order would be {wording.estimate(chance, error)} apart"
    told = [
        f"Of {wording.count(found.distance.size, 'head')} {head_name(*first)} changes most: its rows are "
        f"{wording.weight(distance)} apart{part}. Half of the heads change by "
        f"{wording.weight(float(np.nanmedian(found.distance)))} or less."
    ]
    frame = view.frame
    if frame.one_model and frame.left.causal and frame.rows.differs.any():
        name = view.row_names[int(np.argmax(frame.rows.differs))]
        told.append(
            f"{view.left.model.spec.title} reads from left to right, so that no row before {name} can "
            f"differ: {wording.count(compared, 'row')} from there on {'is' if compared == 1 else 'are'} "
            "compared."
        )
    return tuple(told)


def _method(view: ContrastView) -> tuple[str, ...]:
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
        *(() if view.frame.one_model else like),
        unit(view),
        "In random order: the weights of each row on the left are shuffled among all that it can see. "
        "Two heads that are as sharp as these, and look at unrelated words, would be so far apart. That is "
        "estimated from a few orders, of long texts on some rows; after ± stands its standard error. All "
        "other distances are over every row that is compared.",
        "That a head changes does not say that the change matters to the model; a change of a few "
        "hundredths can come from any other word of the sentence.",
        precision(view),
    )


def precision(view: ContrastView) -> str:
    """A sentence on what the numbers come from."""
    origin = max((view.left.provenance, view.right.provenance), key=lambda one: one.storage_error)
    return (
        f"Every number in the text comes from {wording.stored_weights(origin)}; the pictures hold weights in "
        "16 bits, right to 0.00001, and differences to 0.00002."
    )


def unit(view: ContrastView) -> str:
    """A sentence on what a row is."""
    if not view.frame.by_words:
        return "Both sides have the same tokens and are compared token by token."
    return (
        "Words of several tokens are put together: what they get is summed, what they give is averaged "
        "(Clark et al. 2019, section 4.1)."
    )
