"""`/sentences/<sentence>/`: one sentence across every model, with its notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from attention_gallery.addresses import routes
from attention_gallery.evidence import wording
from attention_gallery.figures.thumbnail import thumbnail_size
from attention_gallery.pages.contexts.page_contexts import SentenceContext
from attention_gallery.pages.contexts.shared import SentenceModel, Thumbnail
from attention_gallery.pages.frame import model_card, page_info
from attention_gallery.pages.gallery import Gallery
from attention_gallery.pages.kinds.explorer import head_links
from attention_gallery.pages.neighbours import siblings_of
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.sections.capture_relations import relation_rows
from attention_gallery.pages.sections.head_tables import notable_heads
from attention_gallery.pages.sections.model_inputs import texts_of
from attention_gallery.pages.sections.token_traces import token_trace_of
from attention_gallery.pages.site_inputs import (
    GOLD_RELATIONS,
    MODEL_TITLES,
    PARSE,
    SENTENCE_CAPTURES,
    SENTENCE_COMMENTARY,
    SentenceCapture,
    SentencePage,
)
from attention_gallery.texts.words import Span

NOTABLE_HEADS = 5


def _sentence(page: SentencePage, inputs: PageInputs) -> Page:
    sentence, captures = page.sentence, inputs[SENTENCE_CAPTURES]
    route, commentary = _route(page), inputs[SENTENCE_COMMENTARY]
    previous, following = page.siblings.links(route)
    words, parse = partial(wording.side, sentence.joined), inputs[PARSE]
    context = SentenceContext(
        title=sentence.title,
        text=sentence.joined,
        texts=texts_of(sentence, _unread_by_all(captures)),
        language=sentence.language or inputs.site.info.language,
        tags=sentence.tags,
        relations=tuple((words(edge.from_), words(edge.to), edge.kind) for edge in inputs[GOLD_RELATIONS]),
        parse=None if parse is None else parse.view(sentence.joined),
        models=tuple(_model(inputs, capture, route) for capture in captures),
        notes=commentary.notes.blocks(route),
        previous=previous,
        next=following,
        contrasts=commentary.contrasts.links(route),
    )
    names = wording.listed(inputs[MODEL_TITLES])
    description = f"“{wording.shortened(sentence.joined, 120)}” as {names} read it."
    return Page(page_info(inputs.site, "sentence", route, sentence.title, description), context)


def _unread_by_all(captures: Sequence[SentenceCapture]) -> tuple[Span, ...]:
    """What no model read of a sentence; what only some did not is told beside each."""
    unread = [
        {position for span in reader.keys.unread for position in range(*span)}
        for reader, _, _ in captures
        # A decoder is given the target; the encoder beside it tells what was read of the sentence.
        if not reader.capture.model.reads_target
    ]
    positions = set.intersection(*unread) if unread else set()
    # Back from single positions to ranges, for what several models left out need not begin together.
    starts = sorted(position for position in positions if position - 1 not in positions)
    ends = sorted(position + 1 for position in positions if position + 1 not in positions)
    return tuple(zip(starts, ends, strict=True))


def _model(inputs: PageInputs, sentence_capture: SentenceCapture, route: str) -> SentenceModel:
    reader, probe, notes = sentence_capture
    capture, analysis = reader.capture, reader.analysis
    model, href = capture.model, head_links(capture, route)
    size = thumbnail_size(analysis.tokens, analysis.keys)
    picture = routes.thumbnail(model.spec.slug, capture.sentence.slug)
    return SentenceModel(
        model=model_card(model, route),
        href=routes.href(route, capture.route),
        thumbnail=Thumbnail(routes.href(route, picture), reader.describer.average(), *size),
        tokens=analysis.tokens,
        length=wording.length(analysis.tokens, analysis.keys, analysis.kind == "cross"),
        trace=token_trace_of(reader, reader.focus),
        notable=notable_heads(
            analysis, reader.tokens, reader.keys, analysis.ranked_heads(NOTABLE_HEADS), href
        ),
        notes=notes.blocks(route, guest=model.spec.slug),
        left_out=reader.reading_gaps,
        relations=relation_rows(inputs, probe, capture, href),
    )


def _route(page: SentencePage) -> str:
    return routes.sentence(page.sentence.slug)


def _subjects(gallery: Gallery, site: None) -> Iterator[SentencePage]:
    sentences = gallery.sentences
    siblings = siblings_of((sentence.title, routes.sentence(sentence.slug)) for sentence in sentences)
    return map(SentencePage, sentences, siblings)


SENTENCE = PageKind(
    "sentence",
    template="sentence.html",
    subjects=_subjects,
    route=_route,
    make=_sentence,
    needs=(GOLD_RELATIONS, MODEL_TITLES, PARSE, SENTENCE_CAPTURES, SENTENCE_COMMENTARY),
)
