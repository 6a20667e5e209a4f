"""What a model expects: the likeliest tokens after each token of a text, or in place of its masks."""

from __future__ import annotations

import math

from attention_gallery.evidence import wording
from attention_gallery.pages.contexts.flow_context import PredictionRow, PredictionTable
from attention_gallery.pages.readers.capture_reader import PairView
from attention_gallery.pages.sections.token_sources import tell_failure
from attention_gallery.records import Predictions


def prediction_table(view: PairView) -> PredictionTable:
    """The predictions of a pair, or why there are none. Raises `DamagedEntry`."""
    beside = view.attention.beside
    found = beside.predictions
    masked = not view.pair.model.causal
    if found is None:
        reason = beside.no_predictions
        tell_failure(view, "predictions", reason)
        return PredictionTable(masked, 0, absent=f"No predictions are shown: {reason}." if reason else "")
    if not len(found.positions):
        absent = "No predictions are shown: the model fills masks, and nothing in this text is masked."
        return PredictionTable(masked, 0, absent=absent)
    rows = tuple(_row(view, found, place) for place in range(len(found.positions)))
    return PredictionTable(masked, found.shape[1], rows)


def _row(view: PairView, found: Predictions, place: int) -> PredictionRow:
    texts, index = view.tokens.texts, int(found.positions[place])
    came = float(found.actual[place])
    shares = found.probabilities[place].tolist()
    expected = tuple(
        (text, wording.weight(share), share) for text, share in zip(found.texts[place], shares, strict=True)
    )
    if math.isnan(came):
        return PredictionRow(texts[index], index, expected)
    return PredictionRow(texts[index], index, expected, texts[index + 1], wording.weight(came), came)
