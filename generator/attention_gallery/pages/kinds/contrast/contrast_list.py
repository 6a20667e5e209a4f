"""`/contrasts/` and `/contrasts/<contrast>/`: two models, two sentences or two heads side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attention_gallery.addresses import routes
from attention_gallery.analysis.contrast.contrast_codec import COUNTERPARTS, HEAD_CONTRAST, ContrastTexts
from attention_gallery.analysis.contrast.counterparts import Counterparts
from attention_gallery.analysis.contrast.head_contrast import HeadContrast
from attention_gallery.analysis.result import Subject
from attention_gallery.analysis.similarity.distances import DISTANCES
from attention_gallery.evidence import wording
from attention_gallery.pages.capture_inputs import of_gallery, of_result
from attention_gallery.pages.contexts.contrast_context import ContrastContext, ContrastsContext, ContrastSide
from attention_gallery.pages.frame import page_info, provenance
from attention_gallery.pages.gallery import Contrast, Gallery
from attention_gallery.pages.kinds.contrast.contrast_reader import ContrastReader, comparable
from attention_gallery.pages.kinds.contrast.same_heads import paired_context
from attention_gallery.pages.kinds.contrast.two_heads import HeadDistanceReader, heads_context
from attention_gallery.pages.kinds.contrast.two_models import models_context
from attention_gallery.pages.neighbours import siblings_of
from attention_gallery.pages.page_kind import Page, PageInput, PageInputs, PageKind
from attention_gallery.pages.site_inputs import CONTRAST_NOTES, CONTRASTS, ContrastPage, SitePage


def contrast_label(contrast: Contrast) -> str:
    """What is compared, in a few words."""
    left, right = contrast.left, contrast.right
    sentence = wording.shortened(left.sentence.title, 60)
    if contrast.heads:
        on = "on every sentence" if contrast.across else f"on “{sentence}”"
        return f"Two heads of {left.model.spec.title} {on}"
    if left.model is right.model:
        return f"Two sentences in {left.model.spec.title}"
    return f"Two models on “{sentence}”"


def _compared(gallery: Gallery, page: ContrastPage) -> Subject:
    left, right = page.contrast.left, page.contrast.right
    texts = left.sentence.joined, right.sentence.joined
    return Subject((left.key, right.key), ContrastTexts(texts, left.model is right.model))


def _head_distances(gallery: Gallery, page: ContrastPage) -> HeadDistanceReader:
    contrast = page.contrast
    captures = gallery.of_model(contrast.left.model) if contrast.across else (contrast.left,)
    return HeadDistanceReader(gallery.site, gallery.data, contrast, captures)


def _identify_distances(gallery: Gallery, page: ContrastPage) -> list[list[str]]:
    data = gallery.data
    return [
        # The key of the measures stands for the weights, which are read of long texts.
        [capture.digest, data.measured_key(capture.key), data.key(DISTANCES, Subject.from_key(capture.key))]
        for capture in _head_distances(gallery, page).captures
    ]


LABELS = of_gallery("labels", lambda gallery, page: [contrast_label(each) for each in gallery.contrasts])
SIDES = of_gallery(
    "sides",
    lambda gallery, page: ContrastReader(
        gallery.site, gallery.data, page.contrast, page.contrast.left, page.contrast.right
    ),
    lambda gallery, page: [
        gallery.data.measured_key(side.key) for side in (page.contrast.left, page.contrast.right)
    ],
)
SAME_HEADS: PageInput[HeadContrast] = of_result(HEAD_CONTRAST, _compared)
NEAREST_HEADS: PageInput[Counterparts] = of_result(COUNTERPARTS, _compared)
HEAD_DISTANCES = of_gallery("distances of heads", _head_distances, _identify_distances)


def _contrasts(page: SitePage, inputs: PageInputs) -> Page:
    links = inputs[CONTRASTS].links(routes.CONTRASTS)
    description = f"Models, sentences and heads side by side in {inputs.site.info.title}."
    info = page_info(inputs.site, "contrasts", routes.CONTRASTS, "Contrasts", description)
    return Page(info, ContrastsContext(tuple(zip(links, inputs[LABELS], strict=True))))


def _contrast(page: ContrastPage, inputs: PageInputs, make: Callable[[PageInputs], ContrastContext]) -> Page:
    contrast = page.contrast
    spec, route = contrast.spec, contrast.route
    # Texts, notes and links are there even where comparing failed.
    context = inputs.sides.take(
        "distances of heads", f"“{spec.title}”", lambda: make(inputs), None
    ) or _context_left_out(contrast, inputs.site.info.language)
    previous, following = page.siblings.links(route)
    context = context._replace(
        label=contrast_label(contrast),
        notes=inputs[CONTRAST_NOTES].blocks(route),
        previous=previous,
        next=following,
    )
    description = spec.description or (context.summary[0] if context.summary else context.label)
    several = contrast.left.model is not contrast.right.model
    # One model is told of once.
    captures = (contrast.left, contrast.right) if several else (contrast.left,)
    origin = tuple(fact for capture in captures for fact in provenance(capture.provenance))
    crumbs = (("Contrasts", routes.CONTRASTS),)
    return Page(page_info(inputs.site, "contrast", route, spec.title, description, crumbs, origin), context)


def _context_left_out(contrast: Contrast, language: str) -> ContrastContext:
    """What is there where nothing could be compared."""
    spec, left, right = contrast.spec, contrast.left, contrast.right
    several = left.model is not right.model
    sides = [
        ContrastSide(
            capture.model.spec.title if several else capture.sentence.title,
            routes.href(contrast.route, capture.route),
            capture.sentence.joined,
        )
        for capture in (left, right)
    ]
    return ContrastContext(
        kind="heads" if contrast.heads else "models" if several else "sentences",
        title=spec.title,
        description=spec.description,
        language=left.sentence.language or language,
        sides=(sides[0], sides[1]),
    )


def _pages(gallery: Gallery) -> Iterator[ContrastPage]:
    siblings = siblings_of((contrast.spec.title, contrast.route) for contrast in gallery.contrasts)
    return map(ContrastPage, gallery.contrasts, siblings)


def _contrast_kind(
    name: str,
    make: Callable[[PageInputs], ContrastContext],
    needs: tuple[PageInput[Any], ...],
    concerns: Callable[[Contrast], bool],
) -> PageKind[ContrastPage]:
    """The pages of the contrasts that are compared in one way."""
    return PageKind(
        name,
        template="contrast.html",
        applies=lambda settings, notes: bool(settings.contrasts),
        subjects=lambda gallery, site: (page for page in _pages(gallery) if concerns(page.contrast)),
        route=lambda page: page.contrast.route,
        make=lambda page, inputs: _contrast(page, inputs, make),
        needs=(CONTRAST_NOTES, *needs),
    )


CONTRAST_KINDS: tuple[PageKind[Any], ...] = (
    PageKind(
        "contrasts",
        template="contrasts.html",
        applies=lambda settings, notes: bool(settings.contrasts),
        subjects=lambda gallery, site: [SitePage(routes.CONTRASTS)] if gallery.contrasts else [],
        make=_contrasts,
        needs=(CONTRASTS, LABELS),
    ),
    _contrast_kind(
        "contrast of heads",
        lambda inputs: heads_context(inputs[HEAD_DISTANCES]),
        (HEAD_DISTANCES,),
        lambda contrast: bool(contrast.heads),
    ),
    _contrast_kind(
        "contrast of the same heads",
        lambda inputs: paired_context(inputs[SIDES], inputs[SAME_HEADS]),
        (SAME_HEADS, SIDES),
        lambda contrast: not contrast.heads and comparable(contrast),
    ),
    _contrast_kind(
        "contrast of models",
        lambda inputs: models_context(inputs[SIDES], inputs[NEAREST_HEADS]),
        (NEAREST_HEADS, SIDES),
        lambda contrast: not contrast.heads and not comparable(contrast),
    ),
)
