"""Layer × head tables, legends of head types and lists of notable heads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from attention_gallery.analysis import KINDS, SentenceAnalysis
from attention_gallery.figures.describe import isolated
from attention_gallery.pages import words
from attention_gallery.pages.neighbours import Place
from attention_gallery.pages.pieces import HeadCell, NotableHead, TypeCount
from attention_gallery.records import HeadType, Tokens, head_name

_KINDS = {kind.name: kind for kind in KINDS}


class TypedHeads(Protocol):
    """Heads with their types: of one sentence, or of a model over all its sentences."""

    @property
    def layers(self) -> int:
        """How many layers."""

    @property
    def heads(self) -> int:
        """How many heads in each layer."""

    def type_name(self, layer: int, head: int) -> str:
        """The short name of a head's type."""

    def head_type(self, layer: int, head: int) -> HeadType:
        """A head's type with its evidence."""


def head_table(typed: TypedHeads, href: Callable[[Place], str]) -> tuple[tuple[HeadCell, ...], ...]:
    """A cell for each head, [layer][head]; `href` gives "" for heads without a page."""
    return tuple(
        tuple(head_cell(typed, (layer, head), href) for head in range(typed.heads))
        for layer in range(typed.layers)
    )


def head_cell(typed: TypedHeads, place: Place, href: Callable[[Place], str]) -> HeadCell:
    """One head's cell."""
    kind = _KINDS[typed.type_name(*place)]
    return HeadCell(head_name(*place), href(place), kind.family, kind.title)


def type_legend(typed: TypedHeads) -> tuple[TypeCount, ...]:
    """How many heads there are of each type that occurs, in the order in which types are decided."""
    counts: dict[str, int] = {}
    for layer in range(typed.layers):
        for head in range(typed.heads):
            name = typed.type_name(layer, head)
            counts[name] = counts.get(name, 0) + 1
    return tuple(
        TypeCount(name, kind.title, kind.family, counts[name])
        for name, kind in _KINDS.items()
        if name in counts
    )


def notable_heads(
    analysis: SentenceAnalysis,
    tokens: Tokens,
    keys: Tokens,
    places: Iterable[Place],
    href: Callable[[Place], str],
) -> tuple[NotableHead, ...]:
    """Heads worth a look, with the reason.

    That is the evidence for its type where it is the clearest of that type, else the pair it stands out by.
    """
    rows = []
    for place in places:
        kind = analysis.head_type(*place)
        query, key = int(analysis.far_q[place]), int(analysis.far_k[place])
        reason = kind.evidence
        if query >= 0 and analysis.clearest(kind.name) != place:
            weight = words.share(float(analysis.far_w[place]))
            reason = f"“{isolated(tokens.texts[query])}” → “{isolated(keys.texts[key])}” {weight}"
        rows.append(NotableHead(head_name(*place), href(place), kind.title, kind.family, reason))
    return tuple(rows)
