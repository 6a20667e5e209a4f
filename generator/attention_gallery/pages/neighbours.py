"""The ways from one head to the next: along the layer, across layers, from one sentence to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.pieces import Link, Neighbours
from attention_gallery.pages.routes import HeadRoutes
from attention_gallery.records import head_name

Place = tuple[int, int]


def head_neighbours(places: Sequence[Place], names: HeadRoutes) -> dict[Place, Neighbours]:
    """The neighbours of each of these heads: in reading order, and within the same column.

    The pages of a model's heads are siblings, so the links are "../l03h07/" on any sentence.
    """
    links = {place: Link(head_name(*place), f"../{names.slug(*place)}/") for place in places}
    columns: dict[int, list[Place]] = {}
    for place in places:
        columns.setdefault(place[1], []).append(place)
    along = _around(places)
    across = {place: pair for column in columns.values() for place, pair in _around(column).items()}
    return {
        place: Neighbours(*(links.get(other) if other else None for other in (*along[place], *across[place])))
        for place in places
    }


def _around(places: Sequence[Place]) -> dict[Place, tuple[Place | None, Place | None]]:
    """The places before and after each one."""
    before = [None, *places[:-1]]
    after = [*places[1:], None]
    return dict(zip(places, zip(before, after, strict=True), strict=True))


def sentence_neighbours(
    sentences: Sequence[SentenceSpec], sentence: SentenceSpec, href: Callable[[SentenceSpec], str]
) -> tuple[Link | None, Link | None]:
    """Links to the sentences before and after one, in the manifest's order."""
    index = next(place for place, other in enumerate(sentences) if other.slug == sentence.slug)
    before = sentences[index - 1] if index > 0 else None
    after = sentences[index + 1] if index + 1 < len(sentences) else None
    return (
        None if before is None else Link(before.title, href(before)),
        None if after is None else Link(after.title, href(after)),
    )
