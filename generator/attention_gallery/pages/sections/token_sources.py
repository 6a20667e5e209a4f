"""Where a token's information comes from, by raw attention and by the views that look further."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from attention_gallery.analysis import VIEWS, FlowViews, View
from attention_gallery.evidence import wording
from attention_gallery.figures.flow_views import flow_views_html
from attention_gallery.pages.contexts.flow_context import SourceTable, SourceView
from attention_gallery.pages.inputs import FLOW, FLOW_LIMIT
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import PageInputs
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.sections.sinks import sink_table
from attention_gallery.records import Float32, Int32, failure_in

_Top = tuple[Int32, Float32]


def source_table(
    reader: CaptureReader, inputs: PageInputs, query: int, href: Callable[[HeadIndex], str]
) -> SourceTable:
    """Every view of one token after the last layer, with the data of all tokens and layers."""
    layer = reader.analysis.layers - 1
    flow = inputs[FLOW]
    top = _top_keys(reader, flow)
    views = []
    for view in VIEWS:
        absent = "" if view.name in top else _absent(reader, inputs, view.name)
        views.append(_view(reader, view, top.get(view.name), (layer, query), absent))
    data = flow_views_html({name: keys for name, keys in top.items() if name != "raw"})
    ranks = max(len(view.keys) for view in views)
    sinks = None if flow is None else sink_table(flow, reader.analysis.kind, href)
    tell_failure(reader, inputs, "the lengths of what heads take", reader.attention.beside.no_norms)
    return SourceTable(reader.tokens.texts[query], layer, ranks, tuple(views), Markup(data), sinks)


def _top_keys(reader: CaptureReader, flow: FlowViews | None) -> dict[str, _Top]:
    """Keys and shares, [layer, query, rank], of every view that there is."""
    tops = {view.name: flow.top(view.name) for view in VIEWS if view.name != "raw"} if flow else {}
    raw = (reader.analysis.top_keys, reader.analysis.top_weights)
    return {"raw": raw, **{name: top for name, top in tops.items() if top is not None}}


def _view(
    reader: CaptureReader, view: View, top: _Top | None, row: tuple[int, int], absent: str
) -> SourceView:
    description = (view.name, view.title, view.definition, view.caveat, view.source)
    if top is None:
        return SourceView(*description, absent=absent)
    texts = reader.keys.texts
    ranked = zip(*(array[row].tolist() for array in top), strict=True)
    cells = tuple((texts[key], key, wording.weight(share), share) for key, share in ranked if key >= 0)
    return SourceView(*description, cells)


def _absent(reader: CaptureReader, inputs: PageInputs, name: str) -> str:
    """Why a view is not there."""
    if inputs[FLOW] is None:
        return "left out: working it out failed"
    if name == "norm":
        reason = reader.attention.beside.no_norms
        return f"not known for this model: {reason}" if reason else "not known for this model"
    if name == "flow" and reader.analysis.kind != "cross":
        return _too_many(reader, inputs[FLOW_LIMIT])
    return "not defined for cross attention by itself: what reaches a token comes through the encoder"


def tell_failure(reader: CaptureReader, inputs: PageInputs, analysis: str, reason: str) -> None:
    """Tell of a side analysis that failed while the model ran, as the `reason` for its absence says."""
    failure = failure_in(reason)
    if failure is not None:
        subject = f"“{reader.short_title}” in {reader.capture.model.spec.title}"
        inputs.leave_out(analysis, subject, *failure)


def _too_many(reader: CaptureReader, limit: int) -> str:
    """Why a sentence has no attention flow."""
    if not limit:
        return "not computed: analysis.flow_limit is 0"
    layers, tokens = reader.analysis.layers, len(reader.tokens)
    flows = layers * (tokens * (tokens + 1) // 2 if reader.analysis.causal else tokens * tokens)
    return (
        f"not computed: {tokens} tokens and {layers} layers would take {flows:,} maximum flows, "
        f"more than {limit:,} (analysis.flow_limit)"
    )
