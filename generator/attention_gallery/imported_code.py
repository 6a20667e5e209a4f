"""All of the package's own code that a module runs with, as one digest: what it imports, however far off.

A list by hand of the files that matter would forget one; imports are written in the files themselves. Parent
packages of a module are left out, since they lend it nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from attention_gallery.hashing import digest, digest_bytes
from attention_gallery.installed import PACKAGE

_NAME = PACKAGE.name
# Imports in functions count like those at the top. Reading these lines takes a tenth of the time of parsing.
_FROM = re.compile(rf"^\s*from ({_NAME}[\w.]*) import (?:\(([^)]*)\)|(.*))", re.M)
_PLAIN = re.compile(rf"^\s*import ({_NAME}[\w.]*)", re.M)
_WORD = re.compile(r"(\w+)(?:\s+as\s+\w+)?\s*(?:,|$)")


@lru_cache(maxsize=64)
def code_digest(module: str) -> str:
    """SHA-256 of the file of a module, given by its full name, and of those of this package that it needs."""
    return digest([[_title(path), _read(path).digest] for path in code_files(module)])


def code_files(module: str) -> list[Path]:
    """These files, sorted. Raises `ValueError` for a module that there is not."""
    first = file_of(module) or _foreign(module)
    if first is None:
        raise ValueError(f"there is no module {module}")
    files, waiting = {first}, [first]
    while waiting:
        imported = _read(waiting.pop()).imported - files
        files |= imported
        waiting += imported
    return sorted(files)


class _File(NamedTuple):
    """What is taken from one file: the digest of its bytes, and the files of the package that it imports."""

    digest: str
    imported: frozenset[Path]


@cache
def _read(path: Path) -> _File:
    """Read one file: once, although most modules share most of what they run with."""
    content = path.read_bytes()
    return _File(digest_bytes(content), frozenset(_imported(content.decode("utf-8"))))


def file_of(module: str) -> Path | None:
    """Where a module of the package lies; None for others, and for names in a module."""
    top, *inner = module.split(".")
    if top != _NAME:
        return None
    place = PACKAGE.joinpath(*inner)
    files = (place / "__init__.py", place.with_suffix(".py") if inner else place)
    return next((path for path in files if path.is_file()), None)


def _foreign(module: str) -> Path | None:
    """The file of a module that another package, or a project, brings along."""
    spec = find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _title(path: Path) -> str:
    """What a file is called, wherever the package lies."""
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name


def _imported(source: str) -> Iterator[Path]:
    for module in _PLAIN.findall(source):
        path = file_of(module)
        if path is not None:
            yield path
    for module, several, single in _FROM.findall(source):
        names = _WORD.findall(re.sub(r"#.*", "", several or single).replace("\n", " ").strip())
        inner = [file_of(f"{module}.{name}") for name in names]
        yield from (path for path in inner if path is not None)
        path = file_of(module)
        # A package is read only for names of its own.
        if path is not None and None in inner:
            yield path
