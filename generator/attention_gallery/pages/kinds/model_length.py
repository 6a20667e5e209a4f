"""`/models/<model>/length/`: what the length of a text does to the heads of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis.experiments.prefix_sweep import MEASURES, LengthMeasure, LengthReading
from attention_gallery.evidence import wording
from attention_gallery.figures.length_chart import LengthLines, length_chart
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.contexts.length_context import LengthChart, LengthHead
from attention_gallery.pages.contexts.page_contexts import LengthContext
from attention_gallery.pages.frame import model_card, model_inputs, page_info, provenance, render
from attention_gallery.pages.gallery import Gallery, GalleryModel, PlannedPage, ReadLadder
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.records import Float32, head_name

CHANGED_HEADS = 5


@dataclass(frozen=True, slots=True)
class _About:
    """How a measure is told: its title, what it is and when it misleads, and how a value is printed."""

    title: str
    said: str
    about: str
    print: Callable[[float], str]


_ABOUT: dict[LengthMeasure, _About] = {
    "bits": _About(
        "Entropy in bits",
        "entropy in bits",
        "It grows with the text whatever a head does, because there is more to look at: only how far it "
        "stays below the dashed line, attention spread evenly, tells anything.",
        lambda value: f"{value:.2f}",
    ),
    "entropy": _About(
        "Entropy as a share of the maximum",
        "entropy as a share of the maximum",
        "The same, divided by the entropy of evenly spread attention. A line that falls belongs to heads "
        "that go on looking at a few places while the text grows; where it stays or rises, they spread out "
        "with it.",
        wording.share,
    ),
    "local": _About(
        "Local mass",
        "local mass",
        "The share within the window around a token. The window stays as wide while the text grows, so that "
        "evenly spread attention loses it by and by.",
        wording.share,
    ),
    "first": _About(
        "First-token mass",
        "first-token mass",
        "What the first token gets. Spread evenly it would thin out to nothing; a sink does not.",
        wording.share,
    ),
    "sink": _About(
        "Sink score",
        "sink score",
        "What the key that gets most is given on average, whichever it is. It need not be the same at every "
        "length.",
        wording.share,
    ),
}


def length_page(gallery: Gallery, model: GalleryModel) -> Iterator[PlannedPage]:
    """The page, for a model that read a text at several lengths."""
    ladder = gallery.ladders.get(model.spec.slug)
    if ladder is None:
        return
    sentence = next((one for one in gallery.sentences if one.slug == ladder.sentence), None)
    inputs = gallery.inputs(
        "length",
        model_inputs(model),
        ladder.inputs,
        gallery.settings.analysis.window,
        None if sentence is None else [sentence.title, sentence.language],
    )
    yield PlannedPage(routes.model_length(model.spec.slug), inputs, lambda: _make(gallery, model, ladder))


def _make(gallery: Gallery, model: GalleryModel, ladder: ReadLadder) -> bytes:
    slug = model.spec.slug
    route = routes.model_length(slug)
    context = gallery.data.sides.take(
        "measures at several lengths",
        model.spec.title,
        lambda: _context(gallery, model, ladder, route),
        _left_out(gallery, model, ladder, route),
    )
    crumbs = ((model.spec.title, routes.model(slug)),)
    origin = provenance(model.provenance)
    title = f"{model.spec.title}: context length"
    info = page_info(gallery, "model_length", route, title, context.summary, crumbs, origin)
    return render(gallery, "model_length.html", info, context)


def _left_out(gallery: Gallery, model: GalleryModel, ladder: ReadLadder, route: str) -> LengthContext:
    """What is there where nothing could be measured."""
    language = gallery.settings.language
    read = wording.count(len(ladder.texts), "length")
    card = model_card(model, route)
    return LengthContext(card, None, ladder.texts[-1], language, "", model.causal, (), read, ())


def _context(gallery: Gallery, model: GalleryModel, ladder: ReadLadder, route: str) -> LengthContext:
    slug = model.spec.slug
    readings = _distinct([gallery.data.length(key) for key in ladder.keys])
    sentence = next((one for one in gallery.sentences if one.slug == ladder.sentence), None)

    def href(place: Place) -> str:
        return routes.href(route, routes.model_head(slug, model.routes.slug(*place)))

    charts = tuple(_chart(index, name, readings, href) for index, name in enumerate(MEASURES))
    return LengthContext(
        model=model_card(model, route),
        sentence=None if sentence is None else Link(sentence.title, _way_to(route, sentence)),
        text=ladder.texts[-1],
        language=(sentence and sentence.language) or gallery.settings.language,
        summary=_summary(model, readings),
        causal=model.causal,
        lengths=tuple(f"{reading.tokens:,}" for reading in readings),
        read=f"{wording.listed(f'{one.tokens:,}' for one in readings)} tokens",
        charts=charts,
        left_out="" if not readings[-1].left_out else _cut(model),
    )


def _way_to(route: str, sentence: SentenceSpec) -> str:
    return routes.href(route, routes.sentence(sentence.slug))


def _distinct(readings: list[LengthReading]) -> list[LengthReading]:
    """The readings of different lengths: beyond its context a model reads no more."""
    return [one for place, one in enumerate(readings) if not place or one.tokens > readings[place - 1].tokens]


def _cut(model: GalleryModel) -> str:
    context = model.facts.context
    reads = "" if context is None else f": the model reads {wording.count(context, 'token')}"
    return f"The end of the text was left out{reads}."


def _summary(model: GalleryModel, readings: list[LengthReading]) -> str:
    first, last = readings[0], readings[-1]
    entropy, sink = MEASURES.index("entropy"), MEASURES.index("first")
    begun, ended = (np.nanmean(one.values, axis=(1, 2)) for one in (first, last))
    return (
        f"From {first.tokens} to {wording.count(last.tokens, 'token')} the mean entropy of "
        f"{model.spec.title}’s heads goes from {wording.share(float(begun[entropy]))} to "
        f"{wording.share(float(ended[entropy]))} of the maximum, and their mean first-token mass from "
        f"{wording.share(float(begun[sink]))} to {wording.share(float(ended[sink]))}."
    )


def _chart(
    index: int, name: LengthMeasure, readings: list[LengthReading], href: Callable[[Place], str]
) -> LengthChart:
    about = _ABOUT[name]
    values: Float32 = np.stack([reading.values[index] for reading in readings])  # [length, layer, head]
    even = np.array([reading.even[index] for reading in readings], np.float32)
    layers, mean = values.mean(axis=2).T, values.mean(axis=(1, 2))
    tokens = tuple(reading.tokens for reading in readings)
    alt_text = (
        f"Mean of all heads: {_way(about, mean)}. Spread evenly: {_way(about, even)}. "
        "Each line is a layer, later ones stronger; the thick line is the mean."
    )
    rows = [(f"L{layer}", row) for layer, row in enumerate(layers)]
    return LengthChart(
        name=name,
        title=about.title,
        about=about.about,
        figure=Markup(length_chart(name, LengthLines(tokens, layers, mean, even), alt_text).html),
        rows=tuple(
            (label, tuple(about.print(float(value)) for value in row))
            for label, row in (*rows, ("All heads", mean), ("Spread evenly", even))
        ),
        heads=_changed(about, values, even, href),
    )


def _way(about: _About, values: Float32) -> str:
    return f"{about.print(float(values[0]))} at the shortest, {about.print(float(values[-1]))} at the longest"


def _changed(
    about: _About, values: Float32, even: Float32, href: Callable[[Place], str]
) -> tuple[LengthHead, ...]:
    """The heads whose way from the shortest to the longest text differs most from that of even attention."""
    change = (values[-1] - values[0]) - (even[-1] - even[0])
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:CHANGED_HEADS]
    found = []
    for place in zip(*(axis.tolist() for axis in np.unravel_index(order, change.shape)), strict=True):
        told = tuple(about.print(float(value)) for value in values[:, *place])
        found.append(LengthHead(head_name(*place), href(place), told))
    return tuple(found)


def length_link(gallery: Gallery, model: GalleryModel, route: str) -> Link | None:
    """The way to the page from the one at `route`, None where there is none."""
    if model.spec.slug not in gallery.ladders:
        return None
    return Link("What the length of a text does", routes.href(route, routes.model_length(model.spec.slug)))
