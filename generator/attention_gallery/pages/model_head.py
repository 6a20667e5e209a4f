"""`/models/<model>/l03h07/`: one head across every sentence."""

from __future__ import annotations

from collections.abc import Iterator

from attention_gallery.analysis import RelationScore
from attention_gallery.pages import routes, words
from attention_gallery.pages.chrome import model_card, page_info, provenance, render
from attention_gallery.pages.contexts import ModelHeadContext
from attention_gallery.pages.contrast_links import of_heads
from attention_gallery.pages.gallery import Gallery, Pair, PlannedPage
from attention_gallery.pages.likeness import similar_heads, typical_distance
from attention_gallery.pages.measures import rows_across
from attention_gallery.pages.mentions import NO_NOTES
from attention_gallery.pages.model_view import PICTURED_SENTENCES, ModelView
from attention_gallery.pages.neighbours import Place, head_neighbours
from attention_gallery.pages.pieces import HeadExample, Link, Neighbours
from attention_gallery.pages.relations import relation_row
from attention_gallery.pages.repeats import repeats_rows
from attention_gallery.pages.sinks import head_said
from attention_gallery.records import head_name


def model_head_pages(gallery: Gallery, view: ModelView) -> Iterator[PlannedPage]:
    """A page for each head of the model."""
    model = view.model
    slug = model.spec.slug
    around = head_neighbours(model.places, model.routes)
    mentioned = gallery.notes.mentions.of_model_heads(slug)
    contrasted = of_heads(gallery, slug)
    for layer, head in model.places:
        notes = gallery.notes.of_model_head(slug, layer, head)
        mentions = mentioned.get((layer, head), NO_NOTES)
        contrasts = contrasted.get((layer, head), NO_NOTES)
        yield PlannedPage(
            routes.model_head(slug, model.routes.slug(layer, head)),
            gallery.inputs(
                "model-head",
                view.inputs,
                layer,
                head,
                notes.digest,
                mentions.digest,
                view.probe_inputs,
                contrasts.digest,
            ),
            lambda layer=layer, head=head: _make(gallery, view, around, layer, head),  # type: ignore[misc]
        )


def _make(gallery: Gallery, view: ModelView, around: dict[Place, Neighbours], layer: int, head: int) -> bytes:
    model = view.model
    slug = model.spec.slug
    name = head_name(layer, head)
    route = routes.model_head(slug, model.routes.slug(layer, head))
    kind = view.across.head_type(layer, head)
    context = ModelHeadContext(
        model=model_card(model, route),
        name=name,
        layer=layer,
        head=head,
        type_title=kind.title,
        family=kind.family,
        evidence=kind.evidence,
        sinks=head_said(view.sinks, (layer, head), model.facts.kind),
        metrics=(*rows_across(view.across, layer, head), *repeats_rows(view, (layer, head))),
        examples=tuple(_examples(view, route, layer, head)),
        others=tuple(_others(view, route, layer, head)),
        similar=similar_heads(view, (layer, head), lambda place: f"../{model.routes.slug(*place)}/"),
        typical=typical_distance(view),
        neighbours=around[layer, head],
        notes=gallery.notes.of_model_head(slug, layer, head).blocks(route),
        mentions=gallery.notes.mentions.of_model_heads(slug).get((layer, head), NO_NOTES).links(route),
        best_at=tuple(relation_row(one, model.causal, lambda _: "") for one in _best_at(view, layer, head)),
        contrasts=of_heads(gallery, slug).get((layer, head), NO_NOTES).links(route),
    )
    summary = f"{name} of {model.spec.title}: {kind.title.lower()}. {kind.evidence}."
    info = page_info(
        gallery,
        "model_head",
        route,
        f"{name} of {model.spec.title}",
        summary,
        ((model.spec.title, routes.model(slug)),),
        provenance(model.provenance),
    )
    return render(gallery, "model_head.html", info, context)


def _best_at(view: ModelView, layer: int, head: int) -> tuple[RelationScore, ...]:
    return () if view.probe is None else view.probe.best_at(layer, head)


def _examples(view: ModelView, route: str, layer: int, head: int) -> Iterator[HeadExample]:
    for index, pair in enumerate(view.pairs[:PICTURED_SENTENCES]):
        kind = view.typed(index, layer, head)
        name = head_name(layer, head)
        alt = f"{name} on “{words.shortened(pair.sentence.title, 60)}”"
        yield HeadExample(
            title=pair.sentence.title,
            text=words.shortened(pair.sentence.joined, 200),
            language=pair.sentence.language or view.gallery.settings.language,
            href=routes.href(route, _target(pair, layer, head)),
            thumbnail=view.picture(index, layer, head, alt),
            type_title=kind.title,
            family=kind.family,
            evidence=kind.evidence,
        )


def _others(view: ModelView, route: str, layer: int, head: int) -> Iterator[tuple[Link, str, str]]:
    for index in range(PICTURED_SENTENCES, len(view.pairs)):
        pair, kind = view.pairs[index], view.kind(index, layer, head)
        yield (
            Link(pair.sentence.title, routes.href(route, _target(pair, layer, head))),
            kind.title,
            kind.family,
        )


def _target(pair: Pair, layer: int, head: int) -> str:
    """The head's own page, or the explorer with the head selected where it has none."""
    if pair.heads is pair.model.places or (layer, head) in pair.heads:
        return pair.head_route(layer, head)
    return f"{pair.route}#head={head_name(layer, head)}"
