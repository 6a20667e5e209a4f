"""A `SentenceAnalysis` as bytes and back, and the key under which it may be kept.

The layout: one line of magic, one line with the SHA-256 of all that follows, one line of JSON that
names the arrays with their types and shapes, then their bytes in that order, little-endian. The same
analysis gives the same bytes, and nothing in them is code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.head_types import Thresholds
from attention_gallery.analysis.metrics import metric_named
from attention_gallery.analysis.relations import GoldSentence
from attention_gallery.analysis.sentence import SentenceAnalysis
from attention_gallery.errors import DamagedEntry
from attention_gallery.hashing import canonical_json, digest, digest_bytes, digest_file
from attention_gallery.manifest.settings import AnalysisSettings

_CODE = Path(__file__).parent
MAGIC = b"attention-gallery analysis 2\n"

DTYPES = {
    "values": "<f4",
    "types": "|i1",
    "top_keys": "<i4",
    "top_weights": "<f4",
    "top_content_keys": "<i4",
    "top_content_weights": "<f4",
    "standouts_q": "<i4",
    "standouts_k": "<i4",
    "standouts_w": "<f4",
    "far_q": "<i4",
    "far_k": "<i4",
    "far_w": "<f4",
    "overall_average": "<f4",
}


def analysis_key(capture_key: str, settings: AnalysisSettings, thresholds: Thresholds | None = None) -> str:
    """SHA-256 of all that can change an analysis: the capture, the settings and the code that measures."""
    return digest(
        {
            "code": _code(),
            "capture": capture_key,
            "settings": settings.model_dump(mode="json"),
            "thresholds": asdict(thresholds or Thresholds()),
        }
    )


def looks_key(capture_key: str, gold: GoldSentence) -> str:
    """SHA-256 of all that can change what heads look at: the capture, the words and phrases, and the code.

    Which relations hold between them changes nothing.
    """
    return digest({"code": _code(), "capture": capture_key, "words": gold.words, "units": gold.units})


@lru_cache(maxsize=1)
def _code() -> str:
    # Of the files themselves, because a version that people raise by hand can be forgotten.
    return digest([[path.name, digest_file(path)] for path in sorted(_CODE.glob("*.py"))])


def save(analysis: SentenceAnalysis) -> bytes:
    """The analysis as bytes; equal analyses give equal bytes."""
    arrays = _arrays(analysis)
    header = {
        "arrays": [[name, list(array.shape)] for name, array in arrays.items()],
        "facts": {
            "key": analysis.key,
            "tokens": analysis.tokens,
            "keys": analysis.keys,
            "kind": analysis.kind,
            "window": analysis.window,
            "thresholds": asdict(analysis.thresholds),
            "metrics": [metric.name for metric in analysis.metrics],
            "uniform": {name: None if math.isnan(v) else v for name, v in analysis.uniform.items()},
        },
    }
    body = b"".join([canonical_json(header), b"\n", *(array.tobytes() for array in arrays.values())])
    return b"".join([MAGIC, digest_bytes(body).encode(), b"\n", body])


def load(data: bytes) -> SentenceAnalysis:
    """The analysis that `save` wrote. Raises `DamagedEntry` for any other bytes."""
    start = len(MAGIC) + 65
    if data[: len(MAGIC)] != MAGIC or data[len(MAGIC) : start - 1] != digest_bytes(data[start:]).encode():
        raise DamagedEntry("a kept analysis does not match its checksum")
    try:
        end = data.index(b"\n", start)
        header = json.loads(data[start:end])
        return _analysis(header["facts"], _read_arrays(header["arrays"], data, end + 1))
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedEntry(f"a kept analysis cannot be read: {error}") from error


def _arrays(analysis: SentenceAnalysis) -> dict[str, NDArray[Any]]:
    values = np.stack([metric.values for metric in analysis.metrics])
    named = {"values": values, **{name: getattr(analysis, name) for name in DTYPES if name != "values"}}
    return {name: np.ascontiguousarray(array, dtype=DTYPES[name]) for name, array in named.items()}


def _read_arrays(shapes: list[tuple[str, list[int]]], data: bytes, start: int) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, shape in shapes:
        dtype = np.dtype(DTYPES[name])
        count = math.prod(shape)
        arrays[name] = np.frombuffer(data, dtype, count, start).reshape(shape)
        start += count * dtype.itemsize
    return arrays


def _analysis(facts: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> SentenceAnalysis:
    values = arrays.pop("values")
    return SentenceAnalysis(
        key=facts["key"],
        tokens=facts["tokens"],
        keys=facts["keys"],
        kind=facts["kind"],
        window=facts["window"],
        thresholds=Thresholds(**facts["thresholds"]),
        metrics=tuple(
            metric_named(name).describe(row, facts["tokens"])
            for name, row in zip(facts["metrics"], values, strict=True)
        ),
        # JSON sorts its keys; the order of the measures is the registry's.
        uniform={
            name: math.nan if facts["uniform"][name] is None else facts["uniform"][name]
            for name in facts["metrics"]
        },
        **arrays,
    )
