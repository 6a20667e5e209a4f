"""`/notes/…` and `/about/`: what the authors wrote, on pages of its own."""

from __future__ import annotations

from collections.abc import Iterator

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.notes import Note, NoteTarget
from attention_gallery.pages.contexts.page_contexts import NotePageContext, NotesContext
from attention_gallery.pages.frame import page_info, render
from attention_gallery.pages.gallery import Gallery, PlannedPage


def note_pages(gallery: Gallery) -> Iterator[PlannedPage]:
    """The list of notes, each note, and the about page, where there are any."""
    notes = gallery.notes
    listed = [[link.text, link.href, link.title] for link in notes.links(routes.NOTES)]
    if notes.pages:
        yield PlannedPage(routes.NOTES, gallery.inputs("notes", listed), lambda: _index(gallery))
    for index, note in enumerate(notes.pages):
        route = routes.note(note.target.slug or "")
        around = listed[max(0, index - 1) : index + 2]
        yield PlannedPage(
            route,
            gallery.inputs("note", notes.of(note.target).digest, around),
            lambda index=index, note=note, route=route: _note(gallery, note, route, index),  # type: ignore[misc]
        )
    about = notes.of(NoteTarget("about"))
    for note in about.notes:
        yield PlannedPage(
            routes.ABOUT,
            gallery.inputs("about", about.digest),
            lambda note=note: _note(gallery, note, routes.ABOUT, None),  # type: ignore[misc]
        )


def _index(gallery: Gallery) -> bytes:
    context = NotesContext(gallery.notes.links(routes.NOTES))
    info = page_info(gallery, "notes", routes.NOTES, "Notes", f"Notes of {gallery.settings.title}.")
    return render(gallery, "notes.html", info, context)


def _note(gallery: Gallery, note: Note, route: str, index: int | None) -> bytes:
    pages = gallery.notes.pages
    before = None if index is None or index == 0 else _link(pages[index - 1], route)
    after = None if index is None or index + 1 == len(pages) else _link(pages[index + 1], route)
    writer = gallery.notes.writer
    context = NotePageContext(
        note=writer.block(note, route),
        description=note.description,
        headings=writer.headings(note, route),
        previous=before,
        next=after,
    )
    title = note.title or ("About" if index is None else "Note")
    crumbs = () if index is None else (("Notes", routes.NOTES),)
    info = page_info(gallery, "note", route, title, note.description or gallery.settings.description, crumbs)
    return render(gallery, "note.html", info, context)


def _link(note: Note, route: str) -> Link:
    return Link(note.title, routes.href(route, routes.note(note.target.slug or "")))
