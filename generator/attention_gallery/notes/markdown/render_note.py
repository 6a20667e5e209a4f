"""A note as safe HTML: Markdown, then sanitising, then links, headings, code and mathematics."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from attention_gallery.errors import LinkError, NoteError, Problem
from attention_gallery.hashing import digest
from attention_gallery.notes.live import Answerer, LiveValues, unanswered
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.markup import marked_up
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.markdown.rewrite import HEADING_PREFIX, Rewriter
from attention_gallery.notes.questions.asks import Ask

Resolved = str | tuple[str, str]
Resolver = Callable[[LinkTarget], Resolved]


@dataclass(frozen=True, slots=True)
class RenderedNote:
    """Safe HTML, its headings as (level, id, text), the links it followed, and the digest of the HTML.

    `asks` are the questions that its live values asked.
    """

    html: str
    headings: tuple[tuple[int, str, str], ...]
    links: tuple[LinkTarget, ...]
    digest: str
    asks: tuple[Ask, ...] = ()


def render_note(
    note: Note,
    resolve: Resolver,
    heading_offset: int = 1,
    id_prefix: str = HEADING_PREFIX,
    answer: Answerer = unanswered,
) -> RenderedNote:
    """HTML of a note's body. `# heading` becomes `<h2>` when `heading_offset` is 1.

    `resolve` gives the address of a link, or (address, title); it raises `LookupError` with what to do
    instead, or with the reason and that. `answer` gives the HTML of a live value; it raises `AskError`.
    `id_prefix` begins every id; give notes that share a page different ones. Raises `LinkError` when only
    links are wrong, else `NoteError`, with every mistake of the note.
    """
    try:
        pieces, clean = marked_up(note.body)
    except NoteError as error:
        raise NoteError(replace(problem, file=note.path) for problem in error.problems) from None
    # A digest of the name keeps the footnotes of two notes on one page apart.
    own = hashlib.sha256(note.name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    try:
        live = LiveValues(note, answer)
        rewriter = Rewriter(note, pieces, (resolve, live), heading_offset, id_prefix, f"{id_prefix}{own}-")
        rewriter.feed(clean)
        rewriter.close()
    except RecursionError:
        reason = "the note nests too deeply to be read"
        raise NoteError(Problem(reason, "use fewer levels of quotes, lists or brackets", note.path)) from None
    html = rewriter.result()
    # A reference that several links use is one mistake.
    if problems := dict.fromkeys([*rewriter.problems, *rewriter.link_problems]):
        kind = NoteError if rewriter.problems else LinkError
        raise kind(
            sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0, problem.reason))
        )
    links = tuple(rewriter.links)
    return RenderedNote(html, tuple(rewriter.headings), links, digest(html), tuple(live.asked))
