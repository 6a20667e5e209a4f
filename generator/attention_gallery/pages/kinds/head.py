"""`/<model>/<sentence>/l03h07/`: one head on one sentence, the page people share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.evidence.mentions import NO_NOTES, NoteList
from attention_gallery.evidence.published_notes import NoteSet
from attention_gallery.pages.contexts.page_contexts import HeadContext
from attention_gallery.pages.frame import render
from attention_gallery.pages.gallery import Gallery, PlannedPage
from attention_gallery.pages.readers.capture_reader import PairView
from attention_gallery.pages.sections.contrast_links import of_heads
from attention_gallery.records import head_name


def head_pages(gallery: Gallery, view: PairView) -> Iterator[PlannedPage]:
    """A page for each head of the pair that has one."""
    pair = view.pair
    shared = gallery.inputs("head", pair.inputs, pair.heads)
    noted = gallery.notes.heads_of(pair.model.spec.slug, pair.sentence.slug)
    mentioned = gallery.notes.mentions.of_heads(pair.model.spec.slug, pair.sentence.slug)
    contrasted = of_heads(gallery, pair.model.spec.slug, pair.sentence.slug)
    for layer, head in pair.heads:
        notes, mentions = noted.get((layer, head)), mentioned.get((layer, head), NO_NOTES)
        contrasts = contrasted.get((layer, head), NO_NOTES)
        yield PlannedPage(
            pair.head_route(layer, head),
            f"{shared}/{layer}/{head}/{notes.digest if notes else ''}/{mentions.digest}/{contrasts.digest}",
            partial(_make, gallery, view, layer, head, (notes, mentions, contrasts)),
        )


def _make(
    gallery: Gallery, view: PairView, layer: int, head: int, said: tuple[NoteSet | None, NoteList, NoteList]
) -> bytes:
    notes, mentions, contrasts = said
    pair = view.pair
    model = pair.model
    route = pair.head_route(layer, head)
    name = head_name(layer, head)
    kind = view.analysis.head_type(layer, head)
    summary = view.describer.head(layer, head, kind)
    figure = view.heatmap.head(name, view.weights(layer, head), summary)
    across = routes.model_head(model.spec.slug, model.routes.slug(layer, head))
    context = HeadContext(
        shared=view.head_pages_share,
        name=name,
        layer=layer,
        head=head,
        type_title=kind.titles,
        family=kind.family,
        evidence=kind.evidences,
        figure=Markup(figure.html),
        summary=summary,
        pairs=view.strongest(layer, head),
        metrics=view.metric_rows(layer, head),
        neighbours=view.neighbours[layer, head],
        across=routes.href(route, across),
        notes=notes.blocks(route) if notes else (),
        mentions=mentions.links(route),
        sinks=view.sinks(layer, head),
        contrasts=contrasts.links(route),
    )
    title = f"{name} on “{view.short_title}”, {model.spec.title}"
    return render(gallery, "head.html", view.head_frame.page(route, title, summary), context)
