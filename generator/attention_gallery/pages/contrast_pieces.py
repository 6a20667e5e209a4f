"""What pages of contrasts hand to their templates. The rules of `contexts` hold here too."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from attention_gallery.pages.pieces import HeadCell, Link, NoteBlock


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word of both sides, or of one: the other is "". `kind` is "same", "changed", "left" or "right"."""

    left: str
    right: str
    kind: str


@dataclass(frozen=True, slots=True)
class ContrastSide:
    """One of the two that are compared: where it is shown, and the text that is read."""

    title: str
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class StripCell:
    """One head in a strip: `distance` is text, `percent` its share of the largest in the strip."""

    name: str
    href: str
    distance: str
    percent: int


@dataclass(frozen=True, slots=True)
class Strip:
    """A distance for every head, [layer][head]; `largest` is the one that gets the whole colour."""

    title: str
    cells: tuple[tuple[StripCell, ...], ...]
    largest: str


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """A head of each side: how far apart, what chance gives, and in words what differs most."""

    left: HeadCell
    right: HeadCell
    distance: str
    percent: int
    chance: str
    said: str


@dataclass(frozen=True, slots=True)
class ContrastTable:
    """Heads side by side, the most telling first. `left` and `right` name the columns of the two sides."""

    title: str
    about: str
    left: str
    right: str
    rows: tuple[ContrastRow, ...]


@dataclass(frozen=True, slots=True)
class ChangedWeight:
    """A weight on both sides, and the difference with its sign."""

    query: str
    key: str
    left: str
    right: str
    difference: str


@dataclass(frozen=True, slots=True)
class ContrastFigure:
    """Both heatmaps and their difference, with the weights that differ most."""

    title: str
    left: Markup
    right: Markup
    difference: Markup
    weights: tuple[ChangedWeight, ...]
    left_title: str
    right_title: str


@dataclass(frozen=True, slots=True)
class SentenceDistance:
    """How far two heads are apart on one sentence, beside two heads of the model on average."""

    sentence: Link
    left: Link
    right: Link
    distance: str
    percent: int
    typical: str


@dataclass(frozen=True, slots=True)
class ContrastContext:
    """`contrast.html`. `kind` is "sentences", "models" or "heads", `label` says it with names.

    `words` are aligned, none where both sides read the same tokens; `alignment` says how. `sentences` are
    those on which two heads were compared, none for one. `method` are sentences on how it was measured.
    """

    kind: str
    label: str
    title: str
    description: str
    language: str
    sides: tuple[ContrastSide, ContrastSide]
    words: tuple[AlignedWord, ...]
    alignment: str
    summary: tuple[str, ...]
    strips: tuple[Strip, ...]
    tables: tuple[ContrastTable, ...]
    sentences: tuple[SentenceDistance, ...]
    figures: tuple[ContrastFigure, ...]
    method: tuple[str, ...]
    notes: tuple[NoteBlock, ...]
    previous: Link | None
    next: Link | None


@dataclass(frozen=True, slots=True)
class ContrastsContext:
    """`contrasts.html`: all contrasts. Each is a link with its description, and what kind it is of."""

    contrasts: tuple[tuple[Link, str], ...]
