"""Where one token looks through the layers, in words and numbers."""

from __future__ import annotations

from attention_gallery.analysis import token_trace
from attention_gallery.pages import words
from attention_gallery.pages.pair_view import PairView
from attention_gallery.pages.pieces import Trace, TraceRow


def token_trace_of(view: PairView, query: int) -> Trace:
    """The trace of one token among content words, heads averaged in each layer."""
    texts, keys = view.tokens.texts, view.keys.texts
    rows = tuple(
        TraceRow(layer, tuple((keys[key], key, words.weight(weight), weight) for key, weight in row))
        for layer, row in enumerate(token_trace(view.analysis, query, content=True))
    )
    return Trace(texts[query], query, rows, view.describer.token(query))
