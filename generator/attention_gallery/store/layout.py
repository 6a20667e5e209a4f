"""Where the arrays of an entry lie in its file: the safetensors format, written as a stream.

A safetensors file is eight bytes with the length of a JSON header (little-endian), the header, and the raw
bytes of all arrays without gaps. All shapes are known before a model runs, so the header can be written
first and the layers after it, one by one.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import ModelFacts, Precision, Tokens
from attention_gallery.store.side_outputs import NO_ROOM, SideOutputShape

NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I32": np.dtype("<i4"),
    "BOOL": np.dtype("bool"),
}
LAYER_TYPES: dict[Precision, str] = {"float16": "F16", "float32": "F32"}
_TYPES = {np.dtype(np.int64): "I64", np.dtype(np.int32): "I32", np.dtype(np.bool_): "BOOL"}
MAX_HEADER = 16 * 1024 * 1024


class ArraySlot(NamedTuple):
    """One array of the file: name, safetensors type, shape, and half-open byte range after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def layer_name(index: int) -> str:
    """The name of a layer's array: `layer.000`."""
    return f"layer.{index:03d}"


@dataclass(frozen=True, eq=False)
class Reading:
    """One reading of a text: the model's facts, the tokens that look, and the keys where these are others.

    `side_outputs` is what will be kept beside the weights, `key_text` the text of `keys`.
    """

    facts: ModelFacts
    tokens: Tokens
    keys: Tokens | None = None
    side_outputs: SideOutputShape = NO_ROOM
    key_text: str = ""

    @property
    def looked_at(self) -> Tokens:
        """The tokens that are looked at."""
        return self.tokens if self.keys is None else self.keys

    @cached_property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays of tokens, under the names of their slots."""
        arrays = token_arrays("tokens", self.tokens)
        return arrays if self.keys is None else arrays | token_arrays("keys", self.keys)


def plan_slots(reading: Reading, precision: Precision) -> tuple[ArraySlot, ...]:
    """All arrays of an entry: widest numbers first, so that each lies aligned, and the layers together."""
    facts = reading.facts
    slots = tuple((name, _TYPES[array.dtype], array.shape) for name, array in reading.arrays.items())
    shape = (facts.heads, len(reading.tokens), len(reading.looked_at))
    return _planned(slots, reading.side_outputs, facts.layers, shape, LAYER_TYPES[precision])


@lru_cache(maxsize=256)  # sentences of a length are kept alike
def _planned(
    arrays: tuple[tuple[str, str, tuple[int, ...]], ...],
    side_outputs: SideOutputShape,
    layers: int,
    shape: tuple[int, int, int],
    kind: str,
) -> tuple[ArraySlot, ...]:
    """`plan_slots` from names, types and shapes alone; `shape` and `kind` are those of each layer."""
    arrays += tuple(side_outputs.slots(layers, shape[0], shape[2]))
    arrays += tuple((layer_name(index), kind, shape) for index in range(layers))
    order = sorted(arrays, key=lambda array: (-NUMPY_TYPES[array[1]].itemsize, array[0].startswith("layer.")))
    slots = []
    start = 0
    for name, dtype, extent in order:
        end = start + NUMPY_TYPES[dtype].itemsize * math.prod(extent)
        slots.append(ArraySlot(name, dtype, extent, start, end))
        start = end
    return tuple(slots)


def token_arrays(prefix: str, tokens: Tokens) -> dict[str, NDArray[Any]]:
    """The arrays of `tokens` under the names of their slots; those that are None are left out.

    Words are not among them, nor what follows from them: a rule can change without another capture.
    """
    arrays: dict[str, NDArray[Any] | None] = {
        f"{prefix}.ids": np.asarray(tokens.ids, np.int64),
        f"{prefix}.offsets": tokens.offsets,
        f"{prefix}.segments": tokens.segments,
        f"{prefix}.special": np.asarray(tokens.special, np.bool_),
        f"{prefix}.splits": tokens.splits,
        f"{prefix}.continues": np.asarray(tokens.continues, np.bool_) if tokens.offsets is None else None,
    }
    return {
        name: array if array.dtype in (np.int64, np.bool_) else np.asarray(array, np.int32)
        for name, array in arrays.items()
        if array is not None
    }


@lru_cache(maxsize=256)
def pack_header(slots: tuple[ArraySlot, ...]) -> bytes:
    """The length and the JSON header, padded with spaces so that the arrays start at a multiple of 8."""
    # Written out, since names and types are our own words: a JSON writer takes longer than the arrays do.
    described = ",".join(
        f'"{slot.name}":{{"dtype":"{slot.dtype}","shape":[{",".join(map(str, slot.shape))}],'
        f'"data_offsets":[{slot.start},{slot.end}]}}'
        for slot in slots
    )
    header = f"{{{described}}}".encode("ascii")
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
