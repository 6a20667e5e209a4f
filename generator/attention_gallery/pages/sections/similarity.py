"""Which heads of a model are alike: the map with its groups, and the heads most like one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from markupsafe import Markup

from attention_gallery.analysis import HeadMap
from attention_gallery.evidence import wording
from attention_gallery.figures.head_map import Dot, head_map_fragment
from attention_gallery.pages.contexts.shared import HeadCell, HeadGroup, HeadMapView, SimilarHead
from attention_gallery.pages.readers.model_reader import ModelView
from attention_gallery.pages.sections.head_tables import head_cell
from attention_gallery.pages.sections.neighbours import Place

_LETTERS = "ABCDEFGH"


def head_map_view(view: ModelView, href: Callable[[Place], str]) -> HeadMapView | None:
    """The map of a model's heads; None where it has too few, or all do the same."""
    found = view.head_map
    if found is None:
        return None
    cells = [head_cell(view.across, place, href) for place in view.model.places]
    letters = [_LETTERS[group] for group in found.groups.tolist()]
    dots = [
        Dot(cell.href, cell.family, letter, f"{cell.name}, {cell.type_title.lower()}, group {letter}")
        for cell, letter in zip(cells, letters, strict=True)
    ]
    groups = tuple(
        _group(letter, [cell for cell, own in zip(cells, letters, strict=True) if own == letter])
        for letter in dict.fromkeys(letters)
    )
    figure = head_map_fragment(found.positions, dots, _caption(found, len(groups)))
    return HeadMapView(Markup(figure.html), groups)


def _caption(found: HeadMap, groups: int) -> str:
    return (
        "The closer two heads, the more alike is what they look at. Colours are types, letters are the "
        f"{wording.count(groups, 'group')} below. The two directions have no meaning of their own and hold "
        f"{round(100 * found.shown)}\N{NO-BREAK SPACE}% of all differences."
    ) + (" Of long sentences some rows at even distances stand for all." if found.estimated else "")


def _group(letter: str, cells: list[HeadCell]) -> HeadGroup:
    counts = Counter(cell.type_title.partition(", also ")[0] for cell in cells).most_common()
    kinds = wording.listed(wording.count(count, title[0].lower() + title[1:]) for title, count in counts)
    return HeadGroup(letter, kinds, tuple(cells))


def similar_heads(view: ModelView, place: Place, href: Callable[[Place], str]) -> tuple[SimilarHead, ...]:
    """The heads most like one, the nearest first; nothing where the model has no map."""
    found = view.head_map
    if found is None:
        return ()
    heads = view.model.facts.heads
    index = place[0] * heads + place[1]
    columns = (found.nearest, found.nearest_distance, found.nearest_error)
    rows = []
    for other, distance, error in zip(*(column[index].tolist() for column in columns), strict=True):
        cell = head_cell(view.across, divmod(other, heads), href)
        rows.append(SimilarHead(cell, wording.estimate(distance, error, 2), round(100 * distance)))
    return tuple(rows)


def typical_distance(view: ModelView) -> str:
    """How far two heads of the model are apart on average, "" where it has no map."""
    found = view.head_map
    return "" if found is None else wording.estimate(found.typical, found.typical_error, 2)


def estimated_distances(view: ModelView) -> str:
    """A sentence on distances that were estimated, "" where none was."""
    found = view.head_map
    if found is None or not found.estimated:
        return ""
    long = wording.count(found.estimated, "sentence")
    verb = "is" if found.estimated == 1 else "are"
    return (
        f"Distances are estimated: {long} of {found.sentences:,} {verb} too long to compare all heads on "
        "every row, so that rows at even distances stand for all. After ± stands a standard error."
    )
