"""Files beside the notes: pictures and data that the site copies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.errors import NoteError, Problem

SAFE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".pdf", ".csv", ".json", ".txt"}
)
_ACTIVE = frozenset({".svg", ".html", ".htm", ".xhtml", ".xml", ".js", ".mjs", ".css", ".wasm", ".swf"})
# What systems, network disks and editors leave behind, in small letters.
_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"})
_LITTER_ENDS = ("~", ".swp", ".swo", ".tmp", "@synoresource", "@synoeastream")
_LITTER_FOLDERS = frozenset(
    {
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "@eadir",
        "@recently-snapshot",
        "@recycle",
        "__macosx",
        "lost+found",
        "system volume information",
    }
)


@dataclass(frozen=True, slots=True)
class ContentFile:
    """A file of the content folder: `name` is its path there with `/`, `path` is absolute."""

    name: str
    path: Path


def content_assets(folder: Path) -> tuple[ContentFile, ...]:
    """The files that are not notes, sorted by name. A missing folder has none.

    Raises `NoteError` for symbolic links that lead out of the folder and for types that can carry scripts.
    """
    problems: list[Problem] = []
    found = [file for file in walk(folder, problems) if not file.name.endswith(".md")]
    for file in found:
        suffix = file.path.suffix.lower()
        if suffix in SAFE_SUFFIXES and not file.name.lower().endswith((".md.txt", ".markdown.txt")):
            continue
        reason = f'files of type "{suffix}" are not copied to the site'
        if suffix in _ACTIVE:
            reason = f'files of type "{suffix}" can carry scripts, so they are not copied to the site'
        mend = f"use one of {', '.join(sorted(SAFE_SUFFIXES))}, or move it out of the content folder"
        if file.path.suffix == ".MD" or suffix in (".markdown", ".mdown"):
            reason, mend = "a note's name ends in .md", "rename it"
        elif file.name.lower().endswith((".md.txt", ".markdown.txt")):
            reason, mend = "a note's name ends in .md", "rename it: it ends in .txt too"
        elif not suffix:
            reason = "a file without an ending is neither a note nor copied to the site"
            mend = f"name a note `{file.path.name}.md`; {mend.replace('use', 'for other files use')}"
        problems.append(Problem(reason, mend, file.path))
    if problems:
        raise NoteError(problems)
    return tuple(found)


def walk(folder: Path, problems: list[Problem]) -> Iterator[ContentFile]:
    """All files of the content folder, sorted by name, without hidden ones and what systems leave behind.

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
        folders[:] = [name for name in sorted(folders) if not _litter_folder(name)]
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
    low = name.lower()
    between = low.startswith("#") and low.endswith("#")  # what Emacs saves by itself
    return low.startswith((".", "~$")) or between or low.endswith(_LITTER_ENDS) or low in _LITTER


def _litter_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER_FOLDERS


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
    if not target.is_file():
        return Problem("this is not a plain file", "remove it", path)
    return None
