"""What pages are put together from: links, cards, rows, pictures. The rules of `contexts` hold here too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from markupsafe import Markup

from attention_gallery.addresses.link import Link
from attention_gallery.evidence.note_blocks import NoteBlock


class Options(dict[str, str | bool | int | float]):
    """The theme's options, each a field too, as templates write them: `site.options.density`."""

    def __getattr__(self, name: str) -> str | bool | int | float:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What is the same on every page of the gallery.

    `static` gives the address of each static file of the theme, relative to the site's root.
    `special_tokens` tells how explorers and head pages open.
    """

    title: str
    description: str
    author: str
    language: str
    generator: str
    options: Options
    has_notes: bool
    has_about: bool
    static: dict[str, str] = field(default_factory=dict)
    special_tokens: Literal["shown", "hidden"] = "shown"
    has_contrasts: bool = False


class PageInfo(NamedTuple):
    """The page itself. `root` leads to the site's root ("./", "../../"); `canonical` is absolute or None.

    `breadcrumbs` run from the gallery to the parent of this page. `kind` is the page's template name.
    `left_out` are sentences about what failed to be worked out, and is missing here.
    """

    kind: str
    title: str
    description: str
    route: str
    root: str
    canonical: str | None
    breadcrumbs: tuple[Link, ...]
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    plotly: str
    provenance: tuple[tuple[str, str], ...] = ()
    built: str | None = None
    left_out: tuple[str, ...] = ()


class ModelCard(NamedTuple):
    """A model in short. `facts` are label and value, ready to show."""

    slug: str
    title: str
    description: str
    href: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()


class Thumbnail(NamedTuple):
    """A small picture of attention: `src` is a file or a data: URI, `alt` says what it shows."""

    src: str
    alt: str
    width: int
    height: int


class GalleryCell(NamedTuple):
    """One model on one sentence, on the home page."""

    model: str
    href: str
    thumbnail: Thumbnail
    tokens: int
    caption: str


class SentenceRow(NamedTuple):
    """One sentence on the home page, with a cell for each model: None for one that does not read it."""

    slug: str
    title: str
    text: str
    language: str
    href: str
    tags: tuple[str, ...]
    cells: tuple[GalleryCell | None, ...]


@dataclass(frozen=True, slots=True)
class TypeCount:
    """How many heads have a type; for legends. `family` chooses the colour."""

    name: str
    title: str
    family: str
    count: int


class HeadCell(NamedTuple):
    """One head in a layer × head table. `href` is "" where the head has no page of its own.

    `type_title` names all its types, `family` chooses the colour of the first and `also` that of the second,
    "" where it has one.
    """

    name: str
    href: str
    family: str
    type_title: str
    also: str = ""


class HeadGroup(NamedTuple):
    """Heads that are more like each other than like the rest. `kinds` says of what types they are."""

    letter: str
    kinds: str
    heads: tuple[HeadCell, ...]


class HeadMapView(NamedTuple):
    """The map of a model's heads: `figure` is hidden from screen readers, `groups` say the same in text."""

    figure: Markup
    groups: tuple[HeadGroup, ...]


class SimilarHead(NamedTuple):
    """A head that looks at much the same tokens. `distance` is text, from 0 to 1; `percent` for a bar."""

    head: HeadCell
    distance: str
    percent: int


class GoldRow(NamedTuple):
    """One relation of a sentence, and what a model makes of it.

    `head` is the best head for relations of its kind, "" where there is none, and `verdict` what it looks at;
    `right` whether that is the right word, None where no head is named. `href` is "" without a page.
    `caution` says that `target` is such a first word as in `RelationRow`, "" where it is not.
    """

    source: str
    target: str
    kind: str
    head: str = ""
    href: str = ""
    verdict: str = ""
    right: bool | None = None
    caution: str = ""


class MetricRow(NamedTuple):
    """One measure of one head. `value` is text; `percent` places it in its range, None when undefined.

    `chance` is what it would be without the head's choices, in one line ("by chance 0.07 ± 0.03"), "" where
    there is none.
    """

    title: str
    value: str
    unit: str
    percent: int | None
    definition: str
    source: str
    chance: str = ""


class Pair(NamedTuple):
    """A query that looks at a key: token texts, their positions, the weight as text and for a bar."""

    query: str
    key: str
    query_index: int
    key_index: int
    weight: str
    percent: int


class TraceRow(NamedTuple):
    """What one token looks at in one layer, heads averaged: (key text, key index, weight text, share)."""

    layer: int
    keys: tuple[tuple[str, int, str, float], ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What one token looks at through the layers. `special` tells whether special tokens are counted."""

    token: str
    index: int
    rows: tuple[TraceRow, ...]
    summary: str


class NotableHead(NamedTuple):
    """A head worth looking at, and why; with a picture where there is room for one."""

    name: str
    href: str
    type_title: str
    family: str
    evidence: str
    picture: Thumbnail | None = None


class HeadExample(NamedTuple):
    """One sentence on a head's page, with its picture."""

    title: str
    text: str
    language: str
    href: str
    thumbnail: Thumbnail
    type_title: str
    family: str
    evidence: str


class Neighbours(NamedTuple):
    """Where one can go from a head: None at an edge. `up` is the same head a layer earlier."""

    previous: Link | None
    next: Link | None
    up: Link | None
    down: Link | None


class TextPart(NamedTuple):
    """One of the texts of a sentence. `name` says which: "First text", "User", …; "" for the only one.

    `pieces` are the same text in stretches, each with whether it was read; there are several where a chat
    template or tokenizer left something out.
    """

    name: str
    text: str
    pieces: tuple[tuple[str, bool], ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether all of it was read."""
        return all(read for _, read in self.pieces)


class SentenceModel(NamedTuple):
    """One model on a sentence's page. `length` says how many tokens there are, ready to show.

    `left_out` says what it could not read of the text, "" for nothing. `relations` are those of the sentence,
    with what this model makes of them.
    """

    model: ModelCard
    href: str
    thumbnail: Thumbnail
    tokens: int
    length: str
    trace: Trace
    notable: tuple[NotableHead, ...]
    notes: tuple[NoteBlock, ...]
    left_out: str = ""
    relations: tuple[GoldRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenView:
    """One token in the token strip. `joined` is true where no space stands before it.

    `opens` is the name of the segment that begins with it ("first", "user", "continuation"), else "".
    """

    index: int
    text: str
    special: bool
    joined: bool
    opens: str = ""


class LayerAverage(NamedTuple):
    """The heads of one layer averaged: a picture, and what stands out in it."""

    layer: int
    thumbnail: Thumbnail
    caption: str


class HeadShared(NamedTuple):
    """What all head pages of one model on one sentence share, rendered once: `token_strip` is HTML.

    `key_strip` has the tokens that are looked at where they are others (cross attention), else it is empty.
    `left_out` says what the model could not read of the text, "" where it read it all.
    """

    model: ModelCard
    sentence: Link
    text: str
    language: str
    tokens: tuple[TokenView, ...]
    tokens_title: str
    token_strip: Markup
    key_strip: Markup
    explorer: str
    precision: str
    left_out: str = ""
