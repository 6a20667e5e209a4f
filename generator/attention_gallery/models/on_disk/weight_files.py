"""What is wrong with a file of weights, as its first bytes and its length tell; torch is not needed for it.

Files are untrusted and can be many gigabytes: no more than the head of one is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from attention_gallery.errors import Problem
from attention_gallery.files import cannot_read, parse_json
from attention_gallery.models.on_disk.gguf_header import (
    CutOffError,
    GgufHead,
    is_gguf,
    other_byte_order,
    read_head,
)
from attention_gallery.models.sources.resolved import ResolvedModel, files
from attention_gallery.user_files import LARGEST_VOCABULARY, read_user_file

# The longest header that the safetensors library reads.
_LONGEST_HEADER = 100_000_000
_BEGINNING = 512
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf")
_AGAIN = "download it again"
_POINTERS = (
    (b"version https://git-lfs.", "Git LFS", "`git lfs pull`"),
    (b"/annex/objects/", "git-annex", "`git annex get .`"),
)
# What stands under the name of weights although it is something else, by its first bytes.
_DISGUISES = (
    (b"PK\x03\x04", "a zip archive, as PyTorch writes for pickled weights"),
    (b"\x80", "pickled weights"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x89HDF", "an HDF5 file"),
)


def inspect_weights(path: Path) -> Problem | None:
    """What is wrong with a file that a model is loaded from: reason and mend, without a place.

    Any file may be a pointer of Git LFS, empty, or no file at all. Safetensors and GGUF files, told by their
    names, may be cut off, damaged, or one part of a split model. None where nothing is seen from its head.
    """
    try:
        return no_file(path) or _inspected(path)
    except OSError as error:
        return cannot_read(f'the file "{path.name}" cannot be read', error, "check its permissions")


def inspect_model(model: ResolvedModel) -> tuple[Problem, ...]:
    """What is wrong with any file of a model, at the place where the model is named."""
    inspected = (inspect_weights(path) for path in files(model))
    summary = f'the model "{model.source}" cannot be loaded'
    return tuple(
        replace(model.problem(f"{summary}: {problem.reason}", problem.mend), trouble=problem.trouble)
        for problem in inspected
        if problem is not None
    )


def count_tensors(model: ResolvedModel) -> int:
    """How many tensors the files of a model hold, which `inspect_model` found whole."""
    from safetensors import safe_open

    count = 0
    for path in model.weights:
        if path.suffix == ".gguf":
            with path.open("rb") as stream:
                count += int.from_bytes(stream.read(16)[8:], "little")
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="np") as weights:
                count += len(weights.keys())
    return count


def pointer_to(beginning: bytes) -> Problem | None:
    """The problem of a file that only points to the true one, as Git LFS and git-annex leave them.

    Reason and mend go on after the name of the file: `… is a pointer of Git LFS`.
    """
    for sign, tool, command in _POINTERS:
        if beginning.startswith(sign):
            mend = f"run {command} in its folder, or download the file itself"
            return Problem(f"is a pointer of {tool}, not the file itself", mend)
    return None


def no_file(path: Path) -> Problem | None:
    """What stands at a path instead of a file: a folder, a pipe, a link to nowhere. Raises `OSError`."""
    if path.is_symlink() and not path.exists():
        return Problem(f'the file "{path.name}" is a link to a file that does not exist', _AGAIN)
    mode = path.stat().st_mode
    if S_ISREG(mode):
        return None
    what = "a folder" if S_ISDIR(mode) else "a device or a pipe"
    return Problem(f'"{path.name}" is {what}, not a file', "put the file itself there")


def _inspected(path: Path) -> Problem | None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    if not beginning:
        return Problem(f'the file "{path.name}" is empty', _AGAIN)
    if pointer := pointer_to(beginning):
        return Problem(f'the file "{path.name}" {pointer.reason}', pointer.mend)
    if path.suffix == ".json":
        return _no_json(path)
    if path.suffix not in (".safetensors", ".gguf"):
        return None
    if beginning.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        mend = "download the file itself, not the page that shows it"
        return Problem(f'the file "{path.name}" is a web page, not weights', mend)
    return _gguf(path, size) if path.suffix == ".gguf" else _safetensors(path, size, beginning)


def _safetensors(path: Path, size: int, beginning: bytes) -> Problem | None:
    name = path.name
    if is_gguf(beginning):
        mend = "give it the ending .gguf, and name the file itself as the source"
        return Problem(f'the file "{name}" is a GGUF file, not safetensors', mend)
    length = int.from_bytes(beginning[:8], "little")
    if size > 8 and (length > _LONGEST_HEADER or beginning[8:9] != b"{"):
        other = next((what for sign, what in _DISGUISES if beginning.startswith(sign)), "")
        reason = f'the file "{name}" is not safetensors' + (f" but {other}" if other else "")
        return Problem(reason, "save the model as safetensors (`save_pretrained`), or download it again")
    if size < 8 + length:
        return _cut_off(name, size, None)
    with path.open("rb") as stream:
        header = stream.read(8 + length)[8:]
    whole = 8 + length + _end_of_tensors(header)
    if size < whole:
        return _cut_off(name, size, whole)
    return _damaged(path)


def _no_json(path: Path) -> Problem | None:
    try:
        parse_json(read_user_file(path, LARGEST_VOCABULARY))
    except ValueError as error:
        return Problem(f'the file "{path.name}" is no JSON ({error})', _AGAIN)
    return None


def _end_of_tensors(header: bytes) -> int:
    """Where the last tensor of a safetensors header ends; 0 where the header does not tell."""
    try:
        tensors: Any = parse_json(header)
        ends = [
            value["data_offsets"][1]
            for name, value in tensors.items()
            if name != "__metadata__" and isinstance(value["data_offsets"][1], int)
        ]
    except (ValueError, AttributeError, LookupError, TypeError):
        return 0
    return max(ends, default=0)


def _damaged(path: Path) -> Problem | None:
    """Whatever else the safetensors library finds wrong; it reads the header only."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"):
            return None
    except SafetensorError as error:
        message = " ".join(str(error).split())[:200]
        return Problem(f'the file "{path.name}" is damaged: {message}', _AGAIN)


def _gguf(path: Path, size: int) -> Problem | None:
    name = path.name
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
        if not is_gguf(data):
            return Problem(f'the file "{name}" is not GGUF: it does not begin with these letters', _AGAIN)
        if other_byte_order(data):
            return None  # the libraries can read it, we cannot
        try:
            head = read_head(data)
        except CutOffError:
            return _part_by_name(path) or _cut_off(name, size, None)
        except ValueError as error:
            return Problem(f'the head of the file "{name}" cannot be read: {error}', _AGAIN)
    return next(_wrong_with_head(path, head, size), None)


def _wrong_with_head(path: Path, head: GgufHead, size: int) -> Iterator[Problem]:
    parts, number = head.metadata.get("split.count"), head.metadata.get("split.no")
    if isinstance(parts, int) and parts > 1:
        yield _part(path, int(number) + 1 if isinstance(number, int | float) else None, parts)
    if head.size is not None and size < head.size:
        yield _cut_off(path.name, size, head.size)
    if not isinstance(head.metadata.get("general.architecture"), str):
        mend = "name the file that holds the model itself"
        yield Problem(f'the file "{path.name}" does not say which model it holds', mend)


def _part_by_name(path: Path) -> Problem | None:
    name = _PART.search(path.name)
    return _part(path, int(name[1]), int(name[2])) if name and int(name[2]) > 1 else None


def _part(path: Path, number: int | None, count: int) -> Problem:
    which = f"part {number} of {count}" if number is not None else f"one of {count} parts"
    first = _PART.sub(f"-00001-of-{count:05}.gguf", path.name)
    whole = _PART.sub(".gguf", path.name) if _PART.search(path.name) else "whole.gguf"
    mend = (
        f"join the parts with llama.cpp, `llama-gguf-split --merge {first} {whole}`, and name the file that "
    )
    return Problem(f'the file "{path.name}" is {which} of a split model', f"{mend}it writes")


def _cut_off(name: str, size: int, whole: int | None) -> Problem:
    known = (
        f"it has {size:,} of {whole:,} bytes" if whole else f"it ends within its head, after {size:,} bytes"
    )
    return Problem(f'the file "{name}" is cut off: {known}', _AGAIN)
