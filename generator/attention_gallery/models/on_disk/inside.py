"""What a folder that should be a model holds: a tokenizer, or models in folders of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attention_gallery.files import parse_json
from attention_gallery.models.on_disk import file_names as known
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

TOKENIZER_CONFIG = "tokenizer_config.json"
# The list of parts that sentence-transformers writes; in its old layout each has a folder, `0_Transformer`.
_PARTS = "modules.json"
# How deep below a folder models are looked for, and in how many; snapshots in a hub cache are two deep.
_DEEPEST, _MOST = 3, 200


def has_tokenizer(folder: Path, entries: frozenset[str]) -> bool:
    """Whether a folder with these entries holds a tokenizer: a vocabulary, or one that needs none."""
    if entries & known.VOCABULARIES:
        return True
    if TOKENIZER_CONFIG not in entries:
        return False
    named = json_object(folder / TOKENIZER_CONFIG).get("tokenizer_class")
    return isinstance(named, str) and named.removesuffix("Fast") in known.WITHOUT_VOCABULARY


def folders_of_models(folder: Path) -> list[str]:
    """The folders inside that hold a transformer, as paths relative to `folder`, the likeliest first."""
    first = _PARTS in {path.name for path in folder.iterdir()} and _first_part(folder)
    folders = [path.relative_to(folder).as_posix() for path in _below(folder) if _is_model(path)]
    return [first] if first and first in folders else sorted(folders)


def _first_part(folder: Path) -> str:
    try:
        parts = parse_json(read_user_file(folder / _PARTS, LARGEST_SETTINGS))
        return str(parts[0]["path"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _below(folder: Path) -> Iterator[Path]:
    """The folders inside, nearest first."""
    level = [folder]
    seen = 0
    for _ in range(_DEEPEST):
        inside = [path for parent in level for path in _folders_in(parent)]
        yield from inside[: _MOST - seen]
        seen += len(inside)
        if seen >= _MOST:
            return
        level = inside


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _is_model(folder: Path) -> bool:
    return isinstance(json_object(folder / known.CONFIG).get("model_type"), str)


def json_object(path: Path) -> dict[str, Any]:
    """What a file of settings says; nothing where it cannot be read, or is no JSON object."""
    try:
        value = parse_json(read_user_file(path, LARGEST_SETTINGS))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
