"""Contrasts as bytes and back, and the names under which they may be kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import code_digest, pack, unpack
from attention_gallery.analysis.contrast.counterparts import Counterparts
from attention_gallery.analysis.contrast.head_contrast import HeadContrast
from attention_gallery.hashing import digest

_HEADS = b"attention-gallery contrast of heads 2\n"
_COUNTERPARTS = b"attention-gallery counterparts 2\n"
_FACTS = frozenset({"typical", "typical_error", "rows"})
_WHOLE = frozenset({"row", "moved", "cells", "left_nearest", "right_nearest"})


def contrast_key(kind: str, left: str, right: str) -> str:
    """SHA-256 of all that can change a contrast of two captures, given by their keys."""
    return digest({"code": code_digest(), "contrast": [kind, left, right]})


def save_contrast(found: HeadContrast) -> bytes:
    """A contrast of heads as bytes; equal ones give equal bytes."""
    return pack(_HEADS, {}, _arrays(found))


def load_contrast(data: bytes) -> HeadContrast:
    """What `save_contrast` was given. Raises `DamagedEntry` for any other bytes."""
    return HeadContrast(**unpack(_HEADS, data, _types(HeadContrast))[1])


def save_counterparts(found: Counterparts) -> bytes:
    """Counterparts as bytes; equal ones give equal bytes."""
    facts = {name: None if math.isnan(value) else value for name, value in _numbers(found).items()}
    return pack(_COUNTERPARTS, {**facts, "rows": list(found.rows)}, _arrays(found))


def load_counterparts(data: bytes) -> Counterparts:
    """What `save_counterparts` was given. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(_COUNTERPARTS, data, _types(Counterparts))
    rows, every = facts.pop("rows")
    numbers = {name: math.nan if value is None else float(value) for name, value in facts.items()}
    fields: dict[str, Any] = {**arrays, **numbers, "rows": (rows, every)}
    return Counterparts(**fields)


def _numbers(found: Counterparts) -> dict[str, float]:
    return {name: getattr(found, name) for name in ("typical", "typical_error")}


def _types(kind: type[Any]) -> dict[str, str]:
    names = (field.name for field in fields(kind) if field.name not in _FACTS)
    return {name: "<i4" if name in _WHOLE else "<f4" for name in names}


def _arrays(found: HeadContrast | Counterparts) -> Mapping[str, NDArray[Any]]:
    return {
        name: np.asarray(getattr(found, name)).astype(dtype, copy=False)
        for name, dtype in _types(type(found)).items()
    }
