"""`/models/<model>/l03h07/`: one head across every sentence."""

from __future__ import annotations

from collections.abc import Iterator

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis import KINDS
from attention_gallery.analysis.measures.metrics import metric_named
from attention_gallery.evidence import wording
from attention_gallery.pages.capture_inputs import (
    DISTRIBUTIONS,
    MAP_OF_HEADS,
    MODEL,
    MODEL_HEAD_COMMENTARY,
    MODEL_PROBE,
    MODEL_SINKS,
    ModelHeadPage,
)
from attention_gallery.pages.contexts.page_contexts import ModelHeadContext
from attention_gallery.pages.contexts.relation_context import RelationRow
from attention_gallery.pages.contexts.shared import HeadExample
from attention_gallery.pages.frame import model_card, page_info, provenance
from attention_gallery.pages.gallery import Gallery, GalleryModel
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.model_reader import PICTURED_SENTENCES, ModelReader
from attention_gallery.pages.sections.relation_tables import relation_row
from attention_gallery.pages.sections.similarity import estimated_distances, similar_heads, typical_distance
from attention_gallery.pages.sections.sinks import head_sentence
from attention_gallery.records import head_name


def _model_head(page: ModelHeadPage, inputs: PageInputs) -> Page:
    model, layer, head = page
    reader, head_map, probe = inputs[MODEL], inputs[MAP_OF_HEADS], inputs[MODEL_PROBE]
    commentary, name = inputs[MODEL_HEAD_COMMENTARY], head_name(layer, head)
    route = _route(page)
    kind = reader.across.head_type(layer, head)
    context = ModelHeadContext(
        model=model_card(model, route),
        name=name,
        layer=layer,
        head=head,
        type_title=kind.titles,
        family=kind.family,
        evidence=kind.evidences,
        measures=inputs[DISTRIBUTIONS].of((layer, head), route),
        definitions=reader.definitions,
        order=_order(reader, layer, head),
        sinks=head_sentence(inputs[MODEL_SINKS], (layer, head), model.facts.kind),
        examples=tuple(_examples(reader, route, layer, head)),
        others=tuple(_others(reader, route, layer, head)),
        similar=similar_heads(reader, head_map, (layer, head), lambda at: f"../{model.routes.slug(*at)}/"),
        typical=typical_distance(head_map),
        estimated=estimated_distances(head_map),
        neighbours=model.neighbours[layer, head],
        notes=commentary.notes.blocks(route),
        mentions=commentary.mentions.links(route),
        contrasts=commentary.contrasts.links(route),
        follows=_follows(probe, layer, head),
        best_at=_best_at(probe, layer, head),
    )
    title = f"{name} of {model.spec.title}"
    summary = f"{title}: {kind.titles.lower()}. {kind.evidences}."
    crumbs, origin = ((model.spec.title, routes.model(model.spec.slug)),), provenance(model.provenance)
    return Page(page_info(inputs.site, "model_head", route, title, summary, crumbs, origin), context)


def _route(page: ModelHeadPage) -> str:
    return routes.model_head(page.model.spec.slug, page.model.routes.slug(page.layer, page.head))


def _best_at(probe: ModelProbe | None, layer: int, head: int) -> tuple[RelationRow, ...]:
    if probe is None:
        return ()
    return tuple(relation_row(score, probe, lambda _: "") for score in probe.best_at(layer, head))


def _follows(probe: ModelProbe | None, layer: int, head: int) -> str:
    """What the head knows of relations though another is better at them, or that it knows none."""
    if probe is None or not probe.tested:
        return ""
    relation = probe.by_head.get((layer, head))
    if relation is None:
        kinds = wording.count(probe.tested, "kind")
        return (
            f"None. At none of the {kinds} of relation that were probed is this head better than guessing, "
            "after correction for all heads and kinds (Holm)."
        )
    # The rows of what it is best at say more.
    if relation.best:
        return ""
    way = "that they look at most" if relation.direction == 0 else "that looks at them most"
    return (
        f"Of the relations that were probed it follows “{relation.title}” best: for {relation.right:,} of "
        f"{wording.count(relation.examples, 'word')} ({wording.hundredths(relation.share)}) the right one is "
        f"the word {way}. The best fixed offset is right for {wording.hundredths(relation.baseline)}. It is "
        f"better than guessing, after correction for all heads and kinds (Holm, p "
        f"{_chance(relation.adjusted)}). Another head was chosen as the best at it."
    )


def _chance(value: float) -> str:
    """A p-value: `= 0.012`, `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _order(reader: ModelReader, layer: int, head: int) -> str:
    """By what the sentences of a head are in order; "" for a single one."""
    if len(reader.captures) == 1:
        return ""
    kind = KINDS[int(reader.across.types[layer, head])]
    if not kind.measure:
        pairs = wording.far_pairs(reader.across.kind)
        return f"The clearest first: that is where the strongest pair of {pairs} is strongest."
    least = "the least " if kind.sign < 0 else ""
    return f"The clearest first, by {least}{metric_named(kind.measure).title.lower()}."


def _examples(reader: ModelReader, route: str, layer: int, head: int) -> Iterator[HeadExample]:
    for index in reader.clearest[layer][head][:PICTURED_SENTENCES]:
        capture = reader.captures[index]
        kind = reader.typed(index, layer, head)
        name = head_name(layer, head)
        alt = f"{name} on “{wording.shortened(capture.sentence.title, 60)}”"
        yield HeadExample(
            title=capture.sentence.title,
            text=wording.shortened(capture.sentence.joined, 200),
            language=reader.language(index),
            href=routes.href(route, capture.target((layer, head))),
            thumbnail=reader.picture(index, layer, head, alt),
            type_title=kind.titles,
            family=kind.family,
            evidence=kind.evidences,
        )


def _others(reader: ModelReader, route: str, layer: int, head: int) -> Iterator[tuple[Link, str, str]]:
    # Without evidence, so that the list, which may be of hundreds, stays short.
    for index in reader.clearest[layer][head][PICTURED_SENTENCES:]:
        kind = reader.kind(index, layer, head)
        capture = reader.captures[index]
        href = routes.href(route, capture.target((layer, head)))
        yield Link(capture.sentence.title, href), kind.title, kind.family


def _subjects(gallery: Gallery, model: GalleryModel) -> Iterator[ModelHeadPage]:
    return (ModelHeadPage(model, *head) for head in model.heads)


MODEL_HEAD = PageKind(
    "model-head",
    template="model_head.html",
    scope="model",
    subjects=_subjects,
    route=_route,
    make=_model_head,
    needs=(DISTRIBUTIONS, MAP_OF_HEADS, MODEL, MODEL_HEAD_COMMENTARY, MODEL_PROBE, MODEL_SINKS),
)
HEAD_THUMBNAIL = PageKind(
    "head-thumbnail",
    scope="model",
    subjects=_subjects,
    route=lambda page: routes.head_thumbnail(
        page.model.spec.slug, page.model.routes.slug(page.layer, page.head)
    ),
    make=lambda page, inputs: inputs[MODEL].small_picture(page.layer, page.head),
    needs=(MODEL,),
)
