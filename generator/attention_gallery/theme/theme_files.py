"""The files in the folders of a theme: which there are, and which cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from attention_gallery.errors import Problem, ThemeError
from attention_gallery.files import Kind, cannot_read, kind_of, walk_files
from attention_gallery.twins import told_apart, twins
from attention_gallery.user_files import MB, UnusableFileError, check_user_file

# In bytes: of one template or theme.yaml, which are read whole, and of one style, script, font or picture.
LARGEST_TEMPLATE = 2 * MB
LARGEST_FILE = 64 * MB


def kind_in_theme(path: Path) -> Kind:
    """As `kind_of`. Raises `ThemeError`."""
    try:
        return kind_of(path)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> ThemeError:
    """The error for a file or folder of a theme that the system does not let be read."""
    mend = "check who owns it and its permissions, or remove it"
    return ThemeError(cannot_read(f'"{path.name}" cannot be read', error, mend, path))


def files_of(folder: Path) -> Iterator[str]:
    """The files of a theme's folder, without hidden ones and what editors leave behind."""
    try:
        for name in walk_files(folder):
            if not any(segment.startswith(".") for segment in name.split("/")) and not name.endswith("~"):
                yield name
    except OSError as error:
        raise unreadable(Path(os.fsdecode(error.filename or folder)), error) from None


def _check_file(path: Path, folder: Path) -> None:
    if path.is_symlink():
        refuse_outside(path, folder)
        if path.is_dir() or not path.exists():
            mend = "copy the folder, or link its files one by one" if path.is_dir() else "remove it"
            raise ThemeError(Problem("a link in a theme must lead to a file of that theme", mend, path))
    whole = path.suffix in (".html", ".svg", ".yaml")
    try:
        check_user_file(path, LARGEST_TEMPLATE if whole else LARGEST_FILE)
        # Permissions are asked of the system: what the mode says is not all.
        with path.open("rb"):
            pass
    except UnusableFileError as error:
        raise ThemeError(error.problems) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _twins(present: Mapping[str, Path]) -> list[Problem]:
    """Problems with files, of a theme or of it and a parent, that are one and the same on other systems."""
    return [
        Problem(told_apart(other, name), "give both the same name, or others", present[name])
        for other, name in twins(present)
    ]


def refuse_outside(path: Path, folder: Path) -> None:
    """Raise `ThemeError` for a file that lies elsewhere, by whatever links."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ThemeError(Problem(f'the file "{path.name}" leads out of the theme', "copy it there", path))


def inspect_files(folders: list[Path], unusable: set[Path]) -> tuple[list[Problem], bool]:
    """What is wrong with the files of a theme, and whether each folder tells its files.

    Adds to the files that are `unusable`, whose problems are told already.
    """
    problems: list[Problem] = []
    listable = True
    present: dict[str, Path] = {}
    for folder in folders:
        try:
            for file in files_of(folder):
                present[file] = folder / file
                if folder / file not in unusable and (wrong := refusal_of(folder / file, folder)):
                    problems += wrong
                    unusable.add(folder / file)
        except ThemeError as error:  # of a folder: what it has is not known
            problems += error.problems
            listable = False
    return [*problems, *_twins(present)], listable


def refusal_of(path: Path, folder: Path) -> list[Problem]:
    """Why a file of a theme in `folder` cannot be used, nothing where it can."""
    try:
        _check_file(path, folder)
    except ThemeError as error:
        return list(error.problems)
    return []
