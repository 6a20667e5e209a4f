"""A `SentenceAnalysis` as bytes and back, and the key under which it may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from attention_gallery.analysis.codec import array_fields, pack, unpack
from attention_gallery.analysis.measures.analyse import analyse
from attention_gallery.analysis.measures.head_types import Thresholds
from attention_gallery.analysis.measures.metrics import BUILT_IN, MeasureSet
from attention_gallery.analysis.measures.sentence_analysis import SentenceAnalysis
from attention_gallery.analysis.result import Result
from attention_gallery.errors import DamagedEntry

MAGIC = b"attention-gallery analysis 5\n"

_PLAIN = ("key", "tokens", "keys", "kind", "window")
_DTYPES = {"values": "<f4", "uniform": "<f4", "queries": "<i4", **array_fields(SentenceAnalysis)}


def save(analysis: SentenceAnalysis) -> bytes:
    """The analysis as bytes; equal analyses give equal bytes."""
    facts = {
        **{name: getattr(analysis, name) for name in _PLAIN},
        "thresholds": asdict(analysis.thresholds),
        "metrics": [metric.name for metric in analysis.metrics],
    }
    stacked = {
        "values": np.stack([metric.values for metric in analysis.metrics]),
        "uniform": np.stack(list(analysis.uniform.values())),
        "queries": np.stack(list(analysis.queries.values())),
    }
    arrays = stacked | {name: getattr(analysis, name) for name in array_fields(SentenceAnalysis)}
    return pack(
        MAGIC, facts, {name: array.astype(_DTYPES[name], copy=False) for name, array in arrays.items()}
    )


def load(data: bytes, measures: MeasureSet = BUILT_IN) -> SentenceAnalysis:
    """The analysis that `save` wrote, made with these measures. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(MAGIC, data, _DTYPES)
    try:
        return _analysis(facts, arrays, measures)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedEntry(f"a cached analysis cannot be read: {error}") from error


def _analysis(facts: Mapping[str, Any], arrays: dict[str, Any], measures: MeasureSet) -> SentenceAnalysis:
    names = facts["metrics"]
    values, uniform, queries = (arrays.pop(name) for name in ("values", "uniform", "queries"))
    return SentenceAnalysis(
        **{name: facts[name] for name in _PLAIN},
        thresholds=Thresholds(**facts["thresholds"]),
        metrics=tuple(
            measures.named(name).describe(row, facts["tokens"])
            for name, row in zip(names, values, strict=True)
        ),
        queries=dict(zip(names, queries, strict=True)),
        uniform=dict(zip(names, uniform, strict=True)),
        **arrays,
    )


ANALYSIS = Result(
    name="analysis",
    needs=("capture",),
    settings=("window", "top_keys"),
    compute=lambda captures, settings, measures: analyse(next(captures), settings, metrics=measures.metrics),
    dump=save,
    load=load,
    subjects=lambda inventory: (
        subject._replace(about=inventory.measures) for subject in inventory.capture_subjects
    ),
    identify=lambda measures: measures.digest,
    optional=False,
)
