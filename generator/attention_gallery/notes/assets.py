"""Files beside the notes: pictures and data that the site copies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.errors import NoteError, Problem
from attention_gallery.twins import told_apart, twins
from attention_gallery.user_files import LARGEST_ASSET, UnusableFileError, check_user_file

SAFE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".pdf", ".csv", ".json", ".txt"}
)
_ACTIVE = frozenset({".svg", ".html", ".htm", ".xhtml", ".xml", ".js", ".mjs", ".css", ".wasm", ".swf"})
_LITTER = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class ContentFile:
    """A file of the content folder: `name` is its path there with `/`, `path` is absolute."""

    name: str
    path: Path


def content_assets(folder: Path) -> tuple[ContentFile, ...]:
    """The files that are not notes, sorted by name. A missing folder has none.

    Raises `NoteError` for symbolic links that lead out of the folder, for types that can carry scripts, for
    what is no plain file or too large, and for names that are the same on other file systems.
    """
    problems: list[Problem] = []
    present = {file.name: file for file in walk(folder, problems)}
    for other, name in twins(present):
        problems.append(Problem(told_apart(other, name), "rename one of them", present[name].path))
    found = [file for file in present.values() if not file.name.endswith(".md")]
    for file in found:
        suffix = file.path.suffix.lower()
        if suffix in SAFE_SUFFIXES:
            continue
        reason = f'files of type "{suffix or "none"}" are not copied to the site'
        if suffix in _ACTIVE:
            reason = f'files of type "{suffix}" can carry scripts, so they are not copied to the site'
        mend = f"use one of {', '.join(sorted(SAFE_SUFFIXES))}, or move it out of the content folder"
        if file.path.suffix == ".MD" or suffix in (".markdown", ".mdown"):
            reason, mend = "a note's name ends in .md", "rename it"
        problems.append(Problem(reason, mend, file.path))
    if problems:
        raise NoteError(problems)
    return tuple(found)


def walk(folder: Path, problems: list[Problem]) -> Iterator[ContentFile]:
    """All files of the content folder, sorted by name, without hidden files and what editors leave behind.

    Links out of the folder, linked folders, and names that are not UTF-8 are added to `problems`.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        if folder.exists():
            problems.append(Problem("the content folder is a file", "make it a folder", folder))
        return
    real = folder.resolve()
    files = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in sorted(folders) if not name.startswith(".")]
        for name in folders:
            if Path(here, name).is_symlink():
                mend = "copy the folder, or link its files one by one"
                problems.append(
                    Problem("folders in the content folder cannot be links", mend, Path(here, name))
                )
        files += [Path(here, name) for name in names if not _litter(name)]
    for path in sorted(files, key=lambda path: path.relative_to(folder).parts):
        name = path.relative_to(folder).as_posix()
        if (wrong := _wrong(path, name, real)) is not None:
            problems.append(wrong)
        else:
            yield ContentFile(name, path)


def _litter(name: str) -> bool:
    return name.startswith((".", "#")) or name.endswith(("~", ".swp", ".tmp")) or name.lower() in _LITTER


def _wrong(path: Path, name: str, real: Path) -> Problem | None:
    if any(ord(mark) < 32 or 0xD800 <= ord(mark) <= 0xDFFF or mark in '\x7f\\:*?"<>|' for mark in name):
        safe = path.with_name(ascii(path.name).strip("'"))
        return Problem("the file's name has a character that addresses cannot hold", "rename it", safe)
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return Problem("the link leads nowhere", "remove it", path)
    if not target.is_relative_to(real):
        return Problem("the link leads out of the content folder", "copy the file", path)
    try:
        check_user_file(path, LARGEST_ASSET)
    except UnusableFileError as error:
        return error.problems[0]
    except OSError as error:
        return Problem(f"the file cannot be read: {error.strerror}", "remove it", path)
    return None
