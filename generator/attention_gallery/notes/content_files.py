"""Files beside the notes: pictures and data that the site copies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.errors import NoteError, Problem
from attention_gallery.files import cannot_read, is_system_trouble, kind_of, why_unreadable
from attention_gallery.twins import told_apart, twins
from attention_gallery.user_files import LARGEST_ASSET, UnusableFileError, check_user_file

SAFE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".pdf", ".csv", ".json", ".txt"}
)
_ACTIVE = frozenset({".svg", ".html", ".htm", ".xhtml", ".xml", ".js", ".mjs", ".css", ".wasm", ".swf"})
# What systems, network disks and editors leave behind, in small letters.
_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"})
_LITTER_ENDS = ("~", ".swp", ".swo", ".tmp", "@synoresource", "@synoeastream")
_LITTER_FOLDERS = frozenset(
    {"#recycle", "#snapshot", "$recycle.bin", "@eadir", "@recently-snapshot", "@recycle"}
    | {"__macosx", "lost+found", "system volume information"}
)


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
    assets = [file for file in present.values() if not file.name.endswith(".md")]
    for file in assets:
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
    return tuple(assets)


def walk(folder: Path, problems: list[Problem]) -> Iterator[ContentFile]:
    """All files of the content folder, sorted by name, without hidden ones and what systems leave behind.

    Links out of the folder, linked folders, and names that are not UTF-8 are added to `problems`.
    """
    folder = folder.absolute()
    if not _is_folder(folder, problems):
        return
    real = folder.resolve()
    files = []

    def unreadable(error: OSError) -> None:
        mend = "check who owns the folder and its permissions"
        here = _safe(Path(os.fsdecode(error.filename or folder)))
        problems.append(cannot_read("the folder cannot be read", error, mend, here))

    for here, folders, names in os.walk(folder, onerror=unreadable):
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


def _is_folder(folder: Path, problems: list[Problem]) -> bool:
    """Whether there is a content folder; something else in its place is a problem."""
    try:
        kind = kind_of(folder)
    except OSError as error:
        mend = "make it a folder that can be read"
        problems.append(cannot_read("the content folder cannot be read", error, mend, folder))
        return False
    if kind not in ("nothing", "folder"):
        problems.append(Problem("the content folder is a file", "make it a folder", folder))
    return kind == "folder"


def _litter(name: str) -> bool:
    low = name.lower()
    between = low.startswith("#") and low.endswith("#")  # what Emacs saves by itself
    return low.startswith((".", "~$")) or between or low.endswith(_LITTER_ENDS) or low in _LITTER


def _litter_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER_FOLDERS


def _wrong(path: Path, name: str, real: Path) -> Problem | None:
    if any(ord(mark) < 32 or 0xD800 <= ord(mark) <= 0xDFFF or mark in '\x7f\\:*?"<>|' for mark in name):
        reason = "the file's name has a character that addresses cannot hold"
        return Problem(reason, "rename it", _safe(path))
    try:
        kind_of(path)
        target = path.resolve(strict=True)
    except OSError as error:
        mend = "remove it" if path.is_symlink() else "check who owns the file and its permissions"
        return Problem(why_unreadable(error), mend, path, trouble=is_system_trouble(error))
    if not target.is_relative_to(real):
        return Problem("the link leads out of the content folder", "copy the file", path)
    try:
        check_user_file(path, LARGEST_ASSET)
        with path.open("rb"):
            return None
    except UnusableFileError as error:
        return error.problems[0]
    except OSError as error:
        mend = "check who owns the file and its permissions"
        return cannot_read("the file cannot be read", error, mend, path)


def _safe(path: Path) -> Path:
    """A path that can be printed."""
    return Path(ascii(str(path)).strip("'")) if any(map(_is_byte, str(path))) else path


def _is_byte(mark: str) -> bool:
    """Whether a character stands for a byte that is no text, or would move the cursor."""
    return ord(mark) < 32 or 0xD800 <= ord(mark) <= 0xDFFF
