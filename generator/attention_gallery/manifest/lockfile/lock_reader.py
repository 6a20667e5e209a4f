"""Read `gallery.lock`; a damaged or hand-edited one is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from attention_gallery.errors import LockError
from attention_gallery.files import cannot_read, kind_of
from attention_gallery.manifest.lockfile.lock_entries import ENVIRONMENT, SCHEMA, Lock, LockedModel
from attention_gallery.manifest.slugs import is_slug
from attention_gallery.manifest.yaml.document import Document, KeyPath, read_document
from attention_gallery.manifest.yaml.nodes import YamlError, split_lines
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.user_files import read_user_file

_MEND = "restore the file, or delete it and run `attention-gallery lock`"
_LARGEST = 8 * 1024 * 1024
_DIGEST = (r"sha256:[0-9a-f]{64}", "`sha256:` and 64 hexadecimal digits")
_TEXT = (r"(?s).+", "a text")
# What each value must look like: a pattern, and the same in words.
_FORMS = {
    "source": _TEXT,
    "revision": _TEXT,
    "commit": (r"[0-9a-f]{40}", "40 hexadecimal digits"),
    "version": _TEXT,
    "format": (r"safetensors|gguf", "`safetensors` or `gguf`"),
    "weights": _DIGEST,
    "tokenizer": _DIGEST,
}
_NEEDED = ("source", "format", "weights", "tokenizer")
# The first has no environments; it is read as it is, and written anew by whoever locks again.
_SCHEMAS = range(1, SCHEMA + 1)
_Finding = tuple[str, KeyPath]


def read_lock(path: Path) -> Lock | None:
    """The lock at `path`, None where there is none. Raises `LockError` with everything that is wrong."""
    try:
        if kind_of(path) == "nothing":
            return None
        data = read_user_file(path, _LARGEST)
    except OSError as error:
        raise LockError(cannot_read("the lock cannot be read", error, _MEND, path)) from None
    document = _document(data, path)
    if isinstance(document.data, dict) and _is_newer(document.data.get("schema")):
        reason = "the lock was written by a newer version of attention-gallery"
        newer = document.position("schema").problem(reason, "upgrade attention-gallery", path)
        raise LockError(replace(newer, column=None))
    problems = list(document.problems)
    problems += (document.position(*keys).problem(reason, "") for reason, keys in _findings(document.data))
    if problems:
        problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        raise LockError(replace(problem, mend=_MEND, file=path) for problem in problems)
    models = {slug: _model(values) for slug, values in document.data["models"].items()}
    return Lock(path, models, document.data.get("exact", False))


def _document(data: bytes, path: Path) -> Document:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LockError(replace(not_utf8(path, data, error), mend=_MEND)) from None
    try:
        return read_document(text)
    except YamlError as error:
        raise LockError(replace(error.problem(split_lines(text)), mend=_MEND, file=path)) from None


def _is_newer(schema: Any) -> bool:
    return isinstance(schema, int) and not isinstance(schema, bool) and schema > SCHEMA


def _findings(data: Any) -> Iterator[_Finding]:
    if not isinstance(data, dict):
        yield "this is not a lock: it has no `schema` and `models`", ()
        return
    yield from (_unknown(key, (key,)) for key in data if key not in ("schema", "exact", "models"))
    schema, models = data.get("schema"), data.get("models")
    if isinstance(schema, bool) or schema not in _SCHEMAS:
        yield f"the lock needs the line `schema: {SCHEMA}`", ("schema",)
    if not isinstance(data.get("exact", False), bool):
        yield "`exact` must be true or false", ("exact",)
    if not isinstance(models, dict):
        yield "the lock needs a block `models:`", ("models",)
        return
    for slug, values in models.items():
        if not is_slug(slug):
            yield f'"{slug}" is not the slug of a model', ("models", slug)
        if isinstance(values, dict):
            yield from _of_model(values, ("models", slug))
        else:
            yield f'the model "{slug}" has no values', ("models", slug)


def _of_model(values: dict[str, Any], keys: KeyPath) -> Iterator[_Finding]:
    for key, value in values.items():
        at = (*keys, key)
        if key == "libraries":
            yield from _of_libraries(value, at)
        elif key == "environment":
            yield from _of_environment(value, at)
        elif key not in _FORMS:
            yield _unknown(key, at)
        elif not isinstance(value, str) or not re.fullmatch(_FORMS[key][0], value):
            yield f"`{key}` must be {_FORMS[key][1]}", at
    yield from ((f'the model "{keys[-1]}" has no `{key}`', keys) for key in _NEEDED if key not in values)


def _of_libraries(value: Any, keys: KeyPath) -> Iterator[_Finding]:
    if not isinstance(value, dict) or not all(isinstance(version, str) for version in value.values()):
        yield "`libraries` must be a block of names and versions", keys


def _of_environment(value: Any, keys: KeyPath) -> Iterator[_Finding]:
    if not isinstance(value, dict):
        yield "`environment` must be a block of names and values", keys
        return
    for name, setting in value.items():
        kind, expected = (int, "a whole number") if name == "threads" else (str, "a text")
        if name not in ENVIRONMENT:
            yield _unknown(name, (*keys, name))
        elif not isinstance(setting, kind) or isinstance(setting, bool):
            yield f"`{name}` must be {expected}", (*keys, name)


def _unknown(key: str, keys: KeyPath) -> _Finding:
    return f'unknown key "{key}"', keys


def _model(values: dict[str, Any]) -> LockedModel:
    digests = {name: values[name].removeprefix("sha256:") for name in ("weights", "tokenizer")}
    return LockedModel(**{**values, **digests})
