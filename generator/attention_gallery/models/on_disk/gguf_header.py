"""The head of a GGUF file, read without loading it: what it says of itself, and how long it must be.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Files are untrusted: whatever stands in
one, reading ends soon, and takes no more memory than the names of its tensors.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from mmap import mmap
from typing import Any

# How the `struct` module calls the values of fixed size, by type.
_FIXED = {**dict(enumerate("BbHhIif?")), 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
_ALIGNMENT = 32
# More than any model has: entries, texts of all lists together, tensors, dimensions of one tensor.
_MOST_ENTRIES, _MOST_TEXTS, _MOST_TENSORS, _MOST_DIMENSIONS = 100_000, 8_000_000, 1_000_000, 8

Value = str | int | float | bool | None


class CutOffError(ValueError):
    """The bytes end before the head does."""


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a GGUF file says of itself.

    metadata: by key, None for lists. size: how many bytes the whole file has at least, padding after the last
    tensor left out; None where it has a tensor of a type that the gguf library does not know.
    """

    metadata: dict[str, Value]
    size: int | None


def is_gguf(data: bytes | mmap) -> bool:
    """Whether bytes begin as a GGUF file does."""
    return data[:4] == b"GGUF"


def other_byte_order(data: bytes | mmap) -> bool:
    """Whether a GGUF file was written for machines whose numbers begin with the largest byte."""
    return int.from_bytes(data[4:8], "little") > 0xFFFF


def model_entries(data: bytes | mmap) -> Iterator[tuple[str, Value]]:
    """The metadata of a little-endian GGUF file from version 2 on, in order, before its long vocabulary.

    The values of lists are None. Raises `CutOffError` where the bytes end too early, and `ValueError` for
    bytes that are not such a file.
    """
    return takewhile(lambda entry: not entry[0].startswith("tokenizer."), _entries(_Cursor(data)))


def read_head(data: bytes | mmap) -> GgufHead:
    """The whole head. Raises what `model_entries` raises."""
    from gguf.constants import GGML_QUANT_SIZES

    cursor = _Cursor(data)
    metadata = dict(_entries(cursor))
    alignment = metadata.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise ValueError("the alignment is no size")
    ends = [_tensor_end(cursor, GGML_QUANT_SIZES) for _ in range(cursor.tensors)]
    begin = math.ceil(cursor.at / alignment) * alignment
    known = [begin + end for end in ends if end is not None]
    return GgufHead(metadata, max(known, default=cursor.at) if len(known) == len(ends) else None)


class _Cursor:
    """A place in bytes that are read one value after the other."""

    def __init__(self, data: bytes | mmap) -> None:
        self.data = data
        self.at = 0
        self.texts = 0
        self.tensors = 0

    def number(self, form: str) -> int | float:
        first = self.skip(struct.calcsize(f"<{form}"))
        value: int | float = struct.unpack_from(f"<{form}", self.data, first)[0]
        return value

    def count(self, form: str = "Q", most: int | None = None) -> int:
        value = int(self.number(form))
        if most is not None and value > most:
            raise ValueError(f"it counts {value} of what no model has so many of")
        return value

    def text(self) -> str:
        first = self.skip(self.count())
        return self.data[first : self.at].decode("utf-8", "replace")

    def skip(self, size: int) -> int:
        """Pass over so many bytes; where they begin."""
        self.at += size
        if self.at > len(self.data):
            raise CutOffError("the head is cut off")
        return self.at - size


def _entries(cursor: _Cursor) -> Iterator[tuple[str, Value]]:
    if cursor.data[:4] != b"GGUF"[: len(cursor.data)]:
        raise ValueError("it is no GGUF file")
    cursor.skip(4)
    version = cursor.count("I")
    if version < 2 or other_byte_order(cursor.data):
        raise ValueError("it is of a kind that is no longer written")
    cursor.tensors = cursor.count(most=_MOST_TENSORS)
    for _ in range(cursor.count(most=_MOST_ENTRIES)):
        yield cursor.text(), _value(cursor, cursor.count("I"))


def _value(cursor: _Cursor, kind: int) -> Value:
    if kind == _TEXT:
        return cursor.text()
    if kind in _FIXED:
        return cursor.number(_FIXED[kind])
    if kind != _LIST:
        raise ValueError(f"there is no type of values {kind}")
    kind, count = cursor.count("I"), cursor.count()
    if kind in _FIXED:
        cursor.skip(struct.calcsize(f"<{_FIXED[kind]}") * count)
    elif kind == _TEXT:
        cursor.texts += count
        if cursor.texts > _MOST_TEXTS:
            raise ValueError(f"a list of {count} texts is longer than any vocabulary")
        for _ in range(count):
            cursor.skip(cursor.count())
    else:
        raise ValueError(f"nobody writes lists of values of type {kind}")
    return None


def _tensor_end(cursor: _Cursor, sizes: Mapping[Any, tuple[int, int]]) -> int | None:
    """Where the bytes of the next tensor end, counted from the first tensor; None for an unknown type.

    `sizes` tells how many weights of each type are written together, and in how many bytes.
    """
    cursor.text()
    dimensions = cursor.count("I", _MOST_DIMENSIONS)
    elements = math.prod(cursor.count() for _ in range(dimensions))
    kind, offset = cursor.count("I"), cursor.count()
    if kind not in sizes:
        return None
    together, size = sizes[kind]
    return offset + elements // together * size
