"""Where a token's information comes from, by raw attention and by the views that look further."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from attention_gallery.analysis import VIEWS, FlowViews, View
from attention_gallery.evidence import wording
from attention_gallery.figures.flow_views import flow_views_html
from attention_gallery.pages.contexts.flow_context import SourceTable, SourceView
from attention_gallery.pages.readers.capture_reader import PairView
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.pages.sections.sinks import sink_table
from attention_gallery.records import Float32, Int32, failure_in

_Top = tuple[Int32, Float32]

FAILED = "left out: working it out failed"


def source_table(view: PairView, query: int, href: Callable[[Place], str]) -> SourceTable:
    """Every view of one token after the last layer, with the data of all tokens and layers."""
    layer = view.analysis.layers - 1
    found = view.views
    top = _tops(view, found)
    rows = tuple(_view(view, one, top.get(one.name), (layer, query)) for one in VIEWS)
    data = flow_views_html({name: found for name, found in top.items() if name != "raw"})
    ranks = max(len(row.keys) for row in rows)
    sinks = None if found is None else sink_table(found, view.analysis.kind, href)
    tell_failure(view, "the lengths of what heads take", view.attention.beside.no_norms)
    return SourceTable(view.tokens.texts[query], layer, ranks, rows, Markup(data), sinks)


def _tops(view: PairView, found: FlowViews | None) -> dict[str, _Top]:
    """Keys and shares, [layer, query, rank], of every view that there is."""
    raw = (view.analysis.top_keys, view.analysis.top_weights)
    return {"raw": raw, **(found.tops if found else {})}


def _view(view: PairView, one: View, top: _Top | None, place: tuple[int, int]) -> SourceView:
    told = (one.name, one.title, one.definition, one.caveat, one.source)
    if top is None:
        reason = one.absent(view.attention, view.gallery.settings.analysis) if view.views else FAILED
        return SourceView(*told, absent=reason)
    texts = view.keys.texts
    keys, shares = (array[place].tolist() for array in top)
    found = ((key, share) for key, share in zip(keys, shares, strict=True) if key >= 0)
    return SourceView(*told, tuple((texts[key], key, wording.weight(share), share) for key, share in found))


def tell_failure(view: PairView, analysis: str, reason: str) -> None:
    """Tell of a side analysis that failed while the model ran, as the `reason` for its absence says."""
    told = failure_in(reason)
    if told is not None:
        subject = f"“{view.short_title}” in {view.pair.model.spec.title}"
        view.gallery.data.sides.leave_out(analysis, subject, *told)
