"""What a site is made from, as files and folders: the one list that says whether a site is out of date.

A build that has nothing to do imports this: at the top stands nothing more than it needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attention_gallery.build.look.libraries import library_files
from attention_gallery.installed import PACKAGE, PACKAGED_THEMES
from attention_gallery.manifest.lockfile.lock_entries import lock_path
from attention_gallery.project_files import THEMES

if TYPE_CHECKING:
    from attention_gallery.build.plan.annotate import Annotated
    from attention_gallery.build.plan.captures import Captures
    from attention_gallery.build.project import Project


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files, folders with all they hold, and folders of which the names count."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    listed: tuple[str, ...] = ()

    def names(self) -> set[str]:
        """Every file of it, also those that do not exist. Raises `OSError` for an unreadable folder."""
        return {*self.files, *_files_in(self.folders)}

    def holders(self) -> Iterator[str]:
        """Every folder of it. Raises `OSError`."""
        yield from (base for folder in self.folders for base, _ in _walk(folder))
        yield from self.listed

    def listings(self) -> dict[str, list[str]]:
        """The names in the folders of which only these count. Raises `OSError`."""
        return {folder: sorted(os.listdir(folder)) for folder in self.listed}


def inputs_of(manifest: Path, project: Project, captures: Captures, annotated: Annotated) -> Inputs:
    """The inputs of one project: manifest, lock and themes, and what the manifest leads to."""
    from attention_gallery.models import files as model_files
    from attention_gallery.models import license_file
    from attention_gallery.models.on_disk.noticed import branch_folders, package_files

    models = [model for model, _ in captures.models]
    files = (
        *map(str, (manifest, lock_path(manifest), *project.manifest.files)),
        *(str(path) for model in models for path in (*model_files(model), license_file(model))),
        *(name for model in models for name in package_files(model)),
        *project.measures.files,
        *annotated.files,
    )
    branches = (str(folder) for model in models for folder in branch_folders(model))
    folders = (str(manifest.parent / THEMES), str(project.content), *branches)
    # A file that comes into the folder of a model may count.
    listed = dict.fromkeys(str(model.folder) for model in models if model.config is not None)
    return Inputs(files, folders, tuple(listed))


def generator_files() -> set[str]:
    """The files of the generator itself: its code, the themes that it brings, libraries. Raises `OSError`."""
    return {*library_files(), *_files_in((str(PACKAGE), str(PACKAGED_THEMES[1])))}


def _files_in(folders: tuple[str, ...]) -> Iterator[str]:
    return (name for folder in folders for _, names in _walk(folder) for name in names)


def _walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Each folder below one, itself among them, with its files; nothing where there is none."""
    if not os.path.lexists(folder):
        return

    def fail(error: OSError) -> None:
        """Raise what `os.walk` would pass over."""
        raise error

    for base, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield base, [f"{base}/{name}" for name in names]
