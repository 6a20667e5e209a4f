"""Every page of the site, planned in an order that reads each capture once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attention_gallery.addresses import routes
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.notes import Note
from attention_gallery.pages.gallery import Gallery, PlannedPage
from attention_gallery.pages.kinds.contrast.contrasts import contrast_pages
from attention_gallery.pages.kinds.explorer import explorer_pages
from attention_gallery.pages.kinds.head import head_pages
from attention_gallery.pages.kinds.home import home_page
from attention_gallery.pages.kinds.model import model_page
from attention_gallery.pages.kinds.model_head import model_head_pages
from attention_gallery.pages.kinds.model_length import length_page
from attention_gallery.pages.kinds.note import note_pages
from attention_gallery.pages.kinds.sentence import sentence_pages
from attention_gallery.pages.kinds.site_files import not_found_page, redirects, sitemap, theme_assets
from attention_gallery.pages.readers.capture_reader import PairView
from attention_gallery.pages.readers.model_reader import ModelView
from attention_gallery.pages.sections.neighbours import around, head_neighbours


def planned_count(gallery: Gallery) -> int:
    """About how many files the site will have, for a progress bar."""
    pairs = sum(len(pair.heads) + 3 for pair in gallery.pairs.values())
    heads = sum(2 * len(model.places) + 3 for model in gallery.models)
    others = (gallery.sentences, gallery.notes.pages, gallery.contrasts, gallery.ladders)
    return pairs + heads + sum(map(len, others)) + 4


def needed_templates(settings: GallerySettings, notes: Iterable[Note]) -> list[str]:
    """The templates that the pages of a gallery are made with."""
    needed = ["home.html", "model.html", "model_head.html", "sentence.html", "explorer.html", "404.html"]
    needed.append("partials/token_strip.html")
    if settings.pages.heads != "none":
        needed.append("head.html")
    if settings.contrasts:
        needed += ["contrasts.html", "contrast.html"]
    if settings.lengths is not None:
        needed.append("model_length.html")
    kinds = {note.target.kind for note in notes}
    if kinds & {"page", "about"}:
        needed.append("note.html")
    if "page" in kinds:
        needed.append("notes.html")
    return needed


def site_pages(gallery: Gallery) -> Iterator[PlannedPage]:
    """All files of the site but the shared Plotly script and the files beside the notes.

    Pages of one pair come together, so that its capture is read once and then let go.
    """
    page_routes: list[str] = []

    def counted(pages: Iterator[PlannedPage]) -> Iterator[PlannedPage]:
        for page in pages:
            if page.route.endswith("/"):
                page_routes.append(page.route)
            yield page

    for model in gallery.models:
        ways = head_neighbours(model.places, model.routes)
        pairs = gallery.of_model(model)
        for pair, beside in zip(pairs, around(pairs), strict=True):
            view = PairView(gallery, pair, ways if pair.heads is model.places else None)
            yield from counted(explorer_pages(gallery, view, beside))
            yield from counted(head_pages(gallery, view))
        model_view = ModelView(gallery, model)
        yield from counted(model_page(gallery, model_view))
        yield from counted(model_head_pages(gallery, model_view))
        yield from counted(length_page(gallery, model))
    yield from counted(sentence_pages(gallery))
    yield from counted(contrast_pages(gallery))
    yield from counted(note_pages(gallery))
    yield from redirects(gallery)
    yield from not_found_page(gallery)
    yield from theme_assets(gallery)
    yield from home_page(gallery, len(page_routes) + 1)
    yield from sitemap(gallery, [routes.HOME, *sorted(page_routes)])
