"""Where a token's information comes from, by raw attention and by the views that look further."""

from __future__ import annotations

from collections.abc import Callable

from attention_gallery.analysis.attribution.view import View
from attention_gallery.analysis.attribution.view_registry import VIEWS
from attention_gallery.analysis.attribution.views import TopKeys
from attention_gallery.evidence import wording
from attention_gallery.pages.capture_inputs import FLOW, FLOW_SETTINGS
from attention_gallery.pages.contexts.flow_context import SourceTable, SourceView
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.page_kind import PageInputs
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.sections.sinks import sink_table
from attention_gallery.records import failure_in

_FAILED = "left out: working it out failed"


def source_table(
    reader: CaptureReader, inputs: PageInputs, query: int, href: Callable[[HeadIndex], str]
) -> SourceTable:
    """Every view of one token after the last layer."""
    layer = reader.analysis.layers - 1
    flow = inputs[FLOW]
    # Of the view that is never absent the analysis holds the keys.
    raw = (reader.analysis.top_keys, reader.analysis.top_weights)
    top_keys = {"raw": raw, **(flow.top_keys if flow else {})}
    views = []
    for view in VIEWS:
        absent = ""
        if view.name not in top_keys:
            absent = view.absent(reader.attention, inputs[FLOW_SETTINGS]) if flow else _FAILED
        views.append(_view(reader, view, top_keys.get(view.name), (layer, query), absent))
    ranks = max(len(view.keys) for view in views)
    sinks = None if flow is None else sink_table(flow, reader.analysis.kind, href)
    tell_failure(reader, inputs, "the lengths of what heads take", reader.attention.side_outputs.no_norms)
    return SourceTable(reader.tokens.texts[query], layer, ranks, tuple(views), sinks)


def _view(
    reader: CaptureReader, view: View, top: TopKeys | None, row: tuple[int, int], absent: str
) -> SourceView:
    description = (view.name, view.title, view.definition, view.caveat, view.source)
    if top is None:
        return SourceView(*description, absent=absent)
    texts = reader.keys.texts
    ranked = zip(*(array[row].tolist() for array in top), strict=True)
    cells = tuple((texts[key], key, wording.weight(share), share) for key, share in ranked if key >= 0)
    return SourceView(*description, cells)


def tell_failure(reader: CaptureReader, inputs: PageInputs, analysis: str, reason: str) -> None:
    """Tell of a side analysis that failed while the model ran, as the `reason` for its absence says."""
    failure = failure_in(reason)
    if failure is not None:
        subject = f"“{reader.short_title}” in {reader.capture.model.spec.title}"
        inputs.sides.leave_out(analysis, subject, *failure)
