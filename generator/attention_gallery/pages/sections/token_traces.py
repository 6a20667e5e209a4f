"""Where one token looks through the layers, in words and numbers."""

from __future__ import annotations

from attention_gallery.analysis.measures.sentence_analysis import token_trace
from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.shared import Trace, TraceRow
from attention_gallery.pages.readers.capture_reader import CaptureReader


def token_trace_of(reader: CaptureReader, query: int) -> Trace:
    """The trace of one token among content words, heads averaged in each layer."""
    texts, keys = reader.tokens.texts, reader.keys.texts
    rows = tuple(
        TraceRow(layer, tuple((keys[key], key, wording.weight(weight), weight) for key, weight in row))
        for layer, row in enumerate(token_trace(reader.analysis, query, content=True))
    )
    return Trace(texts[query], query, rows, reader.describer.token(query))
