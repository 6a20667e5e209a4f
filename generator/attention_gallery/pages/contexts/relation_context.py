"""What pages say of relations, and of random tokens read twice. The rules of `contexts` hold here too."""

from __future__ import annotations

from typing import NamedTuple

from attention_gallery.pages.contexts.shared import HeadCell


class RelationRow(NamedTuple):
    """One kind of relation under one model: its best head, or in `reason` why none is asked for; `few`: too
    few.

    `best`: whether `head` is better than guessing; where it is not, it is only the one that comes nearest,
    and no head is the best. `accuracy` with its `interval` is of that head in `direction`, on `scored`
    examples of so many `sentences`, of which it is `right` about so many; `interval` is "" where there are
    too few sentences for one, and `percent` is for a bar. `baseline` is how often the best fixed offset,
    `offset`, is right on the same examples, and `chance` how often a random other word is. `lead` is that of
    the head over the offset, in points, and `lead_interval` how far that can be trusted, or in how many
    sentences which of the two is ahead. `caution` says how many of the examples lead to the first word, where
    that is the first token of a causal model: heads rest there, and find it without knowing the relation. ""
    where none do.
    """

    title: str
    examples: str
    head: str = ""
    href: str = ""
    direction: str = ""
    accuracy: str = ""
    interval: str = ""
    percent: int = 0
    baseline: str = ""
    offset: str = ""
    scored: str = ""
    reason: str = ""
    few: bool = False
    caution: str = ""
    best: bool = False
    right: str = ""
    sentences: str = ""
    chance: str = ""
    lead: str = ""
    lead_interval: str = ""


class RelationGroup(NamedTuple):
    """The relations of one group: "syntactic", "positional", "semantic", "entity" or "other" by `name`."""

    name: str
    title: str
    about: str
    rows: tuple[RelationRow, ...]


class RepeatsRow(NamedTuple):
    """One score on random tokens: what it is, what evenly spread attention gets, and the strongest heads."""

    title: str
    definition: str
    caveat: str
    source: str
    even: str
    heads: tuple[tuple[HeadCell, str], ...]


class RepeatsView(NamedTuple):
    """The test on random tokens read twice: what was read and its scores, or why there are none."""

    about: str
    rows: tuple[RepeatsRow, ...]
