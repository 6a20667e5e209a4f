"""Which notes speak of a head or of a model on a sentence: the way back from a page to the notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.hashing import digest
from attention_gallery.manifest.slugs import parse_head
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.note_links import LinkTarget, target_link
from attention_gallery.notes.questions.asks import Ask, Subject
from attention_gallery.notes.target import NoteTarget

HeadIndex = tuple[int, int]


@dataclass(frozen=True, slots=True)
class NoteList:
    """Notes as links: title, route and where the note stands. `digest` changes when any of them does."""

    notes: tuple[tuple[str, str, str], ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the list, "" of an empty one."""
        return digest([list(note) for note in self.notes]) if self.notes else ""

    def links(self, route: str) -> tuple[Link, ...]:
        """The links as they stand on the page at `route`."""
        return tuple(Link(title, routes.href(route, page), where) for title, page, where in self.notes)


NO_NOTES = NoteList()


@dataclass(frozen=True, slots=True)
class Mentions:
    """Notes by what they speak of.

    heads: by (model, sentence), then by (layer, head). pairs: by (model, sentence), those of its heads too.
    model_heads: by model, then by (layer, head), whichever the sentence.
    """

    heads: Mapping[tuple[str, str], Mapping[HeadIndex, NoteList]] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], NoteList] = field(default_factory=dict)
    model_heads: Mapping[str, Mapping[HeadIndex, NoteList]] = field(default_factory=dict)

    def of_heads(self, model: str, sentence: str) -> Mapping[HeadIndex, NoteList]:
        """The notes that speak of each head of a model on a sentence."""
        return self.heads.get((model, sentence), {})

    def of_pair(self, model: str, sentence: str) -> NoteList:
        """The notes that speak of a model on a sentence, or of one of its heads there."""
        return self.pairs.get((model, sentence), NO_NOTES)

    def of_model_heads(self, model: str) -> Mapping[HeadIndex, NoteList]:
        """The notes that speak of each head of a model, on any sentence or over all."""
        return self.model_heads.get(model, {})


def find_mentions(
    notes: Iterable[tuple[Note, Iterable[LinkTarget], Iterable[Ask]]], links: LinkMap
) -> Mentions:
    """The mentions in these notes, each with the links it follows and the questions it asks.

    A note counts as one that speaks of what it is about, but on its own page it is not listed.
    """
    speaking: dict[NoteTarget, dict[str, tuple[str, str, str]]] = defaultdict(dict)
    for note, followed, asks in notes:
        page = _page(note.target, links)
        if page is None:
            continue  # refused where notes are checked for where they lie
        subjects = [_of_note(note.target), *map(_of_link, followed), *(ask.subject for ask in asks)]
        for subject in subjects:
            for target in _pages(subject) if subject is not None else ():
                if target != note.target:
                    speaking[target][note.name] = _named(note, page, links)
    heads: dict[tuple[str, str], dict[HeadIndex, NoteList]] = defaultdict(dict)
    pairs: dict[tuple[str, str], NoteList] = {}
    model_heads: dict[str, dict[HeadIndex, NoteList]] = defaultdict(dict)
    for target, notes_by_name in speaking.items():
        listed = NoteList(tuple(notes_by_name[name] for name in sorted(notes_by_name)))
        model, sentence = target.model or "", target.sentence or ""
        if target.kind == "pair":
            pairs[model, sentence] = listed
        elif target.kind == "head":
            heads[model, sentence][target.layer or 0, target.head or 0] = listed
        else:
            model_heads[model][target.layer or 0, target.head or 0] = listed
    return Mentions(heads, pairs, model_heads)


def _page(target: NoteTarget, links: LinkMap) -> tuple[str, str] | None:
    """Route and title of the page that a note stands on, None where there is none."""
    try:
        return links.resolve(target_link(target, "", ""))
    except LookupError:
        return None


def _pages(subject: Subject) -> Iterable[NoteTarget]:
    """The pages on which a mention of a subject is of use."""
    if subject.layer is not None and subject.head is not None:
        yield NoteTarget("model-head", subject.model, None, subject.layer, subject.head)
        if subject.sentence is not None:
            yield NoteTarget("head", subject.model, subject.sentence, subject.layer, subject.head)
    if subject.sentence is not None:
        yield NoteTarget("pair", subject.model, subject.sentence)


def _of_note(target: NoteTarget) -> Subject | None:
    return None if target.model is None else Subject(target.model, target.sentence, target.layer, target.head)


def _of_link(link: LinkTarget) -> Subject | None:
    """What a link leads to; the head that its fragment selects counts as well."""
    if link.model is None:
        return None
    states = (state.partition("=") for state in link.fragment.split("&"))
    chosen = next((parse_head(value) for name, _, value in states if name == "head"), None)
    if link.kind == "pair" and chosen is not None:
        return Subject(link.model, link.sentence, *chosen)
    return Subject(link.model, link.sentence, link.layer, link.head)


def _named(note: Note, page: tuple[str, str], links: LinkMap) -> tuple[str, str, str]:
    """Title, route and place of a note that stands on a page with this route and title."""
    target, (route, title) = note.target, page
    where = title
    if target.model is not None:
        model = links.models[target.model][0]
        head = f"{title} of {model}" if target.head is not None else model
        where = head if target.sentence is None else f"{head} on “{links.sentences[target.sentence]}”"
    named = note.title or where
    return named, route, "" if where == named else where
