"""`/<model>/<sentence>/l03h07/`: one head on one sentence, the page people share."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from attention_gallery.pages import routes, words
from attention_gallery.pages.chrome import page_info, provenance, render
from attention_gallery.pages.contexts import HeadContext
from attention_gallery.pages.contexts import Pair as PairRow
from attention_gallery.pages.gallery import Gallery, PlannedPage
from attention_gallery.pages.pair_view import PairView
from attention_gallery.records import head_name


def head_pages(gallery: Gallery, view: PairView) -> Iterator[PlannedPage]:
    """A page for each head of the pair that has one."""
    pair = view.pair
    for layer, head in pair.heads:
        notes = gallery.notes.of_head(pair.model.spec.slug, pair.sentence.slug, layer, head)
        yield PlannedPage(
            pair.head_route(layer, head),
            gallery.inputs("head", pair.inputs, layer, head, notes.digest),
            lambda layer=layer, head=head: _make(gallery, view, layer, head),  # type: ignore[misc]
        )


def _make(gallery: Gallery, view: PairView, layer: int, head: int) -> bytes:
    pair = view.pair
    model, sentence = pair.model, pair.sentence
    route = pair.head_route(layer, head)
    name = head_name(layer, head)
    kind = view.analysis.head_type(layer, head)
    summary = view.describer.head(layer, head)
    figure = view.heatmap.head(name, view.weights(layer, head), summary)
    across = routes.model_head(model.spec.slug, model.routes.slug(layer, head))
    context = HeadContext(
        shared=view.head_pages_share,
        name=name,
        layer=layer,
        head=head,
        type_title=kind.title,
        family=kind.family,
        evidence=kind.evidence,
        figure=Markup(figure.html),
        summary=summary,
        pairs=_pairs(view, layer, head),
        metrics=view.metric_rows(layer, head),
        neighbours=view.neighbours.of(layer, head, lambda at: routes.href(route, pair.head_route(*at))),
        across=routes.href(route, across),
        notes=gallery.notes.of_head(model.spec.slug, sentence.slug, layer, head).blocks(route),
    )
    info = page_info(
        gallery,
        "head",
        route,
        f"{name} on “{words.shortened(sentence.title, 60)}”, {model.spec.title}",
        summary,
        ((model.spec.title, routes.model(model.spec.slug)), (sentence.title, pair.route)),
        provenance(pair.provenance),
    )
    return render(gallery, "head.html", info, context)


def _pairs(view: PairView, layer: int, head: int) -> tuple[PairRow, ...]:
    texts = view.tokens.texts
    return tuple(
        PairRow(texts[query], texts[key], query, key, words.weight(weight), weight)
        for query, key, weight in view.standouts[layer][head]
    )
