"""Where one token looks through the layers, in words and numbers."""

from __future__ import annotations

from attention_gallery.analysis import token_trace
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.shared import Trace, TraceRow
from attention_gallery.pages.readers.capture_reader import PairView


def token_trace_of(view: PairView, query: int) -> Trace:
    """The trace of one token among content words, heads averaged in each layer."""
    texts, keys = view.tokens.texts, view.keys.texts
    rows = tuple(
        TraceRow(layer, tuple((keys[key], key, wording.weight(weight), weight) for key, weight in row))
        for layer, row in enumerate(token_trace(view.analysis, query, content=True))
    )
    return Trace(texts[query], query, rows, view.describer.token(query))
