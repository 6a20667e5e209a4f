"""`/models/<model>/`: what a model is, and all its heads measured over every sentence."""

from __future__ import annotations

from collections.abc import Iterator

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.page_contexts import ModelContext
from attention_gallery.pages.downloads.heads_table import heads_csv, heads_json
from attention_gallery.pages.frame import model_card, page_info, provenance, render
from attention_gallery.pages.gallery import Gallery, GalleryModel, PlannedPage
from attention_gallery.pages.kinds.model_length import length_link
from attention_gallery.pages.readers.model_reader import ModelView
from attention_gallery.pages.sections.atlas import atlas_of
from attention_gallery.pages.sections.contrast_links import of_model
from attention_gallery.pages.sections.head_tables import head_table, type_legend
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.pages.sections.relation_tables import relation_groups
from attention_gallery.pages.sections.repeat_scores import repeats_view
from attention_gallery.pages.sections.similarity import head_map_view


def model_page(gallery: Gallery, view: ModelView) -> Iterator[PlannedPage]:
    """The page of one model, and its data when the gallery offers downloads."""
    notes = gallery.notes.of_model(view.model.spec.slug)
    yield PlannedPage(
        routes.model(view.model.spec.slug),
        gallery.inputs(
            "model",
            view.inputs,
            notes.digest,
            [one.kind for one in gallery.kinds_of(view.model)],
            view.probe_inputs,
            of_model(gallery, view.model.spec.slug).digest,
            view.model.spec.slug in gallery.ladders,
            gallery.settings.analysis.repeated_tokens,
        ),
        lambda: _make(gallery, view),
    )
    if gallery.settings.pages.downloads:
        slug = view.model.spec.slug
        inputs = gallery.inputs("heads", view.inputs, view.probe_inputs)
        yield PlannedPage(routes.heads_table(slug, "csv"), inputs, lambda: heads_csv(view))
        yield PlannedPage(routes.heads_table(slug, "json"), inputs, lambda: heads_json(view))


def _make(gallery: Gallery, view: ModelView) -> bytes:
    model = view.model
    slug = model.spec.slug
    route = routes.model(slug)

    def href(place: Place) -> str:
        return routes.href(route, routes.model_head(slug, model.routes.slug(*place)))

    across = view.across
    summary = _summary(view)
    context = ModelContext(
        model=model_card(model, route),
        kinds=_kinds(gallery, model, route),
        heads=head_table(across, href),
        types=type_legend(across),
        map=head_map_view(view, href),
        definitions=view.definitions,
        atlas=atlas_of(view, route, href),
        sentences=tuple(
            (Link(pair.sentence.title, routes.href(route, pair.route)), view.lengths[pair.key])
            for pair in gallery.of_model(model)
        ),
        notes=gallery.notes.of_model(slug).blocks(route),
        summary=summary,
        relations=relation_groups(view.probe, href) if view.probe else (),
        contrasts=of_model(gallery, slug).links(route),
        repeats=repeats_view(view, href),
        length=length_link(gallery, model, route),
        parsers=wording.listed(view.probe.parsers) if view.probe else "",
    )
    info = page_info(
        gallery,
        "model",
        route,
        model.spec.title,
        model.spec.description or summary,
        (),
        provenance(model.provenance),
    )
    return render(gallery, "model.html", info, context)


def _kinds(gallery: Gallery, model: GalleryModel, route: str) -> tuple[Link, ...]:
    """The models of one encoder-decoder; this one leads nowhere."""
    return tuple(
        Link(
            "cross attention" if one.kind == "cross" else one.kind,
            "" if one is model else routes.href(route, routes.model(one.spec.slug)),
        )
        for one in gallery.kinds_of(model)
    )


def _summary(view: ModelView) -> str:
    across = view.across
    counts = sorted(type_legend(across), key=lambda kind: -kind.count)
    kinds = wording.listed(
        wording.count(kind.count, kind.title[0].lower() + kind.title[1:]) for kind in counts
    )
    over = wording.count(across.sentences, "sentence")
    heads = across.layers * across.heads
    two = sum(kind.count for kind in counts) - heads
    said = f" {wording.count(two, 'head')} {'has' if two == 1 else 'have'} two of these types." if two else ""
    return f"{wording.count(heads, 'head')}, typed by their means over {over}: {kinds}.{said}"
