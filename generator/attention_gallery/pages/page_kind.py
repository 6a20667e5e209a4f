"""A page kind: what pages of one kind are made from, as one value, so that nothing else can go into them.

A page hangs on what it is about, its subject, and on the inputs that its kind declares. Its digest is derived
from these, and the maker of its content can read nothing else: `PageInputs` raises on what was not declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel

from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.notes.load_notes import Note
from attention_gallery.pages.contexts.shared import PageInfo
from attention_gallery.pages.gallery import Gallery, Site
from attention_gallery.pages.side_results import LeftOut, UndeclaredInputError

Value = TypeVar("Value")
InputValue = TypeVar("InputValue", covariant=True)
PageSubject = TypeVar("PageSubject", bound="tuple[Any, ...]")
Scope = Literal["capture", "model", "site"]


def identity_of(value: Any) -> Any:
    """What tells a value apart from all others of its kind, as JSON: its digest, where it has one."""
    # As an attribute: a protocol that is checked at run time takes ten times as long, for every page.
    if (own := getattr(value, "digest", None)) is not None:
        return own
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return [identity_of(item) for item in value] if isinstance(value, tuple | list) else value


class PlannedPage(NamedTuple):
    """A file to be made: its route, the digest of all that it depends on, and the way to make it.

    Equal `inputs` promise equal bytes, whatever the date, folder or machine.
    """

    route: str
    inputs: str
    make: Callable[[], bytes]


class Page(NamedTuple):
    """What a template gets: facts of the page, and the context of its kind."""

    info: PageInfo
    context: object


@dataclass(frozen=True, slots=True, eq=False)
class PageInput(Generic[InputValue]):
    """Something that pages are made from, read for what a page is about.

    identify: what tells values apart, as JSON, without reading them; by `identity_of` where there is none.
    shared: whether it is the same for all pages of a scope, and read once for them. side: for what pages can
    do without, what it is called (a plural) and of whom it is; then `read` may fail, and the value is None.
    """

    name: str
    read: Callable[[InputReader, Any], InputValue]
    identify: Callable[[InputReader, Any], Any] | None = None
    shared: bool = False
    side: Callable[[Any], tuple[str, str]] | None = None


class InputReader:
    """Reads inputs for the pages of one capture, of one model, or for a single page of the site."""

    def __init__(self, gallery: Gallery, page_routes: Callable[[], Sequence[str]]) -> None:
        """`page_routes` gives the routes of all pages."""
        self.gallery = gallery
        self.page_routes = page_routes
        self._values: dict[PageInput[Any], tuple[Any, tuple[LeftOut, ...]]] = {}
        self._identities: dict[PageInput[Any], Any] = {}
        self._shared_digests: dict[PageKind[Any], str] = {}

    def identity(self, page_input: PageInput[Any], subject: Any) -> Any:
        """What tells the value of an input apart, as JSON."""
        if page_input.identify is None:
            # What is small is its own identity; `identify` is for what would have to be read or worked out.
            return identity_of(self.value(page_input, subject))
        if not page_input.shared:
            return page_input.identify(self, subject)
        if page_input not in self._identities:
            self._identities[page_input] = page_input.identify(self, subject)
        return self._identities[page_input]

    def shared_digest(self, kind: PageKind[Any], subject: Any) -> str:
        """SHA-256 of all that pages of a kind have in common: the site, and the inputs that they share."""
        # There may be as many pages of heads as heads times sentences, which differ in little else.
        if (own := self._shared_digests.get(kind)) is None:
            shared = {each.name: self.identity(each, subject) for each in kind.needs if each.shared}
            # The theme and the code that makes pages are in the digest of the site.
            own = self._shared_digests[kind] = digest([self.gallery.site.digest, kind.name, shared])
        return own

    def value(self, page_input: PageInput[Value], subject: Any) -> Value:
        """The value of an input. The page at hand then lacks what could not be read for it."""
        value: Value
        if not page_input.shared:
            value = self._read(page_input, subject)
            return value
        sides = self.gallery.data.sides
        if page_input not in self._values:
            # Read for one page; but every page that asks for it lacks what it lacks.
            self._values[page_input] = sides.collected(lambda: self._read(page_input, subject))
        value, lacking = self._values[page_input]
        sides.add(lacking)
        return value

    def _read(self, page_input: PageInput[Value], subject: Any) -> Any:
        if page_input.side is None:
            return page_input.read(self, subject)
        work = partial(page_input.read, self, subject)
        return self.gallery.data.sides.take(*page_input.side(subject), work, None)


class PageInputs:
    """What one page is made from: the site, and the inputs that its kind declares, read when asked for."""

    def __init__(self, kind: PageKind[Any], reader: InputReader, subject: Any) -> None:
        self.site: Site = reader.gallery.site
        self.sides = reader.gallery.data.sides
        self._kind = kind
        self._reader = reader
        self._subject = subject

    def __getitem__(self, page_input: PageInput[Value]) -> Value:
        """The value of an input. Raises `UndeclaredInputError`."""
        if page_input not in self._kind.needs:
            raise UndeclaredInputError(f"{self._kind.name}: {page_input.name} is not among its needs")
        return self._reader.value(page_input, self._subject)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences about what the page at hand lacks so far."""
        return tuple(lacking.sentence for lacking in self.sides.of_page)


@dataclass(frozen=True, slots=True, eq=False)
class PageKind(Generic[PageSubject]):
    """The pages, or other files, of one kind.

    subjects: what there is a page about, in a gallery and a scope: a capture, a model, or None for the site.
    make: what goes into the template, or the bytes of a file that no template makes. route: the address of
    the page about a subject, which the subject knows where nothing else is said. literal: whether a subject
    is the file itself, so that its digest says all. applies: whether a gallery with these settings and notes
    has such pages.
    """

    name: str
    subjects: Callable[[Gallery, Any], Iterable[PageSubject]]
    make: Callable[[PageSubject, PageInputs], Page | bytes]
    route: Callable[[PageSubject], str] = attrgetter("route")
    needs: tuple[PageInput[Any], ...] = ()
    template: str = ""
    scope: Scope = "site"
    literal: bool = False
    applies: Callable[[GallerySettings, Iterable[Note]], bool] = lambda settings, notes: True

    def planned(self, reader: InputReader, subject: PageSubject) -> PlannedPage:
        """The page about a subject, to be made or taken over from the last build."""
        route, make = self.route(subject), partial(self._bytes, reader, subject)
        if self.literal:
            # The file is all that counts: another theme leaves a redirect as it is.
            return PlannedPage(route, identity_of(subject), make)
        # By name, so that no kind may need two inputs of one name: one would hide the other.
        own = {each.name: reader.identity(each, subject) for each in self.needs if not each.shared}
        inputs = digest([reader.shared_digest(self, subject), identity_of(subject), own])
        return PlannedPage(route, inputs, make)

    def _bytes(self, reader: InputReader, subject: PageSubject) -> bytes:
        inputs = PageInputs(self, reader, subject)
        content = self.make(subject, inputs)
        if isinstance(content, bytes):
            return content
        # Last, when all has been read, it is known what is left out.
        info = content.info._replace(left_out=inputs.left_out)
        return inputs.site.renderer.render(self.template, page=info, view=content.context).encode("utf-8")
