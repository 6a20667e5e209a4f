"""The ways from one head to the next, along the layer and across layers, and what stands beside what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from attention_gallery.addresses.link import Link
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.pages.contexts.shared import Neighbours
from attention_gallery.records import head_name

Place = tuple[int, int]
_Item = TypeVar("_Item")


def head_neighbours(places: Sequence[Place], names: HeadRoutes) -> dict[Place, Neighbours]:
    """The neighbours of each of these heads: in reading order, and within the same column.

    The pages of a model's heads are siblings, so the links are "../l03h07/" on any sentence.
    """
    links = {place: Link(head_name(*place), f"../{names.slug(*place)}/") for place in places}
    columns: dict[int, list[Place]] = {}
    for place in places:
        columns.setdefault(place[1], []).append(place)
    along = dict(zip(places, around(places), strict=True))
    across = {
        place: pair for column in columns.values() for place, pair in zip(column, around(column), strict=True)
    }
    return {
        place: Neighbours(*(links.get(other) if other else None for other in (*along[place], *across[place])))
        for place in places
    }


def around(items: Sequence[_Item]) -> list[tuple[_Item | None, _Item | None]]:
    """For each item in turn, the items before and after it."""
    return list(zip([None, *items][:-1], [*items, None][1:], strict=True))
