"""`/models/<model>/length/`: what the length of a text does to the heads of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis.experiments.prefix_sweep import MEASURES, LengthMeasure, LengthReading
from attention_gallery.evidence import wording
from attention_gallery.figures.length_chart import LengthLines, length_chart
from attention_gallery.pages.capture_inputs import PREFIX_READINGS, SWEEP, SWEPT_SENTENCE, ModelPage
from attention_gallery.pages.contexts.length_context import LengthChart, LengthHead
from attention_gallery.pages.contexts.page_contexts import LengthContext
from attention_gallery.pages.frame import model_card, page_info, provenance
from attention_gallery.pages.gallery import GalleryModel
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.records import Float32, head_name

CHANGED_HEADS = 5


@dataclass(frozen=True, slots=True)
class _About:
    """How a measure is told: its title, what it is and when it misleads, and how a value is printed."""

    title: str
    about: str
    print: Callable[[float], str]


_ABOUT: dict[LengthMeasure, _About] = {
    "bits": _About(
        "Entropy in bits",
        "It grows with the text whatever a head does, because there is more to look at: only how far it "
        "stays below the dashed line, attention spread evenly, tells anything.",
        lambda value: f"{value:.2f}",
    ),
    "entropy": _About(
        "Entropy as a share of the maximum",
        "The same, divided by the entropy of evenly spread attention. A line that falls belongs to heads "
        "that go on looking at a few places while the text grows; where it stays or rises, they spread out "
        "with it.",
        wording.share,
    ),
    "local": _About(
        "Local mass",
        "The share within the window around a token. The window stays as wide while the text grows, so that "
        "evenly spread attention loses it by and by.",
        wording.share,
    ),
    "first": _About(
        "First-token mass",
        "What the first token gets. Spread evenly it would thin out to nothing; a sink does not.",
        wording.share,
    ),
    "sink": _About(
        "Sink score",
        "What the key that gets most is given on average, whichever it is. It need not be the same at every "
        "length.",
        wording.share,
    ),
}


def _length(page: ModelPage, inputs: PageInputs) -> Page:
    model = page.model
    route = routes.model_length(model.spec.slug)
    context = inputs.sides.take(
        "measures at several lengths",
        model.spec.title,
        lambda: _context(model, inputs, route),
        # It reads only the text, and costs nothing where it is not needed.
        _context_left_out(model, inputs, route),
    )
    crumbs = ((model.spec.title, routes.model(model.spec.slug)),)
    origin = provenance(model.provenance)
    title = f"{model.spec.title}: context length"
    return Page(
        page_info(inputs.site, "model_length", route, title, context.summary, crumbs, origin), context
    )


def _context_left_out(model: GalleryModel, inputs: PageInputs, route: str) -> LengthContext:
    """What is there where nothing could be measured."""
    texts = inputs[SWEEP].texts
    card, read = model_card(model, route), wording.count(len(texts), "length")
    return LengthContext(card, None, texts[-1], inputs.site.info.language, "", model.causal, (), read, ())


def _context(model: GalleryModel, inputs: PageInputs, route: str) -> LengthContext:
    readings = _distinct(inputs[PREFIX_READINGS])
    sentence, language, link = inputs[SWEPT_SENTENCE], inputs.site.info.language, None
    if sentence is not None:
        language = sentence["language"] or language
        link = Link(sentence["title"] or "", routes.href(route, routes.sentence(sentence["slug"] or "")))

    def href(head: HeadIndex) -> str:
        return routes.href(route, routes.model_head(model.spec.slug, model.routes.slug(*head)))

    return LengthContext(
        model=model_card(model, route),
        sentence=link,
        text=inputs[SWEEP].texts[-1],
        language=language,
        summary=_summary(model, readings),
        causal=model.causal,
        lengths=tuple(f"{reading.tokens:,}" for reading in readings),
        read=f"{wording.listed(f'{reading.tokens:,}' for reading in readings)} tokens",
        charts=tuple(_chart(index, name, readings, href) for index, name in enumerate(MEASURES)),
        left_out="" if not readings[-1].left_out else _cut(model),
    )


def _distinct(readings: Iterable[LengthReading]) -> list[LengthReading]:
    """The readings of different lengths: beyond its context a model reads no more."""
    distinct: list[LengthReading] = []
    for reading in readings:
        if not distinct or reading.tokens > distinct[-1].tokens:
            distinct.append(reading)
    return distinct


def _cut(model: GalleryModel) -> str:
    context = model.facts.context
    reads = "" if context is None else f": the model reads {wording.count(context, 'token')}"
    return f"The end of the text was left out{reads}."


def _summary(model: GalleryModel, readings: list[LengthReading]) -> str:
    first, last = readings[0], readings[-1]
    entropy, sink = MEASURES.index("entropy"), MEASURES.index("first")
    begun, ended = (np.nanmean(reading.values, axis=(1, 2)) for reading in (first, last))
    return (
        f"From {first.tokens} to {wording.count(last.tokens, 'token')} the mean entropy of "
        f"{model.spec.title}’s heads goes from {wording.share(float(begun[entropy]))} to "
        f"{wording.share(float(ended[entropy]))} of the maximum, and their mean first-token mass from "
        f"{wording.share(float(begun[sink]))} to {wording.share(float(ended[sink]))}."
    )


def _chart(
    index: int, name: LengthMeasure, readings: list[LengthReading], href: Callable[[HeadIndex], str]
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
    about: _About, values: Float32, even: Float32, href: Callable[[HeadIndex], str]
) -> tuple[LengthHead, ...]:
    """The heads whose way from the shortest to the longest text differs most from that of even attention."""
    # Most measures change with the length by themselves: what even attention does is taken off.
    change = (values[-1] - values[0]) - (even[-1] - even[0])
    # Stable, so that of equal changes the earlier head is named on every machine.
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:CHANGED_HEADS]
    heads = [divmod(index, change.shape[1]) for index in order.tolist()]
    return tuple(
        LengthHead(
            head_name(*head),
            href(head),
            tuple(about.print(float(value)) for value in values[:, *head]),
        )
        for head in heads
    )


MODEL_LENGTH = PageKind(
    "length",
    template="model_length.html",
    scope="model",
    applies=lambda settings, notes: settings.lengths is not None,
    subjects=lambda gallery, model: [ModelPage(model)] if model.spec.slug in gallery.sweeps else [],
    route=lambda page: routes.model_length(page.model.spec.slug),
    make=_length,
    needs=(PREFIX_READINGS, SWEEP, SWEPT_SENTENCE),
)
