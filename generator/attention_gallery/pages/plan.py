"""Every page of the site, planned in an order that reads each capture once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from attention_gallery.addresses import routes
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.notes.load_notes import Note
from attention_gallery.pages.gallery import Gallery
from attention_gallery.pages.page_kind import InputReader, PageKind, PlannedPage, Scope
from attention_gallery.pages.page_kinds import PAGE_KINDS


def needed_templates(settings: GallerySettings, notes: Sequence[Note]) -> list[str]:
    """The templates that the pages of a gallery are made with."""
    templates = [kind.template for kind in PAGE_KINDS if kind.template and kind.applies(settings, notes)]
    # The strip is rendered by itself: all pages of the heads of a capture share it.
    return [*dict.fromkeys(templates), "partials/token_strip.html"]


def site_routes(gallery: Gallery) -> Iterator[tuple[PageKind[Any], str]]:
    """The addresses of all files of the site, but for the shared script and the files beside the notes."""
    for scope, about in scopes(gallery):
        for kind, subject in _subjects(gallery, scope, about):
            yield kind, kind.route(subject)


def site_pages(gallery: Gallery) -> Iterator[PlannedPage]:
    """These files. Pages of one capture come together, so that it is read once and then let go."""

    @cache
    # The home page, which counts them, and the sitemap ask for the same.
    def page_routes() -> Sequence[str]:
        return [
            route
            for kind, route in site_routes(gallery)
            # Literal files are redirects and assets; of the rest, pages are what has a folder of its own.
            if not kind.literal and (route == routes.HOME or route.endswith("/"))
        ]

    for scope, about in scopes(gallery):
        reader = InputReader(gallery, page_routes)
        for kind, subject in _subjects(gallery, scope, about):
            if scope == "site":  # what one page of the site reads is let go with it
                reader = InputReader(gallery, page_routes)
            yield kind.planned(reader, subject)


def scopes(gallery: Gallery) -> Iterator[tuple[Scope, Any]]:
    """Every capture, each model after those of it, and the site."""
    for model in gallery.models:
        for capture in gallery.of_model(model):
            yield "capture", capture
        yield "model", model
    yield "site", None


def _subjects(gallery: Gallery, scope: Scope, about: Any) -> Iterator[tuple[PageKind[Any], Any]]:
    """The pages of a capture, a model, or the site.

    Kinds that follow each other and have the same subjects come one subject after the other: a head's
    picture is drawn with its page.
    """
    kinds: Iterable[PageKind[Any]] = (kind for kind in PAGE_KINDS if kind.scope == scope)
    for subjects, alike in groupby(kinds, key=lambda kind: kind.subjects):
        together = list(alike)
        for subject in subjects(gallery, about):
            for kind in together:
                yield kind, subject
