"""`/models/<model>/l03h07/`: one head across every sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis import KINDS, metric_named
from attention_gallery.evidence import wording
from attention_gallery.evidence.mentions import NO_NOTES
from attention_gallery.pages.contexts.page_contexts import ModelHeadContext
from attention_gallery.pages.contexts.relation_context import RelationRow
from attention_gallery.pages.contexts.shared import HeadExample, Neighbours
from attention_gallery.pages.frame import model_card, page_info, provenance, render
from attention_gallery.pages.gallery import Gallery, PlannedPage
from attention_gallery.pages.readers.distributions import Distributions
from attention_gallery.pages.readers.model_reader import PICTURED_SENTENCES, ModelView
from attention_gallery.pages.sections.contrast_links import of_heads
from attention_gallery.pages.sections.neighbours import Place, head_neighbours
from attention_gallery.pages.sections.relation_tables import relation_row
from attention_gallery.pages.sections.similarity import estimated_distances, similar_heads, typical_distance
from attention_gallery.pages.sections.sinks import head_said
from attention_gallery.records import head_name


def model_head_pages(gallery: Gallery, view: ModelView) -> Iterator[PlannedPage]:
    """A page and a small picture for each head of the model."""
    model = view.model
    slug = model.spec.slug
    shared = _Shared(view, head_neighbours(model.places, model.routes), Distributions(view))
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
            lambda layer=layer, head=head: _make(gallery, shared, layer, head),  # type: ignore[misc]
        )
        yield PlannedPage(
            routes.head_thumbnail(slug, model.routes.slug(layer, head)),
            gallery.inputs("head-thumbnail", view.inputs, layer, head),
            lambda layer=layer, head=head: view.small_picture(layer, head),  # type: ignore[misc]
        )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the pages of all heads of a model share."""

    view: ModelView
    around: dict[Place, Neighbours]
    distributions: Distributions


def _make(gallery: Gallery, shared: _Shared, layer: int, head: int) -> bytes:
    view = shared.view
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
        type_title=kind.titles,
        family=kind.family,
        evidence=kind.evidences,
        measures=shared.distributions.of((layer, head), route),
        definitions=view.definitions,
        order=_order(view, layer, head),
        sinks=head_said(view.sinks, (layer, head), model.facts.kind),
        examples=tuple(_examples(view, route, layer, head)),
        others=tuple(_others(view, route, layer, head)),
        similar=similar_heads(view, (layer, head), lambda place: f"../{model.routes.slug(*place)}/"),
        typical=typical_distance(view),
        estimated=estimated_distances(view),
        neighbours=shared.around[layer, head],
        notes=gallery.notes.of_model_head(slug, layer, head).blocks(route),
        mentions=gallery.notes.mentions.of_model_heads(slug).get((layer, head), NO_NOTES).links(route),
        contrasts=of_heads(gallery, slug).get((layer, head), NO_NOTES).links(route),
        follows=_follows(view, layer, head),
        best_at=_best_at(view, layer, head),
    )
    summary = f"{name} of {model.spec.title}: {kind.titles.lower()}. {kind.evidences}."
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


def _best_at(view: ModelView, layer: int, head: int) -> tuple[RelationRow, ...]:
    probe = view.probe
    if probe is None:
        return ()
    return tuple(relation_row(one, probe, lambda _: "") for one in probe.best_at(layer, head))


def _follows(view: ModelView, layer: int, head: int) -> str:
    """What the head knows of relations though another is better at them, or that it knows none."""
    if view.probe is None or not view.probe.tested:
        return ""
    found = view.probe.by_head.get((layer, head))
    if found is None:
        kinds = wording.count(view.probe.tested, "kind")
        return (
            f"None. At none of the {kinds} of relation that were probed is this head better than guessing, "
            "after correction for all heads and kinds (Holm)."
        )
    if found.best:
        return ""
    way = "that they look at most" if found.direction == 0 else "that looks at them most"
    return (
        f"Of the relations that were probed it follows “{found.title}” best: for {found.right:,} of "
        f"{wording.count(found.examples, 'word')} ({wording.hundredths(found.share)}) the right one is the "
        f"word {way}. The best fixed offset is right for {wording.hundredths(found.baseline)}. It is better "
        f"than guessing, after correction for all heads and kinds (Holm, p {_chance(found.adjusted)}). "
        "Another head was chosen as the best at it."
    )


def _chance(value: float) -> str:
    """A p-value: `= 0.012`, `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _order(view: ModelView, layer: int, head: int) -> str:
    """By what the sentences of a head are in order; "" for a single one."""
    if len(view.pairs) == 1:
        return ""
    kind = KINDS[int(view.across.types[layer, head])]
    if not kind.measure:
        pairs = wording.far_pairs(view.across.kind)
        return f"The clearest first: that is where the strongest pair of {pairs} is strongest."
    least = "the least " if kind.sign < 0 else ""
    return f"The clearest first, by {least}{metric_named(kind.measure).title.lower()}."


def _examples(view: ModelView, route: str, layer: int, head: int) -> Iterator[HeadExample]:
    for index in view.clearest[layer][head][:PICTURED_SENTENCES]:
        pair = view.pairs[index]
        kind = view.typed(index, layer, head)
        name = head_name(layer, head)
        alt = f"{name} on “{wording.shortened(pair.sentence.title, 60)}”"
        yield HeadExample(
            title=pair.sentence.title,
            text=wording.shortened(pair.sentence.joined, 200),
            language=pair.sentence.language or view.gallery.settings.language,
            href=routes.href(route, view.target(index, (layer, head))),
            thumbnail=view.picture(index, layer, head, alt),
            type_title=kind.titles,
            family=kind.family,
            evidence=kind.evidences,
        )


def _others(view: ModelView, route: str, layer: int, head: int) -> Iterator[tuple[Link, str, str]]:
    for index in view.clearest[layer][head][PICTURED_SENTENCES:]:
        kind = view.kind(index, layer, head)
        target = view.target(index, (layer, head))
        yield Link(view.pairs[index].sentence.title, routes.href(route, target)), kind.title, kind.family
