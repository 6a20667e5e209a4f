"""`/notes/…` and `/about/`: what the authors wrote, on pages of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attention_gallery.addresses import routes
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.target import NoteTarget
from attention_gallery.pages.contexts.page_contexts import NotePageContext, NotesContext
from attention_gallery.pages.frame import page_info
from attention_gallery.pages.gallery import Gallery
from attention_gallery.pages.neighbours import Siblings, siblings_of
from attention_gallery.pages.page_kind import Page, PageInputs, PageKind
from attention_gallery.pages.site_inputs import NOTE_LINKS, NOTE_WRITER, NotePage, SitePage


def _notes(page: SitePage, inputs: PageInputs) -> Page:
    description = f"Notes of {inputs.site.info.title}."
    info = page_info(inputs.site, "notes", routes.NOTES, "Notes", description)
    return Page(info, NotesContext(inputs[NOTE_LINKS]))


def _note(page: NotePage, inputs: PageInputs) -> Page:
    (note,), route, writer = page.notes.notes, _route(page), inputs[NOTE_WRITER]
    previous, following = page.siblings.links(route)
    context = NotePageContext(
        note=writer.block(note, route),
        description=note.description,
        headings=writer.headings(note, route),
        previous=previous,
        next=following,
    )
    about = note.target.kind == "about"
    title = note.title or ("About" if about else "Note")
    crumbs = () if about else (("Notes", routes.NOTES),)
    description = note.description or inputs.site.info.description
    return Page(page_info(inputs.site, "note", route, title, description, crumbs), context)


def _route(page: NotePage) -> str:
    target = page.notes.notes[0].target
    return routes.ABOUT if target.kind == "about" else routes.note(target.slug or "")


def _subjects(gallery: Gallery, site: None) -> Iterator[NotePage]:
    notes = gallery.notes
    siblings = siblings_of((note.title, routes.note(note.target.slug or "")) for note in notes.pages)
    yield from map(NotePage, map(notes.of, (note.target for note in notes.pages)), siblings)
    if notes.has_about:
        # About is reached from every page, and is no stop on the way through the notes.
        yield NotePage(notes.of(NoteTarget("about")), Siblings(None, None))


def _targets(notes: Iterable[Note]) -> set[str]:
    return {note.target.kind for note in notes}


NOTES = PageKind(
    "notes",
    template="notes.html",
    applies=lambda settings, notes: "page" in _targets(notes),
    subjects=lambda gallery, site: [SitePage(routes.NOTES)] if gallery.notes.pages else [],
    make=_notes,
    needs=(NOTE_LINKS,),
)
NOTE = PageKind(
    "note",
    template="note.html",
    applies=lambda settings, notes: bool(_targets(notes) & {"page", "about"}),
    subjects=_subjects,
    route=_route,
    make=_note,
    needs=(NOTE_WRITER,),
)
