"""Results in the cache of analyses: one file each, under the digest of all that can change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attention_gallery.analysis.codec import is_named, named
from attention_gallery.errors import DamagedEntry
from attention_gallery.files import write_atomically

Value = TypeVar("Value")


def result_path(cache: Path, name: str) -> Path:
    """Where a result of this name lies in the cache."""
    return cache / name[:2] / name


def write_result(path: Path, data: bytes, source: str = "") -> None:
    """Write a result that was packed, with the name of its file in it, and what it was made from."""
    write_atomically(path, named(data, path.name + source))


def cached_result(
    path: Path,
    load: Callable[[bytes], Value],
    save: Callable[[Value], bytes],
    make: Callable[[], Value],
    keep: bool = True,
    source: str = "",
) -> Value:
    """A result as it was cached, or made and (with `keep`) cached now.

    One that cannot be read, is damaged, was cached under another name, or was made from something else than
    `source`, a digest, is made again.
    """
    try:
        data = path.read_bytes()
        if not is_named(data, path.name + source):
            raise DamagedEntry(f"{path} holds what was cached under another name, or of another capture")
        return load(data)
    except (OSError, DamagedEntry):
        made = make()
        if keep:
            write_result(path, save(made), source)
        return made
