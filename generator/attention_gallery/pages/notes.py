"""The authors' notes: which page each belongs to, and where its links lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from markupsafe import Markup

from attention_gallery.errors import LinkError, NoteError, Problem, did_you_mean
from attention_gallery.hashing import digest, digest_bytes
from attention_gallery.notes import HEADING_PREFIX, LinkTarget, Note, NoteTarget, RenderedNote, render_note
from attention_gallery.notes.target import meant_model
from attention_gallery.pages import routes
from attention_gallery.pages.pieces import Link, NoteBlock
from attention_gallery.pages.routes import HeadRoutes
from attention_gallery.records import head_name


@dataclass(frozen=True, slots=True)
class LinkMap:
    """Everything that a note may link to, with the title that a bare link shows.

    models: slug to (title, head routes). sentences: slug to title. pages: slug of a free-standing
    note to its title. head_pages: (model, sentence read by it) to the heads that have a page of their own.
    assets: names of the files beside the notes.
    """

    models: Mapping[str, tuple[str, HeadRoutes]]
    sentences: Mapping[str, str]
    pages: Mapping[str, str]
    head_pages: Mapping[tuple[str, str], tuple[tuple[int, int], ...]]
    assets: frozenset[str]
    has_about: bool

    def resolve(self, target: LinkTarget) -> tuple[str, str]:
        """Route (with fragment) and title of a link. Raises `LookupError` with reason and mend."""
        route, title = self._resolve(target)
        if target.fragment:
            route, _, own = route.partition("#")
            route += "#" + "&".join(part for part in (own, target.fragment) if part)
        return route, title

    def _resolve(self, target: LinkTarget) -> tuple[str, str]:
        match target.kind:
            case "gallery":
                return routes.HOME, target.default_label
            case "about":
                self._need(self.has_about, "the gallery has no about page", "write content/about.md")
                return routes.ABOUT, target.default_label
            case "asset":
                return self._asset(target.slug or "")
            case "page":
                title = self._known(target.slug or "", self.pages, "note")
                return routes.note(target.slug or ""), title
            case "short":
                return self._short(target.slug or "")
            case "model":
                return routes.model(target.model or ""), self._model(target.model)[0]
            case "sentence":
                title = self._known(target.sentence or "", self.sentences, "sentence")
                return routes.sentence(target.sentence or ""), title
            case "model-head":
                slug, name = self._head(target)
                return routes.model_head(target.model or "", slug), name
        return self._pair(target)

    def _pair(self, target: LinkTarget) -> tuple[str, str]:
        model, sentence = target.model or "", target.sentence or ""
        title = self._known(sentence, self.sentences, "sentence")
        self._model(model)
        mend = "link to another sentence, or let it read this one with the sentence's `models`"
        reason = f'the model "{model}" does not read the sentence "{sentence}"'
        self._need((model, sentence) in self.head_pages, reason, mend)
        explorer = routes.explorer(model, sentence)
        if target.kind == "pair":
            return explorer, title
        slug, name = self._head(target)
        if (target.layer, target.head) in self.head_pages[model, sentence]:
            return routes.head(model, sentence, slug), name
        return f"{explorer}#head={name}", name

    def _head(self, target: LinkTarget) -> tuple[str, str]:
        heads = self._model(target.model)[1]
        layer, head = target.layer or 0, target.head or 0
        name = head_name(layer, head)
        reason = f'the model "{target.model}" has no head {name}'
        mend = f"its heads are L0H0 to {head_name(heads.layers - 1, heads.heads - 1)}"
        self._need(layer < heads.layers and head < heads.heads, reason, mend)
        return heads.slug(layer, head), name

    def _short(self, slug: str) -> tuple[str, str]:
        if slug in self.sentences:
            return routes.sentence(slug), self.sentences[slug]
        if slug in self.models:
            return routes.model(slug), self.models[slug][0]
        known = [*self.sentences, *self.models]
        raise LookupError(f'the gallery has no sentence or model "{slug}"', meant_model(slug, known))

    def _model(self, slug: str | None) -> tuple[str, HeadRoutes]:
        slug = slug or ""
        self._need(slug in self.models, f'the gallery has no model "{slug}"', meant_model(slug, self.models))
        return self.models[slug]

    def _asset(self, name: str) -> tuple[str, str]:
        reason = f'there is no file "{name}" beside the notes'
        self._need(name in self.assets, reason, did_you_mean(name, self.assets))
        return routes.note_asset(quote(name)), name

    @staticmethod
    def _known(slug: str, titles: Mapping[str, str], noun: str) -> str:
        if slug not in titles:
            raise LookupError(f'the gallery has no {noun} "{slug}"', did_you_mean(slug, titles))
        return titles[slug]

    @staticmethod
    def _need(condition: bool, reason: str, mend: str) -> None:
        if not condition:
            raise LookupError(reason, mend)


@dataclass(frozen=True, slots=True)
class NoteSet:
    """The notes of one page. `digest` changes when any of them, or what they link to, changes."""

    notes: tuple[Note, ...]
    digest: str
    links: LinkMap

    def blocks(self, route: str, guest: str = "") -> tuple[NoteBlock, ...]:
        """The notes as HTML for the page at `route`; `guest` keeps their ids apart on the page of another."""
        return tuple(note_block(note, self.links, route, guest) for note in self.notes)


@dataclass(frozen=True, slots=True)
class GalleryNotes:
    """All notes of the gallery by the page they belong to. `pages` are the free-standing ones."""

    by_target: Mapping[NoteTarget, NoteSet]
    links_map: LinkMap
    pages: tuple[Note, ...] = field(default=())

    @property
    def has_about(self) -> bool:
        """Whether there is an about page."""
        return NoteTarget("about") in self.by_target

    def of(self, target: NoteTarget) -> NoteSet:
        """The notes of one page; an empty set where there are none."""
        return self.by_target.get(target) or NoteSet((), "", self.links_map)

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

    def heads_of(self, model: str, sentence: str) -> dict[tuple[int, int], NoteSet]:
        """The notes of the heads of one model on one sentence, by (layer, head)."""
        return {
            (target.layer or 0, target.head or 0): notes
            for target, notes in self.by_target.items()
            if target.kind == "head" and (target.model, target.sentence) == (model, sentence)
        }

    def links(self, route: str) -> tuple[Link, ...]:
        """Links from the page at `route` to every free-standing note."""
        return tuple(
            Link(note.title, routes.href(route, routes.note(note.target.slug or "")), note.description)
            for note in self.pages
        )


def gather_notes(notes: Iterable[Note], links: LinkMap) -> GalleryNotes:
    """The notes by page, each rendered once to see that it can be.

    Raises `LinkError` or `NoteError` with every problem of every note.
    """
    sets: dict[NoteTarget, NoteSet] = {}
    problems: list[Problem] = []
    broken: type[LinkError] | type[NoteError] = NoteError
    pages = []
    for note in notes:
        try:
            rendered = _render(note, links, routes.HOME)
        except (NoteError, LinkError) as error:
            broken = LinkError if isinstance(error, LinkError) else broken
            problems.extend(error.problems)
            continue
        made = digest(
            [note.title, note.description, digest_bytes(rendered.html.encode("utf-8", "surrogatepass"))]
        )
        sets[note.target] = NoteSet((note,), made, links)
        if note.target.kind == "page":
            pages.append(note)
    if problems:
        raise broken(problems)
    return GalleryNotes(sets, links, tuple(pages))


def note_block(note: Note, links: LinkMap, route: str, guest: str = "") -> NoteBlock:
    """One note as HTML for the page at `route`; `guest` as for `NoteSet.blocks`."""
    return NoteBlock(note.title, Markup(_render(note, links, route, guest).html))


def headings(note: Note, links: LinkMap, route: str) -> tuple[Link, ...]:
    """Links to the headings of a note, for a table of contents."""
    return tuple(Link(text, f"#{anchor}") for _, anchor, text in _render(note, links, route).headings)


def _render(note: Note, links: LinkMap, route: str, guest: str = "") -> RenderedNote:
    def resolve(target: LinkTarget) -> tuple[str, str]:
        found, title = links.resolve(target)
        return routes.href(route, found), title

    return render_note(note, resolve, id_prefix=f"{HEADING_PREFIX}{guest}-" if guest else HEADING_PREFIX)
