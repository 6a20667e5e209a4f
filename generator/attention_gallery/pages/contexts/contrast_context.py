"""What pages of contrasts hand to their templates. The rules of `contexts` hold here too."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from attention_gallery.addresses.link import Link
from attention_gallery.evidence.note_blocks import NoteBlock
from attention_gallery.pages.contexts.shared import HeadCell


class AlignedWord(NamedTuple):
    """A word of both sides, or of one: the other is "". `kind` is "same", "changed", "left" or "right"."""

    left: str
    right: str
    kind: str


class ContrastSide(NamedTuple):
    """One of the two that are compared: where it is shown, and the text that is read.

    `left_out` says what was not read of the text, "" where all of it was.
    """

    title: str
    href: str
    text: str
    left_out: str = ""


class StripCell(NamedTuple):
    """One head in a strip: `distance` is text, `percent` its share of the largest in the strip."""

    name: str
    href: str
    distance: str
    percent: int


class Strip(NamedTuple):
    """A distance for every head, [layer][head]; `largest` is the one that gets the whole colour."""

    title: str
    cells: tuple[tuple[StripCell, ...], ...]
    largest: str


class ContrastRow(NamedTuple):
    """A head of each side: how far apart, what chance gives, and in words what differs most."""

    left: HeadCell
    right: HeadCell
    distance: str
    percent: int
    chance: str
    said: str


class ContrastTable(NamedTuple):
    """Heads side by side, the most telling first. `left` and `right` name the columns of the two sides."""

    title: str
    about: str
    left: str
    right: str
    rows: tuple[ContrastRow, ...]


class ChangedWeight(NamedTuple):
    """A weight on both sides, and the difference with its sign."""

    query: str
    key: str
    left: str
    right: str
    difference: str


class ContrastFigure(NamedTuple):
    """Both heatmaps and their difference, with the weights that differ most.

    `closeness` says that the two are the same or nearly so, "" where they differ visibly.
    """

    title: str
    left: Markup
    right: Markup
    difference: Markup
    weights: tuple[ChangedWeight, ...]
    left_title: str
    right_title: str
    closeness: str = ""


class SentenceDistance(NamedTuple):
    """How far two heads are apart on one sentence, beside two heads of the model on average."""

    sentence: Link
    left: Link
    right: Link
    distance: str
    percent: int
    typical: str


class ContrastContext(NamedTuple):
    """`contrast.html`. `kind` is "sentences", "models" or "heads", `label` says it with names.

    `words` are aligned, none where both sides read the same tokens; `alignment` says how. `sentences` are
    those on which two heads were compared, none for one. `method` are sentences on how it was measured.
    """

    kind: str
    title: str
    description: str
    language: str
    sides: tuple[ContrastSide, ContrastSide]
    label: str = ""
    words: tuple[AlignedWord, ...] = ()
    alignment: str = ""
    summary: tuple[str, ...] = ()
    strips: tuple[Strip, ...] = ()
    tables: tuple[ContrastTable, ...] = ()
    sentences: tuple[SentenceDistance, ...] = ()
    figures: tuple[ContrastFigure, ...] = ()
    method: tuple[str, ...] = ()
    notes: tuple[NoteBlock, ...] = ()
    previous: Link | None = None
    next: Link | None = None


class ContrastsContext(NamedTuple):
    """`contrasts.html`: all contrasts. Each is a link with its description, and what kind it is of."""

    contrasts: tuple[tuple[Link, str], ...]
