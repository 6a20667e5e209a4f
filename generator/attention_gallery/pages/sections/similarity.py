"""Which heads of a model are alike: the map with its groups, and the heads most like one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from markupsafe import Markup

from attention_gallery.analysis.similarity.head_map import HeadMap
from attention_gallery.evidence import wording
from attention_gallery.figures.head_map_figure import Dot, head_map_fragment
from attention_gallery.pages.contexts.shared import HeadCell, HeadGroup, HeadMapView, SimilarHead
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.readers.model_reader import ModelReader
from attention_gallery.pages.sections.head_tables import head_cell

# One for each group that `map_heads` may make.
_LETTERS = "ABCDEFGH"


def head_map_view(
    reader: ModelReader, head_map: HeadMap | None, href: Callable[[HeadIndex], str]
) -> HeadMapView | None:
    """The map of a model's heads; None where it has too few, or all do the same."""
    if head_map is None:
        return None
    cells = [head_cell(reader.across, head, href) for head in reader.model.heads]
    letters = [_LETTERS[group] for group in head_map.groups.tolist()]
    dots = [
        Dot(cell.href, cell.family, letter, f"{cell.name}, {cell.type_title.lower()}, group {letter}")
        for cell, letter in zip(cells, letters, strict=True)
    ]
    groups = tuple(
        _group(letter, [cell for cell, own in zip(cells, letters, strict=True) if own == letter])
        for letter in dict.fromkeys(letters)
    )
    figure = head_map_fragment(head_map.positions, dots, _caption(head_map, len(groups)))
    return HeadMapView(Markup(figure.html), groups)


def _caption(head_map: HeadMap, groups: int) -> str:
    return (
        "The closer two heads, the more alike is what they look at. Colours are types, letters are the "
        f"{wording.count(groups, 'group')} below. The two directions have no meaning of their own and hold "
        f"{round(100 * head_map.explained)}\N{NO-BREAK SPACE}% of all differences."
    ) + (" Of long sentences some rows at even distances stand for all." if head_map.estimated else "")


def _group(letter: str, cells: list[HeadCell]) -> HeadGroup:
    # By the first type alone, or a group would be told in as many parts as it has pairs of types.
    counts = Counter(cell.type_title.partition(", also ")[0] for cell in cells).most_common()
    kinds = wording.listed(wording.count(count, title[0].lower() + title[1:]) for title, count in counts)
    return HeadGroup(letter, kinds, tuple(cells))


def similar_heads(
    reader: ModelReader, head_map: HeadMap | None, head: HeadIndex, href: Callable[[HeadIndex], str]
) -> tuple[SimilarHead, ...]:
    """The heads most like one, the nearest first; nothing where the model has no map."""
    if head_map is None:
        return ()
    heads = reader.model.facts.heads
    index = head[0] * heads + head[1]
    columns = (head_map.nearest, head_map.nearest_distance, head_map.nearest_error)
    rows = []
    for other, distance, error in zip(*(column[index].tolist() for column in columns), strict=True):
        cell = head_cell(reader.across, divmod(other, heads), href)
        rows.append(SimilarHead(cell, wording.estimate(distance, error, 2), round(100 * distance)))
    return tuple(rows)


def typical_distance(head_map: HeadMap | None) -> str:
    """How far two heads of the model are apart on average, "" where it has no map."""
    return "" if head_map is None else wording.estimate(head_map.typical, head_map.typical_error, 2)


def estimated_distances(head_map: HeadMap | None) -> str:
    """A sentence on distances that were estimated, "" where none was."""
    if head_map is None or not head_map.estimated:
        return ""
    long = wording.count(head_map.estimated, "sentence")
    verb = "is" if head_map.estimated == 1 else "are"
    return (
        f"Distances are estimated: {long} of {head_map.sentences:,} {verb} too long to compare all heads on "
        "every row, so that rows at even distances stand for all. After ± stands a standard error."
    )
