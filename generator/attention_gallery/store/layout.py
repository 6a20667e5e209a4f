"""Where the arrays of an entry lie in its file: the safetensors format, written as a stream.

A safetensors file is eight bytes with the length of a JSON header (little-endian), the header, and the raw
bytes of all arrays without gaps. All shapes are known before a model runs, so the header can be written
first and the layers after it, one by one.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Tokens

NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "BOOL": np.dtype("bool"),
}
MAX_HEADER = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArraySlot:
    """One array of the file: name, safetensors type, shape, and half-open byte range after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def layer_name(index: int) -> str:
    """The name of a layer's array: `layer.000`."""
    return f"layer.{index:03d}"


def plan_slots(tokens: Tokens, layers: int, heads: int) -> tuple[ArraySlot, ...]:
    """All arrays of an entry, in file order: widest numbers first, so that each array lies aligned."""
    count = len(tokens)
    wanted: list[tuple[str, str, tuple[int, ...]]] = [("tokens.ids", "I64", (count,))]
    wanted += [(layer_name(index), "F32", (heads, count, count)) for index in range(layers)]
    if tokens.offsets is not None:
        wanted.append(("tokens.offsets", "I32", (count, 2)))
    if tokens.words is not None:
        wanted.append(("tokens.words", "I32", (count,)))
    wanted += [("tokens.special", "BOOL", (count,)), ("tokens.continues", "BOOL", (count,))]
    slots = []
    start = 0
    for name, dtype, shape in wanted:
        end = start + NUMPY_TYPES[dtype].itemsize * int(np.prod(shape, dtype=np.int64))
        slots.append(ArraySlot(name, dtype, shape, start, end))
        start = end
    return tuple(slots)


def token_arrays(tokens: Tokens) -> dict[str, NDArray[Any]]:
    """The arrays of `tokens` under the names of their slots; those that are None are left out."""
    arrays: dict[str, NDArray[Any] | None] = {
        "tokens.ids": tokens.ids,
        "tokens.offsets": tokens.offsets,
        "tokens.words": tokens.words,
        "tokens.special": tokens.special,
        "tokens.continues": tokens.continues,
    }
    return {name: array for name, array in arrays.items() if array is not None}


def pack_header(slots: tuple[ArraySlot, ...]) -> bytes:
    """The length and the JSON header, padded with spaces so that the arrays start at a multiple of 8."""
    described = {
        slot.name: {"dtype": slot.dtype, "shape": list(slot.shape), "data_offsets": [slot.start, slot.end]}
        for slot in slots
    }
    header = json.dumps(described, separators=(",", ":")).encode("ascii")
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header


def unpack_header(head: bytes) -> int:
    """The byte at which the arrays start, from the first eight bytes. Raises `ValueError` when absurd."""
    if len(head) != 8:
        raise ValueError("the file is shorter than its header")
    (length,) = struct.unpack("<Q", head)
    if not 0 < length <= MAX_HEADER:
        raise ValueError(f"the header claims {length} bytes")
    return 8 + int(length)
