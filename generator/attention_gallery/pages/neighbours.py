"""The ways from one head to the next: along the layer, across layers, from one sentence to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.contexts import Link, Neighbours
from attention_gallery.records import head_name

Place = tuple[int, int]


class HeadNeighbours:
    """Neighbours among the heads that have pages: in reading order, and within the same column."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)
        self._order = {place: index for index, place in enumerate(self._places)}
        self._columns: dict[int, list[int]] = {}
        for layer, head in self._places:
            self._columns.setdefault(head, []).append(layer)

    def of(self, layer: int, head: int, href: Callable[[Place], str]) -> Neighbours:
        """The neighbours of one head; `href` makes the link to a place."""
        index = self._order[layer, head]
        column = self._columns[head]
        row = column.index(layer)

        def link(place: Place | None) -> Link | None:
            return None if place is None else Link(head_name(*place), href(place))

        return Neighbours(
            previous=link(self._places[index - 1] if index > 0 else None),
            next=link(self._places[index + 1] if index + 1 < len(self._places) else None),
            up=link((column[row - 1], head) if row > 0 else None),
            down=link((column[row + 1], head) if row + 1 < len(column) else None),
        )


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
