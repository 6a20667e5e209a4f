"""Contrasts as bytes and back, and the names under which they may be kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.contrast.alignment import Frame, frame_of
from attention_gallery.analysis.contrast.counterparts import Counterparts, find_counterparts
from attention_gallery.analysis.contrast.head_contrast import HeadContrast, contrast_heads
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.records import StoredAttention

_HEADS = b"attention-gallery contrast of heads 2\n"
_COUNTERPARTS = b"attention-gallery counterparts 2\n"
_FACTS = frozenset({"typical", "typical_error", "rows"})
_WHOLE = frozenset({"row", "moved", "cells", "left_nearest", "right_nearest"})


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


class ContrastTexts(NamedTuple):
    """What a contrast is about, besides its two captures: texts of the sentences, and whether one model reads
    both."""

    texts: tuple[str, str]
    one_model: bool


def _frame(left: StoredAttention, right: StoredAttention, about: ContrastTexts) -> Frame:
    return frame_of(left, right, about.texts, one_model=about.one_model)


def _head_contrast(left: StoredAttention, right: StoredAttention, about: ContrastTexts) -> HeadContrast:
    return contrast_heads(left, right, _frame(left, right, about))


def _counterparts(left: StoredAttention, right: StoredAttention, about: ContrastTexts) -> Counterparts:
    return find_counterparts(left, right, _frame(left, right, about))


def _subjects(inventory: Inventory) -> Iterator[Subject]:
    for sides in inventory.contrasts:
        keys = [inventory.captures.get(side) for side in sides]
        if None not in keys:
            (left_model, left), (right_model, right) = sides
            texts = inventory.texts[left], inventory.texts[right]
            yield Subject(tuple(map(str, keys)), ContrastTexts(texts, left_model == right_model))


HEAD_CONTRAST = Result(
    name="head contrast",
    needs=("capture",),
    compute=lambda captures, settings, about: _head_contrast(next(captures), next(captures), about),
    dump=save_contrast,
    load=lambda data, about: load_contrast(data),
    subjects=_subjects,
    identify=list,
    libraries=("regex",),
)
COUNTERPARTS = Result(
    name="counterparts",
    needs=("capture",),
    compute=lambda captures, settings, about: _counterparts(next(captures), next(captures), about),
    dump=save_counterparts,
    load=lambda data, about: load_counterparts(data),
    subjects=_subjects,
    identify=list,
    libraries=("regex",),
)
