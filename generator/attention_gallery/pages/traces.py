"""Where one token looks through the layers, in words and numbers."""

from __future__ import annotations

from attention_gallery.analysis import token_trace
from attention_gallery.pages import words
from attention_gallery.pages.pair_view import PairView
from attention_gallery.pages.pieces import Trace, TraceRow


def token_trace_of(view: PairView, query: int) -> Trace:
    """The trace of one token among content words, heads averaged in each layer."""
    texts = view.tokens.texts
    rows = tuple(
        TraceRow(layer, tuple((texts[key], key, words.weight(weight), weight) for key, weight in keys))
        for layer, keys in enumerate(token_trace(view.analysis, query, content=True))
    )
    return Trace(texts[query], query, rows, view.describer.token(query))
