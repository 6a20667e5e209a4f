"""`/`: the gallery, models × sentences, each with a thumbnail."""

from __future__ import annotations

from collections.abc import Iterator

from attention_gallery.addresses import routes
from attention_gallery.evidence import wording
from attention_gallery.figures.thumbnail import thumbnail_size
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.contexts.page_contexts import HomeContext
from attention_gallery.pages.contexts.shared import GalleryCell, ModelCard, SentenceRow, Thumbnail
from attention_gallery.pages.frame import model_card, model_inputs, page_info, render
from attention_gallery.pages.gallery import Gallery, GalleryModel, Pair, PlannedPage
from attention_gallery.pages.sections.contrast_links import all_contrasts


def home_page(gallery: Gallery, pages: int) -> Iterator[PlannedPage]:
    """The home page. `pages` is the number of pages of the whole site."""
    notes = gallery.notes
    inputs = gallery.inputs(
        "home",
        [
            [model_inputs(model), *(pair.inputs for pair in gallery.of_model(model))]
            for model in gallery.models
        ],
        [gallery.told(sentence) for sentence in gallery.sentences],
        notes.of_gallery().digest,
        [[link.text, link.href, link.title] for link in notes.links(routes.HOME)],
        pages,
        all_contrasts(gallery).digest,
    )
    yield PlannedPage(routes.HOME, inputs, lambda: _make(gallery, pages))


def _make(gallery: Gallery, pages: int) -> bytes:
    settings = gallery.settings
    tags = dict.fromkeys(tag for sentence in gallery.sentences for tag in sentence.tags)
    context = HomeContext(
        models=tuple(_card(gallery, model) for model in gallery.models),
        rows=tuple(_row(gallery, sentence) for sentence in gallery.sentences),
        tags=tuple(tags),
        notes=gallery.notes.of_gallery().blocks(routes.HOME),
        note_links=gallery.notes.links(routes.HOME),
        pages=pages,
        contrasts=all_contrasts(gallery).links(routes.HOME),
    )
    info = page_info(gallery, "home", routes.HOME, settings.title, settings.description)
    return render(gallery, "home.html", info, context)


def _card(gallery: Gallery, model: GalleryModel) -> ModelCard:
    """A model in short; of the three of an encoder-decoder only the first brings the description."""
    card = model_card(model, routes.HOME)
    kinds = gallery.kinds_of(model)
    return card._replace(description="") if kinds and kinds[0] is not model else card


def _row(gallery: Gallery, sentence: SentenceSpec) -> SentenceRow:
    return SentenceRow(
        slug=sentence.slug,
        title=sentence.title,
        text=wording.shortened(sentence.joined, 240),
        language=sentence.language or gallery.settings.language,
        href=routes.href(routes.HOME, routes.sentence(sentence.slug)),
        tags=sentence.tags,
        cells=tuple(
            _cell(gallery, pair) if (pair := gallery.pair(model, sentence)) else None
            for model in gallery.models
        ),
    )


def _cell(gallery: Gallery, pair: Pair) -> GalleryCell:
    analysis = gallery.data.analysis(pair)
    crossing = analysis.kind == "cross"
    picture = routes.thumbnail(pair.model.spec.slug, pair.sentence.slug)
    model, sentence = pair.model.spec.title, wording.shortened(pair.sentence.title, 60)
    return GalleryCell(
        model=model,
        href=routes.href(routes.HOME, pair.route),
        thumbnail=Thumbnail(
            routes.href(routes.HOME, picture),
            f"Average attention of {model} on “{sentence}”",
            *thumbnail_size(analysis.tokens, analysis.keys),
        ),
        tokens=analysis.tokens,
        caption=wording.length(analysis.tokens, analysis.keys, crossing),
    )
