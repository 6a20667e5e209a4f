"""`/models/<model>/`: what a model is, and all its heads measured over every sentence."""

from __future__ import annotations

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence import wording
from attention_gallery.pages.capture_inputs import (
    FAMILY,
    HAS_SWEEP,
    MAP_OF_HEADS,
    MODEL,
    MODEL_COMMENTARY,
    MODEL_PROBE,
    RANDOM_TOKENS,
    ModelPage,
)
from attention_gallery.pages.contexts.page_contexts import ModelContext
from attention_gallery.pages.downloads import registry
from attention_gallery.pages.downloads.download import download_links
from attention_gallery.pages.frame import model_card, page_info, provenance
from attention_gallery.pages.gallery import GalleryModel
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections.atlas import atlas_of
from attention_gallery.pages.sections.head_tables import head_table, type_legend
from attention_gallery.pages.sections.relation_tables import relation_groups
from attention_gallery.pages.sections.repeat_scores import repeats_view
from attention_gallery.pages.sections.similarity import head_map_view


def _model(page: ModelPage, inputs: PageInputs) -> Page:
    model, reader, probe = page.model, inputs[MODEL], inputs[MODEL_PROBE]
    commentary = inputs[MODEL_COMMENTARY]
    slug = model.spec.slug
    route = routes.model(slug)

    def href(head: HeadIndex) -> str:
        return routes.href(route, routes.model_head(slug, model.routes.slug(*head)))

    across = reader.across
    summary = _summary(reader)
    downloads = download_links(registry.DOWNLOADS, "model", inputs, route)
    asked, reads = inputs[RANDOM_TOKENS]
    context = ModelContext(
        model=model_card(model, route),
        kinds=_kinds(inputs[FAMILY], model, route),
        heads=head_table(across, href),
        types=type_legend(across),
        map=head_map_view(reader, inputs[MAP_OF_HEADS], href),
        definitions=reader.definitions,
        atlas=atlas_of(reader, probe, downloads, route, href),
        sentences=tuple(
            (Link(capture.sentence.title, routes.href(route, capture.route)), reader.lengths[capture.key])
            for capture in reader.captures
        ),
        notes=commentary.notes.blocks(route),
        summary=summary,
        relations=relation_groups(probe, href) if probe else (),
        contrasts=commentary.contrasts.links(route),
        repeats=repeats_view(reader, reads, href) if asked else None,
        length=_length_link(model, route) if inputs[HAS_SWEEP] else None,
        parsers=wording.listed(probe.parsers) if probe else "",
    )
    # What its author wrote says more to who finds the page by searching.
    description, origin = model.spec.description or summary, provenance(model.provenance)
    return Page(page_info(inputs.site, "model", route, model.spec.title, description, (), origin), context)


def _length_link(model: GalleryModel, route: str) -> Link:
    return Link("What the length of a text does", routes.href(route, routes.model_length(model.spec.slug)))


def _kinds(family: tuple[GalleryModel, ...], model: GalleryModel, route: str) -> tuple[Link, ...]:
    """The models of one encoder-decoder; this one leads nowhere."""
    return tuple(
        Link(
            "cross attention" if other.kind == "cross" else other.kind,
            "" if other is model else routes.href(route, routes.model(other.spec.slug)),
        )
        for other in family
    )


def _summary(reader: ModelReader) -> str:
    across = reader.across
    # Sorting is stable: as many of one type as of another stay in the order of the legend.
    counts = sorted(type_legend(across), key=lambda kind: -kind.count)
    kinds = wording.listed(
        wording.count(kind.count, kind.title[0].lower() + kind.title[1:]) for kind in counts
    )
    over = wording.count(across.sentences, "sentence")
    heads = across.layers * across.heads
    # A head of two types was counted for both.
    two = sum(kind.count for kind in counts) - heads
    also = f" {wording.count(two, 'head')} {'has' if two == 1 else 'have'} two of these types." if two else ""
    return f"{wording.count(heads, 'head')}, typed by their means over {over}: {kinds}.{also}"


MODEL_PAGE = PageKind(
    "model",
    template="model.html",
    scope="model",
    subjects=lambda gallery, model: [ModelPage(model)],
    route=lambda page: routes.model(page.model.spec.slug),
    make=_model,
    needs=(
        FAMILY,
        HAS_SWEEP,
        MAP_OF_HEADS,
        MODEL,
        MODEL_COMMENTARY,
        MODEL_PROBE,
        RANDOM_TOKENS,
    ),
)
