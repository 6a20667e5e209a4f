"""That the files of a model are plain ones of a size that can be read, before any library opens them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attention_gallery.errors import ModelError
from attention_gallery.models.on_disk import file_names
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.user_files import (
    LARGEST_SETTINGS,
    LARGEST_VOCABULARY,
    MB,
    UnusableFileError,
    check_user_file,
)

_CHAT_TEMPLATES = "additional_chat_templates"
_READ = frozenset({".json", ".txt", ".py", ".md", ".model", ".codes", ".spm", ".tokenizer"})


def check_files(path: Path, problem: ProblemMaker) -> None:
    """Check every file of a model's folder, or the one file that a model is; folders in it are passed over.

    Weights may have any size. Raises `ModelError` for pipes, devices and sockets, and for what is too large.
    """
    for file in _files(path):
        try:
            check_user_file(file, _largest(file))
        except UnusableFileError as error:
            reason = f"the model's file {file} cannot be read: {error.strerror}"
            raise ModelError(problem(reason, error.problems[0].mend)) from None
        except OSError:
            continue  # a link that leads nowhere counts as no file; what may not be read is told when it is


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    templates = path / _CHAT_TEMPLATES
    for folder in (path, *((templates,) if templates.is_dir() else ())):
        yield from sorted(folder.iterdir())


def _largest(file: Path) -> int | None:
    if file.suffix == ".jinja":
        return 1 * MB
    if file.name in file_names.VOCABULARIES:
        return LARGEST_VOCABULARY
    return LARGEST_SETTINGS if file.suffix in _READ else None
