"""What the atlas of a model and the pages of its heads show; the rules of `contexts` hold here too."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from attention_gallery.addresses.link import Link
from attention_gallery.pages.contexts.shared import HeadCell, Thumbnail


class AtlasColumn(NamedTuple):
    """One measure of the atlas. `name` is its short name, for addresses and scripts."""

    name: str
    title: str
    unit: str


class AtlasRelation(NamedTuple):
    """The relation that a head follows best: `best` tells whether it is the best of all heads at it.

    `share` is how often it is right, `counts` of how many ("13 of 16"), and `offset` how often the best fixed
    offset is; `ahead` tells whether the head is right more often.
    """

    title: str
    share: str
    offset: str
    best: bool
    ahead: bool
    counts: str


class AtlasRow(NamedTuple):
    """One head: its cell, its picture on the sentence that shows it best, and its mean measures as text.

    `sentence` leads to the head on that sentence; its text is "" where there is only one. `values` are in
    the order of the columns. `relation` is None for a head that follows none better than guessing.
    """

    cell: HeadCell
    thumbnail: Thumbnail
    sentence: Link
    relation: AtlasRelation | None
    values: tuple[str, ...]


class Atlas(NamedTuple):
    """Every head of a model, with what it does.

    `columns` are the measures that are defined for some head, `absent` the titles of the others. `probed`
    tells whether some head follows a relation better than guessing, and `tested` for how many kinds of
    relation heads were asked. `pairs` says between which words a mixed head is looked at. `downloads` are the
    files with all numbers: their names, addresses, and what is in them as the title; none where the gallery
    offers no downloads.
    """

    columns: tuple[AtlasColumn, ...]
    rows: tuple[AtlasRow, ...]
    layers: int
    probed: bool
    tested: int
    pairs: str
    absent: tuple[str, ...]
    downloads: tuple[Link, ...]


class Distribution(NamedTuple):
    """One measure of one head over all sentences.

    `value` is its mean, as text, "–" where it is never defined, and then all but `title` are empty. `figure`
    shows its value on every sentence beside its baselines, and is hidden from screen readers. `middle` says
    where the middle half of the sentences lies; "" for few. `chance` is what it would be without the head's
    choices. `strongest` and `weakest` lead to the sentences at the ends, with the value as their title; None
    where they do not differ.
    """

    title: str
    value: str
    unit: str = ""
    figure: Markup = Markup("")
    middle: str = ""
    chance: str = ""
    strongest: Link | None = None
    weakest: Link | None = None
