"""What a model expects: the likeliest tokens after each token of a text, or in place of its masks."""

from __future__ import annotations

import math

from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.flow_context import PredictionRow, PredictionTable
from attention_gallery.pages.page_kind import PageInputs
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.pages.sections.token_sources import tell_failure
from attention_gallery.records import Predictions


def prediction_table(reader: CaptureReader, inputs: PageInputs) -> PredictionTable:
    """The predictions of a capture, or why there are none. Raises `DamagedEntry`."""
    beside = reader.attention.beside
    predictions = beside.predictions
    masked = not reader.capture.model.causal
    if predictions is None:
        reason = beside.no_predictions
        tell_failure(reader, inputs, "predictions", reason)
        return PredictionTable(masked, 0, absent=f"No predictions are shown: {reason}." if reason else "")
    if not len(predictions.positions):
        absent = "No predictions are shown: the model fills masks, and nothing in this text is masked."
        return PredictionTable(masked, 0, absent=absent)
    rows = tuple(_row(reader, predictions, row) for row in range(len(predictions.positions)))
    return PredictionTable(masked, predictions.shape[1], rows)


def _row(reader: CaptureReader, predictions: Predictions, row: int) -> PredictionRow:
    texts, position = reader.tokens.texts, int(predictions.positions[row])
    actual = float(predictions.actual[row])
    shares = predictions.probabilities[row].tolist()
    expected = tuple(
        (text, wording.weight(share), share)
        for text, share in zip(predictions.texts[row], shares, strict=True)
    )
    # After the last token nothing follows, and what is behind a mask the model was not told.
    if math.isnan(actual):
        return PredictionRow(texts[position], position, expected)
    following = texts[position + 1]
    return PredictionRow(texts[position], position, expected, following, wording.weight(actual), actual)
