"""Read `gallery.yaml`: text, YAML, defaults, settings, checks; every mistake is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.files import cannot_read
from attention_gallery.manifest.blocks.annotations import check_annotations
from attention_gallery.manifest.blocks.contrasts import check_names
from attention_gallery.manifest.blocks.lengths import check_lengths
from attention_gallery.manifest.blocks.treebanks import Origin, check_collected, read_collections
from attention_gallery.manifest.consistency import check
from attention_gallery.manifest.defaults import with_defaults
from attention_gallery.manifest.explain import explain
from attention_gallery.manifest.findings import placed
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.manifest.slugs import slugs_of
from attention_gallery.manifest.usable import usable
from attention_gallery.manifest.yaml.document import Document, Position, read_document
from attention_gallery.manifest.yaml.nodes import YamlError, split_lines
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.user_files import read_user_file

LARGEST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """The settings of a gallery and the file they come from.

    `path` is absolute, `root` is its folder. `indices` gives, for filtered "models", "sentences"
    and "contrasts", the place in the file of each one that is left; sentences of a treebank share that of
    their collection.
    `origins` tells by slug where in a treebank such a sentence stands, `files` are the treebanks.
    """

    path: Path
    root: Path
    settings: GallerySettings
    document: Document = field(repr=False, compare=False)
    indices: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False, compare=False)
    files: tuple[Path, ...] = field(default=(), repr=False, compare=False)

    def where(self, *keys: str | int) -> Position:
        """The place of a value, such as `where("sentences", 3, "text")`, or else of its nearest parent."""
        if len(keys) > 1 and keys[0] in self.indices and isinstance(keys[1], int):
            keys = (keys[0], self.indices[str(keys[0])][keys[1]], *keys[2:])
        return self.document.position(*keys)

    def problem(self, reason: str, mend: str, *keys: str | int) -> Problem:
        """A problem at the place of `keys`, for a sentence of a treebank there."""
        if len(keys) > 2 and keys[0] == "sentences" and isinstance(keys[1], int):
            origin = self.origins.get(self.settings.sentences[keys[1]].slug)
            if origin is not None:
                return Problem(reason, mend, origin.file, origin.line, quote=origin.quote)
        return self.where(*keys).problem(reason, mend, self.path)


@dataclass(frozen=True, slots=True)
class ManifestReading:
    """What of a manifest can be used, and everything that is wrong with it.

    `manifest` is None where there is nothing to use; with `problems` it lacks what they are about. `names`
    are the slugs of all its "models", "sentences" and "contrasts", None where some cannot be told.
    `left_out` are the keys of the manifest whose values cannot be used.
    """

    manifest: Manifest | None
    problems: tuple[Problem, ...] = ()
    names: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()


def load_manifest(path: Path) -> Manifest:
    """The manifest at `path`. Raises `ManifestError` with everything that is wrong with it."""
    reading = read_manifest(path)
    if reading.problems or reading.manifest is None:
        raise ManifestError(reading.problems)
    return reading.manifest


def read_manifest(path: Path) -> ManifestReading:
    """The manifest at `path`, as far as it can be used, and everything that is wrong with it."""
    path = path.absolute()
    try:
        document = _document(path)
    except ManifestError as error:
        return ManifestReading(None, error.problems)
    data, origins = with_defaults(document.data)
    if isinstance(data.get("analysis"), tuple):  # measures alone, without the name of their list
        data["analysis"] = {"measures": data["analysis"]}
        document.move(("analysis",), ("analysis", "measures"))
    collections = read_collections(data, document, path.parent)
    merged, items = collections.merged(data)
    settings, errors = _validate(merged, items)
    findings = [*check(data, origins, document, path), *check_names(merged)]
    if settings is not None:
        named = slugs_of(merged, "sentences") is not None
        findings += [*check_lengths(settings, named), *check_annotations(settings, items)]
    problems = [*explain(errors, document), *document.problems, *collections.problems]
    problems += [*check_collected(collections, data, document), *placed(findings, document)]
    wrong = [*(tuple(error["loc"]) for error in errors), *(keys for _, _, keys in findings)]
    indices: Mapping[str, tuple[int, ...]] = {"sentences": tuple(items)} if collections.files else {}
    if problems or settings is None:
        rest = usable(merged, items, wrong)
        settings, indices = (None, indices) if rest is None else (rest.settings, rest.indices)
    files = tuple(collections.files)
    manifest = None
    if settings is not None:
        manifest = Manifest(path, path.parent, settings, document, indices, collections.origins, files)
    names = {name: slugs_of(merged, name) for name in ("models", "sentences", "contrasts")}
    if collections.problems:
        names["sentences"] = None
    in_files = (replace(problem, file=problem.file or path) for problem in problems)
    left_out = frozenset(str(keys[0]) for keys in wrong if len(keys) > 0)
    return ManifestReading(manifest, tuple(sorted(in_files, key=_order)), names, left_out)


def _document(path: Path) -> Document:
    """A manifest that is a block of keys. Raises `ManifestError`."""
    text = _read(path)
    try:
        document = read_document(text)
    except YamlError as error:
        raise ManifestError(replace(error.problem(split_lines(text)), file=path)) from None
    mend = "begin with `title:`, `models:` and `sentences:`"
    if document.data is None or document.data == {}:
        raise ManifestError(Problem("the manifest is empty", mend, path))
    if not isinstance(document.data, dict):
        reason = "the manifest must be a block of `key: value` lines"
        raise ManifestError(document.position().problem(reason, mend, path))
    return document


def _validate(data: dict[str, Any], items: list[int]) -> tuple[GallerySettings | None, list[Any]]:
    """The settings, or what pydantic says against them; `items` are the items of the file by sentence."""
    try:
        return GallerySettings.model_validate(data), []
    except ValidationError as error:
        errors: list[Any] = list(error.errors(include_url=False, include_context=True))
    for details in errors:
        loc = details["loc"]
        if len(loc) > 1 and loc[0] == "sentences" and isinstance(loc[1], int):
            details["loc"] = ("sentences", items[loc[1]], *loc[2:])
    return None, errors


def _read(path: Path) -> str:
    try:
        data = read_user_file(path, LARGEST)
    except FileNotFoundError:
        mend = "name the manifest, or make a new gallery with `attention-gallery init`"
        raise ManifestError(Problem("there is no such file", mend, path)) from None
    except IsADirectoryError:
        mend = f"did you mean {path / 'gallery.yaml'}?"
        raise ManifestError(Problem("this is a folder", mend, path)) from None
    except OSError as error:
        mend = "put a text file there"
        raise ManifestError(cannot_read("the manifest cannot be read", error, mend, path)) from None
    except ValueError as error:
        mend = "put a text file there"
        raise ManifestError(Problem(f"the manifest cannot be read: {error}", mend, path)) from None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ManifestError(not_utf8(path, data, error)) from None


def _order(problem: Problem) -> tuple[str, int, int, str]:
    return str(problem.file), problem.line or 0, problem.column or 0, problem.reason
