"""Layer × head tables, legends of head types and lists of notable heads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attention_gallery.analysis import KINDS, SentenceAnalysis
from attention_gallery.analysis.measures.measured_heads import MeasuredHeads
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import isolated
from attention_gallery.figures.thumbnail import data_uri, thumbnail
from attention_gallery.pages.contexts.shared import HeadCell, NotableHead, Thumbnail, TypeCount
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.records import Float32, Tokens, head_name, joined_titles

_KINDS = {kind.name: kind for kind in KINDS}


def head_table(typed: MeasuredHeads, href: Callable[[HeadIndex], str]) -> tuple[tuple[HeadCell, ...], ...]:
    """A cell for each head, [layer][head]; `href` gives "" for heads without a page."""
    return tuple(
        tuple(head_cell(typed, (layer, head), href) for head in range(typed.heads))
        for layer in range(typed.layers)
    )


def head_cell(typed: MeasuredHeads, head: HeadIndex, href: Callable[[HeadIndex], str]) -> HeadCell:
    """One head's cell."""
    kinds = [_KINDS[name] for name in typed.type_names(*head)]
    title = joined_titles(*(kind.title for kind in kinds))
    also = kinds[1].family if len(kinds) > 1 else ""
    return HeadCell(head_name(*head), href(head), kinds[0].family, title, also)


def type_legend(typed: MeasuredHeads) -> tuple[TypeCount, ...]:
    """How many heads have each type that occurs, in the order of `KINDS`; one of two counts for both."""
    return tuple(
        TypeCount(name, _KINDS[name].title, _KINDS[name].family, count) for name, count in typed.type_counts
    )


def pictured_heads(heads: Iterable[NotableHead], weights: Float32) -> tuple[NotableHead, ...]:
    """The same with their pictures, from small ones of all heads: float32[layer, head, row, column]."""
    return tuple(head._replace(picture=_picture(head, weights)) for head in heads)


def _picture(head: NotableHead, weights: Float32) -> Thumbnail:
    layer, index = map(int, head.name.removeprefix("L").split("H"))
    png, size = thumbnail(weights[layer, index])
    return Thumbnail(data_uri(png), f"{head.name}: {head.type_title}.", *size)


def notable_heads(
    analysis: SentenceAnalysis,
    tokens: Tokens,
    keys: Tokens,
    heads: Iterable[HeadIndex],
    href: Callable[[HeadIndex], str],
) -> tuple[NotableHead, ...]:
    """Heads worth a look, with the reason.

    That is the evidence for its type where it is the clearest of that type, else the pair it stands out by.
    """
    rows: list[NotableHead] = []
    before = ""  # the weight of the head before, where that is its reason
    for head in heads:
        kind = analysis.head_type(*head)
        query, key = int(analysis.far_pair_query[head]), int(analysis.far_pair_key[head])
        reason = kind.evidences
        # Of the clearest head of a type the type is the reason; of others it is what many have.
        if query >= 0 and head not in map(analysis.clearest, analysis.type_names(*head)):
            weight = wording.share(float(analysis.far_pair_weight[head]))
            same = ", equal to the one before" if weight == before else ""
            reason = f"“{isolated(tokens.texts[query])}” → “{isolated(keys.texts[key])}” {weight}{same}"
            before = weight
        rows.append(NotableHead(head_name(*head), href(head), kind.titles, kind.family, reason))
    return tuple(rows)
