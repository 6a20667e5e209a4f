"""The authors' notes: which page each belongs to, their HTML, and the claims that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.errors import LinkError, NoteError, Problem
from attention_gallery.evidence.answers import Numbers
from attention_gallery.evidence.claim_checks import Checked, check_claims
from attention_gallery.evidence.embeds import LiveAnswers
from attention_gallery.evidence.mentions import Mentions, find_mentions
from attention_gallery.evidence.note_blocks import NoteBlock
from attention_gallery.hashing import digest, digest_bytes
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.markdown.render_note import RenderedNote, render_note
from attention_gallery.notes.markdown.rewrite import HEADING_PREFIX
from attention_gallery.notes.questions.asks import Ask
from attention_gallery.notes.target import NoteTarget


@dataclass(frozen=True, slots=True)
class NoteWriter:
    """Makes HTML of notes: `live` answers their live values, `claims` are those checked, by note."""

    live: LiveAnswers
    claims: Mapping[str, tuple[Checked, ...]]

    def block(self, note: Note, route: str, guest: str = "") -> NoteBlock:
        """One note as HTML for the page at `route`; `guest` keeps its ids apart on the page of another."""
        claims = tuple(claim.view(route) for claim in self.claims.get(note.name, ()))
        return NoteBlock(note.title, Markup(self.render(note, route, guest).html), claims=claims)

    def headings(self, note: Note, route: str) -> tuple[Link, ...]:
        """Links to the headings of a note, for a table of contents."""
        return tuple(Link(text, f"#{anchor}") for _, anchor, text in self.render(note, route).headings)

    def render(self, note: Note, route: str, guest: str = "") -> RenderedNote:
        """A note for the page at `route`. Raises `LinkError` or `NoteError`."""

        def resolve(target: LinkTarget) -> tuple[str, str]:
            """Address and title of a link."""
            page, title = self.live.numbers.links.resolve(target)
            return routes.href(route, page), title

        prefix = f"{HEADING_PREFIX}{guest}-" if guest else HEADING_PREFIX
        return render_note(note, resolve, id_prefix=prefix, answer=lambda live: self.live.answer(live, route))


@dataclass(frozen=True, slots=True)
class NoteSet:
    """The notes of one page.

    `digest` changes when any of them changes, or what they link to, or a number that they show or claim.
    """

    notes: tuple[Note, ...]
    digest: str
    writer: NoteWriter

    def blocks(self, route: str, guest: str = "") -> tuple[NoteBlock, ...]:
        """The notes as HTML for the page at `route`; `guest` keeps their ids apart on the page of another."""
        return tuple(self.writer.block(note, route, guest) for note in self.notes)


@dataclass(frozen=True, slots=True)
class GalleryNotes:
    """All notes of the gallery by the page they belong to. `pages` are the free-standing ones.

    `mentions` are the ways back from pages to notes, `failures` tell of claims that do not hold.
    """

    by_target: Mapping[NoteTarget, NoteSet]
    writer: NoteWriter
    pages: tuple[Note, ...] = field(default=())
    mentions: Mentions = field(default_factory=Mentions)
    failures: tuple[Problem, ...] = ()

    @property
    def has_about(self) -> bool:
        """Whether there is an about page."""
        return NoteTarget("about") in self.by_target

    def of(self, target: NoteTarget) -> NoteSet:
        """The notes of one page; an empty set where there are none."""
        return self.by_target.get(target) or NoteSet((), "", self.writer)

    def of_gallery(self) -> NoteSet:
        """The notes of the home page."""
        return self.of(NoteTarget("gallery"))

    def of_model(self, model: str) -> NoteSet:
        """The notes of one model."""
        return self.of(NoteTarget("model", model=model))

    def of_model_head(self, model: str, layer: int, head: int) -> NoteSet:
        """The notes of one head across every sentence."""
        return self.of(NoteTarget("model-head", model=model, layer=layer, head=head))

    def of_sentence(self, sentence: str) -> NoteSet:
        """The notes of one sentence."""
        return self.of(NoteTarget("sentence", sentence=sentence))

    def of_pair(self, model: str, sentence: str) -> NoteSet:
        """The notes of one model on one sentence."""
        return self.of(NoteTarget("pair", model=model, sentence=sentence))

    def of_contrast(self, slug: str) -> NoteSet:
        """The notes of one contrast."""
        return self.of(NoteTarget("contrast", slug=slug))

    def of_head(self, model: str, sentence: str, layer: int, head: int) -> NoteSet:
        """The notes of one head of a model on one sentence."""
        return self.of(NoteTarget("head", model, sentence, layer, head))

    def links(self, route: str) -> tuple[Link, ...]:
        """Links from the page at `route` to every free-standing note."""
        return tuple(
            Link(note.title, routes.href(route, routes.note(note.target.slug or "")), note.description)
            for note in self.pages
        )


def gather_notes(notes: Iterable[Note], numbers: Numbers) -> GalleryNotes:
    """The notes by page, each rendered once to see that it can be, with its claims checked.

    Raises `LinkError` or `NoteError` with every problem of every note.
    """
    claims: dict[str, tuple[Checked, ...]] = {}
    writer = NoteWriter(LiveAnswers(numbers), claims)
    by_target: dict[NoteTarget, NoteSet] = {}
    asked: list[tuple[Note, Iterable[LinkTarget], Iterable[Ask]]] = []
    problems: list[Problem] = []
    broken: type[LinkError] | type[NoteError] = NoteError
    for note in notes:
        claims[note.name], mistaken = check_claims(note, numbers)
        problems.extend(mistaken)
        try:
            rendered = writer.render(note, routes.HOME)
            by_target[note.target] = NoteSet((note,), _digest(note, rendered, claims[note.name]), writer)
            asked.append((note, rendered.links, (*rendered.asks, *(claim.ask for claim in note.claims))))
        except (NoteError, LinkError) as error:
            broken = LinkError if isinstance(error, LinkError) else broken
            problems.extend(error.problems)
    if problems:
        raise broken(problems)
    return GalleryNotes(
        by_target,
        writer,
        tuple(note for note, *_ in asked if note.target.kind == "page"),
        find_mentions(asked, numbers.links),
        tuple(claim.failure for checked in claims.values() for claim in checked if not claim.holds),
    )


def _digest(note: Note, rendered: RenderedNote, claims: tuple[Checked, ...]) -> str:
    html = digest_bytes(rendered.html.encode("utf-8", "surrogatepass"))
    claim_views = [claim.view(routes.HOME)._asdict() for claim in claims]
    return digest([note.title, note.description, html, claim_views])
