"""Results in the cache of analyses: one file each, under the digest of all that can change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attention_gallery.errors import DamagedEntry
from attention_gallery.files import write_atomically

Result = TypeVar("Result")


def path_in(cache: Path, name: str) -> Path:
    """Where a result is kept."""
    return cache / name[:2] / name


def kept_file(
    path: Path,
    load: Callable[[bytes], Result],
    save: Callable[[Result], bytes],
    make: Callable[[], Result],
    keep: bool = True,
) -> Result:
    """A result as it was kept, or made and (with `keep`) kept now; a damaged one is made again."""
    try:
        return load(path.read_bytes())
    except (FileNotFoundError, DamagedEntry):
        made = make()
        if keep:
            write_atomically(path, save(made))
        return made
