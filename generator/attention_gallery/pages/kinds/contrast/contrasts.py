"""`/contrasts/` and `/contrasts/<contrast>/`: two models, two sentences or two heads side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.contrast_context import ContrastContext, ContrastsContext, ContrastSide
from attention_gallery.pages.frame import page_info, provenance, render
from attention_gallery.pages.gallery import Contrast, Gallery, PlannedPage
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastView
from attention_gallery.pages.kinds.contrast.same_heads import paired_context
from attention_gallery.pages.kinds.contrast.two_heads import heads_context
from attention_gallery.pages.kinds.contrast.two_models import models_context
from attention_gallery.pages.sections.contrast_links import all_contrasts
from attention_gallery.pages.sections.neighbours import around

_Beside = tuple[Contrast | None, Contrast | None]


def contrast_pages(gallery: Gallery) -> Iterator[PlannedPage]:
    """The list of contrasts and a page for each, where there are any."""
    if not gallery.contrasts:
        return
    links, kinds = all_contrasts(gallery).notes, [kind_of(one) for one in gallery.contrasts]
    listed = [[*link, kind] for link, kind in zip(links, kinds, strict=True)]
    yield PlannedPage(routes.CONTRASTS, gallery.inputs("contrasts", listed), lambda: _index(gallery))
    for contrast, beside in zip(gallery.contrasts, around(gallery.contrasts), strict=True):
        pairs = gallery.of_model(contrast.left.model) if contrast.across else (contrast.left, contrast.right)
        inputs = gallery.inputs(
            "contrast",
            contrast.spec.model_dump(mode="json"),
            [[pair.inputs, pair.heads, pair.sentence.title, pair.model.spec.title] for pair in pairs],
            gallery.notes.of_contrast(contrast.spec.slug).digest,
            [[one.spec.title, one.route] if one else None for one in beside],
        )
        yield PlannedPage(contrast.route, inputs, partial(_make, gallery, contrast, beside))


def kind_of(contrast: Contrast) -> str:
    """What is compared, in a few words."""
    left, right = contrast.left, contrast.right
    if contrast.heads:
        on = "on every sentence" if contrast.across else f"on “{wording.shortened(left.sentence.title, 60)}”"
        return f"Two heads of {left.model.spec.title} {on}"
    if left.model is right.model:
        return f"Two sentences in {left.model.spec.title}"
    return f"Two models on “{wording.shortened(left.sentence.title, 60)}”"


def _index(gallery: Gallery) -> bytes:
    links = all_contrasts(gallery).links(routes.CONTRASTS)
    kinds = [kind_of(contrast) for contrast in gallery.contrasts]
    context = ContrastsContext(tuple(zip(links, kinds, strict=True)))
    description = f"Models, sentences and heads side by side in {gallery.settings.title}."
    info = page_info(gallery, "contrasts", routes.CONTRASTS, "Contrasts", description)
    return render(gallery, "contrasts.html", info, context)


def _make(gallery: Gallery, contrast: Contrast, beside: _Beside) -> bytes:
    context = gallery.data.sides.take(
        "distances of heads", f"“{contrast.spec.title}”", lambda: _context(gallery, contrast), None
    ) or _left_out(gallery, contrast)
    route = contrast.route
    before, after = (Link(one.spec.title, routes.href(route, one.route)) if one else None for one in beside)
    notes = gallery.notes.of_contrast(contrast.spec.slug).blocks(route)
    context = context._replace(label=kind_of(contrast), notes=notes, previous=before, next=after)
    description = contrast.spec.description or (context.summary[0] if context.summary else context.label)
    pairs = (
        [contrast.left] if contrast.left.model is contrast.right.model else [contrast.left, contrast.right]
    )
    origins = tuple(fact for pair in pairs for fact in provenance(pair.provenance))
    info = page_info(
        gallery,
        "contrast",
        route,
        contrast.spec.title,
        description,
        (("Contrasts", routes.CONTRASTS),),
        origins,
    )
    return render(gallery, "contrast.html", info, context)


def _left_out(gallery: Gallery, contrast: Contrast) -> ContrastContext:
    """What is there where nothing could be compared."""
    spec, pairs = contrast.spec, (contrast.left, contrast.right)
    sides = [
        ContrastSide(
            pair.model.spec.title if contrast.left.model is not contrast.right.model else pair.sentence.title,
            routes.href(contrast.route, pair.route),
            pair.sentence.joined,
        )
        for pair in pairs
    ]
    return ContrastContext(
        kind="heads" if contrast.heads else "models" if pairs[0].model is not pairs[1].model else "sentences",
        label="",
        title=spec.title,
        description=spec.description,
        language=contrast.left.sentence.language or gallery.settings.language,
        sides=(sides[0], sides[1]),
        words=(),
        alignment="",
        summary=(),
        strips=(),
        tables=(),
        sentences=(),
        figures=(),
        method=(),
        notes=(),
        previous=None,
        next=None,
    )


def _context(gallery: Gallery, contrast: Contrast) -> ContrastContext:
    if contrast.heads:
        return heads_context(gallery, contrast)
    view = ContrastView(gallery, contrast, contrast.left, contrast.right)
    return paired_context(view) if view.paired else models_context(view)
