"""Facts and arrays as bytes and back, for results that are cached.

The layout: one line of magic, one line with the SHA-256 of all that follows, one line of JSON with the facts
and the names, types and shapes of the arrays, then their bytes in that order, little-endian; a cached file
ends with its name. The same values give the same bytes, and nothing in them is code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.errors import DamagedEntry
from attention_gallery.files import parse_json
from attention_gallery.hashing import canonical_json, digest_bytes

Value = TypeVar("Value")
# How the arrays of `records` are written, by the names of their types.
_DTYPES = {"Float32": "<f4", "Int32": "<i4", "Int8": "|i1"}


def pack(magic: bytes, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of facts (JSON values) and arrays, in the order given."""
    header = {
        "arrays": [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()],
        "facts": facts,
    }
    contents = (np.ascontiguousarray(array).tobytes() for array in arrays.values())
    body = b"".join([canonical_json(header), b"\n", *contents])
    return b"".join([magic, digest_bytes(body).encode(), b"\n", body])


def named(data: bytes, name: str) -> bytes:
    """What `pack` gave, with the name under which it is cached at its end, covered by the checksum."""
    start = data.index(b"\n") + 1
    # After the checksum, which is made anew: a file under the name of another is found out.
    body = b"".join([data[start + 65 :], b"\n", name.encode()])
    return b"".join([data[:start], digest_bytes(body).encode(), b"\n", body])


def is_named(data: bytes, name: str) -> bool:
    """Whether bytes were cached under this name; whether they are whole is found when they are unpacked."""
    return data.endswith(b"\n" + name.encode())


def unpack(
    magic: bytes, data: bytes, dtypes: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `pack` was given. Raises `DamagedEntry` for any other bytes, and for arrays of other types."""
    # 64 digits of the checksum and a line feed.
    start = len(magic) + 65
    if data[: len(magic)] != magic or data[len(magic) : start - 1] != digest_bytes(data[start:]).encode():
        raise DamagedEntry("a cached result does not match its checksum")
    try:
        end = data.index(b"\n", start)
        header = parse_json(data[start:end])
        described = header["arrays"]
        if {name: dtype for name, dtype, _ in described} != dict(dtypes):
            raise ValueError("its arrays are others than expected")
        return header["facts"], _arrays(described, data, end + 1)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedEntry(f"a cached result cannot be read: {error}") from error


def pack_fields(magic: bytes, value: Any) -> bytes:
    """The fields of a dataclass as bytes: its arrays, and all others as facts, NaN as null."""
    dtypes = array_fields(type(value))
    facts = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in dtypes}
    arrays = {name: getattr(value, name).astype(dtype, copy=False) for name, dtype in dtypes.items()}
    # NaN is not equal to itself, and no JSON.
    return pack(magic, {name: fact if fact == fact else None for name, fact in facts.items()}, arrays)


def unpack_fields(magic: bytes, kind: type[Value], data: bytes) -> Value:
    """The dataclass that `pack_fields` was given. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(magic, data, array_fields(kind))
    for name, fact in facts.items():
        facts[name] = math.nan if fact is None else tuple(fact) if isinstance(fact, list) else fact
    try:
        return kind(**facts, **arrays)
    except TypeError as error:
        raise DamagedEntry(f"a cached result cannot be read: {error}") from error


def array_fields(kind: type[Any]) -> dict[str, str]:
    """The fields of a dataclass that are arrays, each with the type of its numbers as bytes."""
    # Annotations are not evaluated, so that a type is its name.
    return {field.name: _DTYPES[str(field.type)] for field in fields(kind) if str(field.type) in _DTYPES}


def _arrays(described: list[tuple[str, str, list[int]]], data: bytes, start: int) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, dtype, shape in described:
        count = math.prod(shape)
        # Views: an array that nobody asks for is never copied.
        arrays[name] = np.frombuffer(data, np.dtype(dtype), count, start).reshape(shape)
        start += arrays[name].nbytes
    return arrays
