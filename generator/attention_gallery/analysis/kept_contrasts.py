"""Contrasts as bytes and back, and the names under which they may be kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.contrast import HeadContrast
from attention_gallery.analysis.counterparts import Counterparts
from attention_gallery.analysis.kept import code_digest, pack, unpack
from attention_gallery.hashing import digest, digest_file
from attention_gallery.manifest import words

_HEADS = b"attention-gallery contrast of heads 1\n"
_COUNTERPARTS = b"attention-gallery counterparts 1\n"
_WHOLE = frozenset({"row", "moved", "cells", "left_nearest", "right_nearest"})


def contrast_key(kind: str, left: str, right: str) -> str:
    """SHA-256 of all that can change a contrast of two captures, given by their keys."""
    return digest({"code": [code_digest(), _words_digest()], "contrast": [kind, left, right]})


@lru_cache(maxsize=1)
def _words_digest() -> str:
    """Digest of the code that tells words apart, which lies in another room."""
    return digest_file(Path(words.__file__))


def save_contrast(found: HeadContrast) -> bytes:
    """A contrast of heads as bytes; equal ones give equal bytes."""
    return pack(_HEADS, {}, _arrays(found))


def load_contrast(data: bytes) -> HeadContrast:
    """What `save_contrast` was given. Raises `DamagedEntry` for any other bytes."""
    return HeadContrast(**unpack(_HEADS, data, _types(HeadContrast))[1])


def save_counterparts(found: Counterparts) -> bytes:
    """Counterparts as bytes; equal ones give equal bytes."""
    typical = None if math.isnan(found.typical) else found.typical
    return pack(_COUNTERPARTS, {"typical": typical}, _arrays(found))


def load_counterparts(data: bytes) -> Counterparts:
    """What `save_counterparts` was given. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(_COUNTERPARTS, data, _types(Counterparts))
    typical = facts["typical"]
    return Counterparts(**arrays, typical=math.nan if typical is None else float(typical))


def _types(kind: type[Any]) -> dict[str, str]:
    names = (field.name for field in fields(kind) if field.name != "typical")
    return {name: "<i4" if name in _WHOLE else "<f4" for name in names}


def _arrays(found: HeadContrast | Counterparts) -> Mapping[str, NDArray[Any]]:
    return {
        name: np.asarray(getattr(found, name)).astype(dtype, copy=False)
        for name, dtype in _types(type(found)).items()
    }
