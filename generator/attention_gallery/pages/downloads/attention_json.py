"""`/<model>/<sentence>/attention.json`: the numbers of one model on one sentence, for programs."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np

from attention_gallery.pages.capture_inputs import CAPTURE
from attention_gallery.pages.downloads.download import Download
from attention_gallery.pages.frame import provenance
from attention_gallery.pages.readers.capture_reader import CaptureReader
from attention_gallery.records import Float32, Tokens

_STEPS = 65535
# Half a step, and the rounding of the product that finds it.
_ERROR = 0.00001


def _content(reader: CaptureReader) -> bytes:
    """JSON with tokens, measures, types of heads and all weights in 16 bits, whose error it states.

    Cross attention has `keys`, too, which are the source's tokens, while `tokens` are the target's.
    """
    capture, analysis = reader.capture, reader.analysis
    facts = capture.model.facts
    value = {
        "model": _model(reader),
        "sentence": {"slug": capture.sentence.slug, "text": reader.attention.text},
        "tokens": _tokens(reader.tokens),
        **({} if reader.keys is reader.tokens else {"keys": _tokens(reader.keys)}),
        "metrics": _metrics(reader),
        "head_types": [
            [analysis.type_name(layer, head) for head in range(facts.heads)] for layer in range(facts.layers)
        ],
        "also_types": [
            [next(iter(analysis.type_names(layer, head)[1:]), None) for head in range(facts.heads)]
            for layer in range(facts.layers)
        ],
        "weights": _weights(reader),
    }
    # NaN is no JSON: rather no file than one that other programs refuse.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _model(reader: CaptureReader) -> dict[str, Any]:
    model = reader.capture.model
    return {
        "slug": model.spec.slug,
        "title": model.spec.title,
        "layers": model.facts.layers,
        "heads": model.facts.heads,
        "causal": model.causal,
        "provenance": dict(provenance(reader.capture.provenance)),
    }


def _tokens(tokens: Tokens) -> dict[str, Any]:
    return {
        "ids": tokens.ids.tolist(),
        "texts": tokens.texts,
        "special": tokens.special.tolist(),
        "offsets": None if tokens.offsets is None else tokens.offsets.tolist(),
        "segments": None if tokens.segments is None else tokens.segments.tolist(),
        "segment_names": tokens.segment_names,
        "left_out": tokens.left_out,
        "unread": tokens.unread,
    }


def _metrics(reader: CaptureReader) -> list[dict[str, Any]]:
    return [
        {
            "name": metric.name,
            "unit": metric.unit,
            "definition": metric.definition,
            "values": _rounded(metric.values),
        }
        for metric in reader.analysis.metrics
    ]


def _rounded(values: Float32) -> list[list[float | None]]:
    """Values with six decimals, None where they are undefined."""
    # In double precision, or six decimals of a float32 would be written with sixteen digits.
    rows: list[list[float | None]] = np.round(values.astype(np.float64), 6).tolist()
    for layer, head in np.argwhere(np.isnan(values)).tolist():
        rows[layer][head] = None
    return rows


def _weights(reader: CaptureReader) -> dict[str, Any]:
    layers = (reader.layer(index).weights for index in range(reader.capture.model.facts.layers))
    # Little-endian on every machine, as `encoding` says.
    levels = np.stack([np.rint(weights * float(_STEPS)).astype("<u2") for weights in layers])
    return {
        "axes": ["layer", "head", "query", "key"],
        "shape": levels.shape,
        "encoding": f"base64 of zlib-deflated little-endian uint16; weight = value / {_STEPS}",
        "error_below": round(_ERROR + reader.capture.provenance.storage_error, 8),
        "data": _deflated(levels.tobytes()),
    }


def _deflated(data: bytes) -> str:
    # Without a search for repeats, which these numbers hardly have: a sixth of the time for the same size.
    deflate = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 8, zlib.Z_RLE)
    return base64.b64encode(deflate.compress(data) + deflate.flush()).decode("ascii")


ATTENTION_JSON = Download(
    "attention.json",
    text="Download the weights",
    about="tokens, measures and all weights, for programs",
    scope="capture",
    content=lambda inputs: _content(inputs[CAPTURE]),
    needs=(CAPTURE,),
)
