"""Read `gallery.yaml`: text, YAML, defaults, settings, checks; every mistake is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.check import check
from attention_gallery.manifest.defaults import with_defaults
from attention_gallery.manifest.document import Document, Position, read_document
from attention_gallery.manifest.explain import explain
from attention_gallery.manifest.nodes import YamlError, split_lines
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.manifest.textfile import not_utf8

LARGEST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """The settings of a gallery and the file they come from.

    `path` is absolute, `root` is its folder. `kept` gives, for filtered "models" and "sentences",
    the place in the file of each one that is left.
    """

    path: Path
    root: Path
    settings: GallerySettings
    document: Document = field(repr=False, compare=False)
    kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def where(self, *keys: str | int) -> Position:
        """The place of a value, such as `where("sentences", 3, "text")`, or else of its nearest parent."""
        if len(keys) > 1 and keys[0] in self.kept and isinstance(keys[1], int):
            keys = (keys[0], self.kept[str(keys[0])][keys[1]], *keys[2:])
        return self.document.position(*keys)

    def problem(self, reason: str, mend: str, *keys: str | int) -> Problem:
        """A problem at the place of `keys`."""
        place = self.where(*keys)
        return Problem(reason, mend, self.path, place.line, place.column, place.quote)


def load_manifest(path: Path) -> Manifest:
    """The manifest at `path`. Raises `ManifestError` with everything that is wrong with it."""
    path = path.absolute()
    text = _read(path)
    try:
        document = read_document(text)
    except YamlError as problem:
        raise ManifestError(_placed(problem.problem(), path, split_lines(text))) from None
    if document.data is None or document.data == {}:
        mend = "begin with `title:`, `models:` and `sentences:`"
        raise ManifestError(Problem("the manifest is empty", mend, path))
    if not isinstance(document.data, dict):
        reason = "the manifest must be a block of `key: value` lines"
        place = document.position()
        mend = "begin with `title:`, `models:` and `sentences:`"
        raise ManifestError(Problem(reason, mend, path, place.line, place.column, place.quote))
    settings, problems = _validate(document, path)
    if problems or settings is None:
        raise ManifestError(sorted((_placed(one, path, document.lines) for one in problems), key=_order))
    return Manifest(path, path.parent, settings, document)


def _validate(document: Document, path: Path) -> tuple[GallerySettings | None, list[Problem]]:
    problems = list(document.problems)
    data, origins = with_defaults(document.data)
    settings = None
    errors: list[Any] = []
    try:
        settings = GallerySettings.model_validate(data)
    except ValidationError as error:
        errors = list(error.errors(include_url=False, include_context=True))
    problems += explain(errors, document)
    problems += check(data, origins, document, path)
    return settings, problems


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        mend = "name the manifest, or make a new gallery with `attention-gallery init`"
        raise ManifestError(Problem("there is no such file", mend, path)) from None
    except IsADirectoryError:
        raise ManifestError(
            Problem("this is a folder", f"did you mean {path / 'gallery.yaml'}?", path)
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ManifestError(Problem(f"the manifest cannot be read: {reason}", "", path)) from None
    if len(data) > LARGEST:
        raise ManifestError(
            Problem("the manifest is larger than 32 MB", "texts are read from it whole", path)
        )
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ManifestError(not_utf8(path, data, error)) from None


def _placed(problem: Problem, path: Path, lines: list[str]) -> Problem:
    quote = problem.quote
    if quote is None and problem.line is not None and problem.line <= len(lines):
        quote = lines[problem.line - 1]
    return Problem(problem.reason, problem.mend, path, problem.line, problem.column, quote)


def _order(problem: Problem) -> tuple[int, int, str]:
    return problem.line or 0, problem.column or 0, problem.reason
