"""`/`: the gallery, models × sentences, each with a thumbnail."""

from __future__ import annotations

from collections.abc import Sequence

from attention_gallery.addresses import routes
from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence import wording
from attention_gallery.figures.thumbnail import thumbnail_size
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.contexts.page_contexts import HomeContext
from attention_gallery.pages.contexts.shared import GalleryCell, ModelCard, SentenceRow, Thumbnail
from attention_gallery.pages.frame import model_card, page_info
from attention_gallery.pages.gallery import Capture, GalleryModel
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.sections.stories import STORIES, story
from attention_gallery.pages.site_inputs import (
    CONTRASTS,
    GALLERY_NOTES,
    MEASURES,
    MODELS,
    NOTE_LINKS,
    PAGE_ROUTES,
    SENTENCES,
    SitePage,
)


def _home(page: SitePage, inputs: PageInputs) -> Page:
    site, sentences, models = inputs.site, inputs[SENTENCES], inputs[MODELS]
    # In the order in which the author used them.
    tags = dict.fromkeys(tag for sentence in sentences for tag in sentence.tags)
    context = HomeContext(
        models=tuple(_card(models, model) for model in models),
        rows=tuple(_row(inputs, models, sentence) for sentence in sentences),
        tags=tuple(tags),
        notes=inputs[GALLERY_NOTES].blocks(routes.HOME),
        note_links=inputs[NOTE_LINKS],
        pages=len(inputs[PAGE_ROUTES]),
        contrasts=inputs[CONTRASTS].links(routes.HOME),
        stories=tuple(story(source, routes.HOME) for source in inputs[STORIES]),
    )
    return Page(page_info(site, "home", routes.HOME, site.info.title, site.info.description), context)


def _card(models: Sequence[GalleryModel], model: GalleryModel) -> ModelCard:
    """A model in short; of the three of an encoder-decoder only the first brings the description."""
    card = model_card(model, routes.HOME)
    first = next(other for other in models if other.family == model.family)
    return card if first is model else card._replace(description="")


def _row(inputs: PageInputs, models: Sequence[GalleryModel], sentence: SentenceSpec) -> SentenceRow:
    measured = (inputs[MEASURES](model, sentence) for model in models)
    return SentenceRow(
        slug=sentence.slug,
        title=sentence.title,
        text=wording.shortened(sentence.joined, 240),
        language=sentence.language or inputs.site.info.language,
        href=routes.href(routes.HOME, routes.sentence(sentence.slug)),
        tags=sentence.tags,
        cells=tuple(None if each is None else _cell(*each) for each in measured),
    )


def _cell(capture: Capture, analysis: SentenceAnalysis) -> GalleryCell:
    picture = routes.thumbnail(capture.model.spec.slug, capture.sentence.slug)
    model, sentence = capture.model.spec.title, wording.shortened(capture.sentence.title, 60)
    return GalleryCell(
        model=model,
        href=routes.href(routes.HOME, capture.route),
        thumbnail=Thumbnail(
            routes.href(routes.HOME, picture),
            # Shorter than on the sentence’s page: reading each description would open every capture.
            f"The head of {model} that tells most on “{sentence}”",
            *thumbnail_size(analysis.tokens, analysis.keys),
        ),
        tokens=analysis.tokens,
        caption=wording.length(analysis.tokens, analysis.keys, analysis.kind == "cross"),
    )


HOME = PageKind(
    "home",
    template="home.html",
    subjects=lambda gallery, site: [SitePage(routes.HOME)],
    make=_home,
    needs=(CONTRASTS, GALLERY_NOTES, MEASURES, MODELS, NOTE_LINKS, PAGE_ROUTES, SENTENCES, STORIES),
)
