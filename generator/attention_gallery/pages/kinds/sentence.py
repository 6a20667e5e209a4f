"""`/sentences/<sentence>/`: one sentence across every model, with its notes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence import wording
from attention_gallery.figures.thumbnail import thumbnail_size
from attention_gallery.manifest.settings import ParsedRelation, SentenceSpec
from attention_gallery.pages.contexts.page_contexts import SentenceContext
from attention_gallery.pages.contexts.shared import SentenceModel, Thumbnail
from attention_gallery.pages.frame import model_card, page_info, render
from attention_gallery.pages.gallery import Gallery, Pair, PlannedPage
from attention_gallery.pages.readers.capture_reader import PairView
from attention_gallery.pages.sections.capture_relations import relations_of
from attention_gallery.pages.sections.contrast_links import of_sentence
from attention_gallery.pages.sections.head_tables import notable_heads
from attention_gallery.pages.sections.model_inputs import texts_of
from attention_gallery.pages.sections.neighbours import Place, around
from attention_gallery.pages.sections.traces import token_trace_of
from attention_gallery.texts.words import Span

NOTABLE_HEADS = 5


def sentence_pages(gallery: Gallery) -> Iterator[PlannedPage]:
    """A page for each sentence."""
    for sentence, beside in zip(gallery.sentences, around(gallery.sentences), strict=True):
        before, after = beside
        notes = gallery.notes.of_sentence(sentence.slug)
        inputs = gallery.inputs(
            "sentence",
            gallery.told(sentence),
            [pair.inputs for pair in gallery.of_sentence(sentence)],
            [pair.heads for pair in gallery.of_sentence(sentence)],
            [[one.slug, one.title] for one in (before, sentence, after) if one],
            notes.digest,
            [gallery.notes.of_pair(m.spec.slug, sentence.slug).digest for m in gallery.models],
            gallery.related(sentence),
            [gallery.probed(pair) for pair in gallery.of_sentence(sentence)],
            of_sentence(gallery, sentence.slug).digest,
        )
        yield PlannedPage(
            routes.sentence(sentence.slug),
            inputs,
            partial(_make, gallery, sentence, beside),
        )


def _make(
    gallery: Gallery, sentence: SentenceSpec, beside: tuple[SentenceSpec | None, SentenceSpec | None]
) -> bytes:
    route = routes.sentence(sentence.slug)
    before, after = (
        Link(one.title, routes.href(route, routes.sentence(one.slug))) if one else None for one in beside
    )
    said, parse = partial(wording.side, sentence.joined), gallery.parses.get(sentence.slug)
    context = SentenceContext(
        title=sentence.title,
        text=sentence.joined,
        texts=texts_of(sentence, _unread_by_all(gallery, sentence)),
        language=sentence.language or gallery.settings.language,
        tags=sentence.tags,
        relations=tuple(
            (said(one.from_), said(one.to), one.kind)
            for one in sentence.relations
            if not isinstance(one, ParsedRelation)
        ),
        parse=None if parse is None else parse.view(sentence.joined),
        models=tuple(_model(gallery, pair, route) for pair in gallery.of_sentence(sentence)),
        notes=gallery.notes.of_sentence(sentence.slug).blocks(route),
        previous=before,
        next=after,
        contrasts=of_sentence(gallery, sentence.slug).links(route),
    )
    names = wording.listed(model.title for model in gallery.settings.models if sentence.read_by(model.slug))
    description = f"“{wording.shortened(sentence.joined, 120)}” as {names} read it."
    info = page_info(gallery, "sentence", route, sentence.title, description)
    return render(gallery, "sentence.html", info, context)


def _unread_by_all(gallery: Gallery, sentence: SentenceSpec) -> tuple[Span, ...]:
    """What no model read of a sentence; what only some did not is told beside each."""
    pairs = [pair for pair in gallery.of_sentence(sentence) if not pair.model.reads_target]
    unread = (_places(PairView(gallery, pair).keys.unread) for pair in pairs)
    places = set.intersection(*unread) if pairs else set()
    starts = sorted(place for place in places if place - 1 not in places)
    ends = sorted(place + 1 for place in places if place + 1 not in places)
    return tuple(zip(starts, ends, strict=True))


def _places(spans: tuple[Span, ...]) -> set[int]:
    return {place for span in spans for place in range(*span)}


def _model(gallery: Gallery, pair: Pair, route: str) -> SentenceModel:
    view = PairView(gallery, pair)
    analysis = view.analysis
    strongest = analysis.notable(NOTABLE_HEADS)
    paged = set(pair.heads)

    def href(place: Place) -> str:
        return routes.href(route, pair.head_route(*place)) if place in paged else ""

    size = thumbnail_size(analysis.tokens, analysis.keys)
    picture = routes.thumbnail(pair.model.spec.slug, pair.sentence.slug)
    return SentenceModel(
        model=model_card(pair.model, route),
        href=routes.href(route, pair.route),
        thumbnail=Thumbnail(routes.href(route, picture), view.describer.average(), *size),
        tokens=analysis.tokens,
        length=wording.length(analysis.tokens, analysis.keys, analysis.kind == "cross"),
        trace=token_trace_of(view, view.focus),
        notable=notable_heads(
            analysis,
            view.tokens,
            view.keys,
            strongest,
            href,
        ),
        notes=gallery.notes.of_pair(pair.model.spec.slug, pair.sentence.slug).blocks(
            route, guest=pair.model.spec.slug
        ),
        left_out=view.reading_gaps,
        relations=relations_of(gallery, pair, href),
    )
