"""A model's license, read from its files without loading it.

It can change while the weights stay the same, so it is no part of a capture: whoever shows it reads it anew.
"""

from __future__ import annotations

import re
import struct
from io import BytesIO
from pathlib import Path

from attention_gallery.errors import ModelError
from attention_gallery.files import kind_of, why_unreadable
from attention_gallery.models.resolved import ResolvedModel

_NAME = re.compile(r"[\w.+-]{1,60}")
_IN_CARD = re.compile(r"^license:[ \t]*['\"]?([\w.+-]{1,60})['\"]?[ \t\r]*$", re.MULTILINE)
# Model files are untrusted: no more of one is looked at than this.
_READ = 1 << 20
# https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: sizes of the values of fixed size by type.
_GGUF_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_GGUF_TEXT, _GGUF_LIST = 8, 9


def license_of(model: ResolvedModel) -> str | None:
    """The license that a model declares, or None; reads no more than the beginning of one file.

    Raises `ModelError` where the file is there and cannot be read.
    """
    path = license_file(model)
    try:
        if kind_of(path) != "file":
            return None
        with path.open("rb") as stream:
            beginning = stream.read(_READ)
    except OSError as error:
        reason = f'"{path.name}" of "{model.source}" cannot be read: {why_unreadable(error)}'
        raise ModelError(model.problem(reason, "it may tell the license; check its permissions")) from None
    return _in_gguf(beginning) if model.weights_format == "gguf" else _in_card(beginning)


def license_file(model: ResolvedModel) -> Path:
    """The file that declares it, which need not exist: the model card, or a GGUF file itself."""
    return model.weights[0] if model.weights_format == "gguf" else model.folder / "README.md"


def _in_card(card: bytes) -> str | None:
    parts = card.decode("utf-8", "replace").split("---", 2)
    found = _IN_CARD.search(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    return found[1] if found else None


def _in_gguf(data: bytes) -> str | None:
    try:
        return _gguf_license(BytesIO(data))
    except (ValueError, OverflowError, struct.error):
        return None


def _gguf_license(stream: BytesIO) -> str | None:
    magic, version, _, entries = struct.unpack("<4sIQQ", stream.read(24))
    if magic != b"GGUF" or version < 2:
        return None
    for _ in range(entries):
        name = _text(stream)
        if name.startswith("tokenizer."):
            return None  # what is said of the model as a whole comes before its long vocabulary
        kind = _number(stream, "<I")
        if name == "general.license" and kind == _GGUF_TEXT:
            value = _text(stream)
            return value if _NAME.fullmatch(value) else None
        _skip(stream, kind)
    return None


def _skip(stream: BytesIO, kind: int) -> None:
    """Step over one value. Raises `ValueError` for lists of lists and types that nobody writes."""
    count = 1
    if kind == _GGUF_LIST:
        kind, count = _number(stream, "<I"), _number(stream, "<Q")
    if kind in _GGUF_SIZES:
        stream.seek(_GGUF_SIZES[kind] * count, 1)
    elif kind == _GGUF_TEXT:
        for _ in range(count):
            _text(stream)
    else:
        raise ValueError(kind)


def _text(stream: BytesIO) -> str:
    length = _number(stream, "<Q")
    data = stream.read(length)
    if len(data) < length:
        raise ValueError(length)
    return data.decode("utf-8", "replace")


def _number(stream: BytesIO, form: str) -> int:
    value: int = struct.unpack(form, stream.read(struct.calcsize(form)))[0]
    return value
