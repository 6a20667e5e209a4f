"""A model's license, read from its files without loading it.

It can change while the weights stay the same, so it is no part of a capture: whoever shows it reads it anew.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from attention_gallery.errors import ModelError
from attention_gallery.files import is_system_trouble, kind_of, why_unreadable
from attention_gallery.models.on_disk.gguf_header import model_entries
from attention_gallery.models.sources.resolved import ResolvedModel
from attention_gallery.user_files import open_user_file

_NAME = re.compile(r"[\w.+-]{1,60}")
_IN_CARD = re.compile(r"^license:[ \t]*['\"]?([\w.+-]{1,60})['\"]?[ \t\r]*$", re.MULTILINE)
# Model files are untrusted: no more of one is looked at than this.
_READ = 1 << 20


def license_of(model: ResolvedModel) -> str | None:
    """The license that a model declares, or None; reads no more than the beginning of one file.

    Raises `ModelError` where the file is there and cannot be read.
    """
    path = license_file(model)
    try:
        if kind_of(path) != "file":
            return None
        with open_user_file(path) as stream:
            beginning = stream.read(_READ)
    except OSError as error:
        reason = f'"{path.name}" of "{model.source}" cannot be read: {why_unreadable(error)}'
        problem = model.problem(reason, "it may tell the license; check its permissions")
        raise ModelError(replace(problem, trouble=is_system_trouble(error))) from None
    return _in_gguf(beginning) if model.weights_format == "gguf" else _in_card(beginning)


def license_file(model: ResolvedModel) -> Path:
    """The file that declares it, which need not exist: the model card, or a GGUF file itself."""
    return model.weights[0] if model.weights_format == "gguf" else model.folder / "README.md"


def _in_card(card: bytes) -> str | None:
    parts = card.decode("utf-8", "replace").split("---", 2)
    license_line = _IN_CARD.search(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    return license_line[1] if license_line else None


def _in_gguf(data: bytes) -> str | None:
    with suppress(ValueError):
        for name, value in model_entries(data):
            if name == "general.license" and isinstance(value, str):
                return value if _NAME.fullmatch(value) else None
    return None
