"""What of a manifest with mistakes can still be looked at, so that those of other files are told with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from attention_gallery.manifest.findings import KeyPath, entries
from attention_gallery.manifest.settings import GallerySettings

# What the manifest lists by slug.
LISTS = ("models", "sentences", "contrasts")
# Without these an item is nothing; what else is wrong in one is left out of it.
_ESSENTIAL = {"models": {"slug", "source"}}
_STAND_INS: dict[str, Any] = {
    "models": {"slug": "stand-in", "title": "?", "source": "./stand-in"},
    "sentences": {"slug": "stand-in", "title": "?", "text": "?"},
}
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Usable:
    """Settings without what is wrong, and for each item of their lists its place in the file."""

    settings: GallerySettings
    indices: Mapping[str, tuple[int, ...]]


def usable(data: Mapping[str, Any], numbers: list[int], wrong: Iterable[KeyPath]) -> Usable | None:
    """What is left of `data` without what stands at the places `wrong`; None where that is nothing.

    `data` has sentences in the place of collections; `numbers` are the items in the file of each of them.
    """
    items: dict[str, list[tuple[int, Any]]] = {}
    for name in LISTS:
        values = entries(data.get(name))
        items[name] = list(zip(numbers if name == "sentences" else range(len(values)), values, strict=False))
    rest = {key: value for key, value in data.items() if key not in LISTS}
    for keys in wrong:
        _drop(items, rest, keys)
    for _ in range(_ATTEMPTS):
        try:
            return _settings(items, rest)
        except ValidationError as error:
            for details in error.errors(include_url=False, include_context=False, include_input=False):
                keys = tuple(details["loc"])
                if len(keys) > 1 and keys[0] in LISTS and isinstance(keys[1], int):
                    left = items[str(keys[0])]
                    keys = (keys[0], left[keys[1]][0] if keys[1] < len(left) else -1)
                _drop(items, rest, keys)
    return None


def _drop(items: dict[str, list[tuple[int, Any]]], rest: dict[str, Any], keys: KeyPath) -> None:
    """Leave out what stands at a place: a field of a model, an item of a list, or a key of the manifest."""
    name = str(keys[0]) if keys else ""
    if name not in LISTS:
        rest.pop(name, None)
        if name == "title":
            rest["title"] = "?"
        return
    if len(keys) < 2:
        items[name] = []
        return
    field = keys[2] if len(keys) > 2 else None
    left = []
    for index, item in items[name]:
        if index != keys[1]:
            left.append((index, item))
        elif name in _ESSENTIAL and field not in {None, *_ESSENTIAL[name]} and isinstance(item, dict):
            left.append((index, {key: value for key, value in item.items() if key != field}))
    items[name] = left


def _settings(items: Mapping[str, list[tuple[int, Any]]], rest: Mapping[str, Any]) -> Usable:
    """Settings of what is left. Raises `ValidationError`."""
    values = {name: tuple(item for _, item in numbered) for name, numbered in items.items() if numbered}
    indices = {name: tuple(index for index, _ in numbered) for name, numbered in items.items()}
    stand_ins = {name: (item,) for name, item in _STAND_INS.items() if not indices[name]}
    settings = GallerySettings.model_validate({"title": "?", **rest, **values, **stand_ins})
    return Usable(settings.model_copy(update=dict.fromkeys(stand_ins, ())), indices)
