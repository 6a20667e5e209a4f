"""The ways from one head to the next, along the layer and across layers, and what stands beside what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.addresses.routes import HeadRoutes
from attention_gallery.pages.contexts.shared import Neighbours
from attention_gallery.records import head_name

HeadIndex = tuple[int, int]
_Item = TypeVar("_Item")


def head_neighbours(heads: Sequence[HeadIndex], names: HeadRoutes) -> dict[HeadIndex, Neighbours]:
    """The neighbours of each of these heads: in reading order, and within the same column.

    The pages of a model's heads are siblings, so the links are "../l03h07/" on any sentence.
    """
    links = {head: Link(head_name(*head), f"../{names.slug(*head)}/") for head in heads}
    columns: dict[int, list[HeadIndex]] = {}
    for head in heads:
        columns.setdefault(head[1], []).append(head)
    # Of some heads only, the next is the next that has a page, be it in another layer.
    along = dict(zip(heads, around(heads), strict=True))
    across = {
        head: beside
        for column in columns.values()
        for head, beside in zip(column, around(column), strict=True)
    }
    return {
        head: Neighbours(*(links.get(other) if other else None for other in (*along[head], *across[head])))
        for head in heads
    }


def around(items: Sequence[_Item]) -> list[tuple[_Item | None, _Item | None]]:
    """For each item in turn, the items before and after it."""
    return list(zip([None, *items][:-1], [*items, None][1:], strict=True))


class Siblings(NamedTuple):
    """Title and route of the pages before and after one, None at the ends."""

    previous: tuple[str, str] | None
    next: tuple[str, str] | None

    def links(self, route: str) -> tuple[Link | None, Link | None]:
        """Both as links from the page at `route`."""
        previous, following = (page and Link(page[0], routes.href(route, page[1])) for page in self)
        return previous, following


def siblings_of(pages: Iterable[tuple[str, str]]) -> Iterator[Siblings]:
    """The siblings of each page in turn, by title and route."""
    return (Siblings(*beside) for beside in around(list(pages)))
