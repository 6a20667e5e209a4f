"""Contrasts as results: of the same heads, and of the heads that are most alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from attention_gallery.analysis.codec import pack_fields, unpack_fields
from attention_gallery.analysis.contrast.alignment import Frame, frame_of
from attention_gallery.analysis.contrast.counterparts import Counterparts, find_counterparts
from attention_gallery.analysis.contrast.head_contrast import HeadContrast, contrast_heads
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.records import StoredAttention

_HEADS = b"attention-gallery contrast of heads 2\n"
_COUNTERPARTS = b"attention-gallery counterparts 2\n"


class ContrastTexts(NamedTuple):
    """What a contrast is about, besides its two captures: texts of the sentences, and whether one model reads
    both."""

    texts: tuple[str, str]
    one_model: bool


def _contrasted(
    captures: Iterator[StoredAttention], about: ContrastTexts
) -> tuple[StoredAttention, StoredAttention, Frame]:
    """Both captures, and the rows and columns that they are compared on."""
    left, right = captures
    return left, right, frame_of(left, right, about.texts, one_model=about.one_model)


def _subjects(inventory: Inventory) -> Iterator[Subject]:
    for sides in inventory.contrasts:
        keys = [inventory.captures.get(side) for side in sides]
        if None not in keys:
            (left_model, left), (right_model, right) = sides
            texts = inventory.texts[left], inventory.texts[right]
            yield Subject(tuple(map(str, keys)), ContrastTexts(texts, left_model == right_model))


HEAD_CONTRAST: Result[HeadContrast] = Result(
    name="head contrast",
    needs=("capture",),
    compute=lambda captures, settings, about: contrast_heads(*_contrasted(captures, about)),
    dump=partial(pack_fields, _HEADS),
    load=lambda data, about: unpack_fields(_HEADS, HeadContrast, data),
    subjects=_subjects,
    identify=list,
    libraries=("regex",),
)
COUNTERPARTS: Result[Counterparts] = Result(
    name="counterparts",
    needs=("capture",),
    compute=lambda captures, settings, about: find_counterparts(*_contrasted(captures, about)),
    dump=partial(pack_fields, _COUNTERPARTS),
    load=lambda data, about: unpack_fields(_COUNTERPARTS, Counterparts, data),
    subjects=_subjects,
    identify=list,
    libraries=("regex",),
)
