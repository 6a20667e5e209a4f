"""File names that are different on one file system and the same on another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator


def same_elsewhere(name: str) -> str:
    """One spelling for all names that some file system takes for the same.

    Those of macOS and Windows see no difference between capital and small letters, and macOS none between a
    letter with its mark (é) and the two one after the other. As Linux folds names: canonical caseless match,
    Unicode 3.13, D145.
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFC", folded)


def twins(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of paths of which one would overwrite the other on some file system, in the order of `names`.

    `names` are paths of files with "/". Two files are twins, and a file and a folder that holds another one;
    two folders are not, as they are merged.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in dict.fromkeys(names):
        plain = same_elsewhere(name)
        other = files.get(plain) or folders.get(plain)
        if other is not None:
            yield other, name
            continue
        files[plain] = name
        end = plain.rfind("/")
        while end > 0 and plain[:end] not in folders:
            if plain[:end] in files:
                yield files[plain[:end]], name
                break
            folders[plain[:end]] = name
            end = plain.rfind("/", 0, end)


def told_apart(other: str, name: str) -> str:
    """Why `name` cannot stand beside `other`."""
    how = "capital and small letters" if other.casefold() == name.casefold() else "how Unicode spells them"
    return (
        f'"{other}" and "{name}" differ only in {how}: '
        "macOS and Windows keep one of them, and so may the server of the site"
    )
