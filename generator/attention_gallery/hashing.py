"""Digests that depend on content alone: same value, same digest, on every machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from attention_gallery.user_files import open_user_file


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces, so that equal values give equal bytes.

    Raises `TypeError` for values that JSON does not have and `ValueError` for NaN or infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a plain file's bytes, read in pieces, 64 hexadecimal digits.

    Raises `OSError`; for a pipe or device, which could go on for ever, `UnusableFileError`.
    """
    with open_user_file(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
