"""What of a manifest with mistakes can still be looked at, so that those of other files are told with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from attention_gallery.manifest.blocks.relations import Place
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
    kept: Mapping[str, tuple[int, ...]]


def usable(data: Mapping[str, Any], places: list[int], wrong: Iterable[Place]) -> Usable | None:
    """What is left of `data` without what stands at the places `wrong`; None where that is nothing.

    `data` has sentences in the place of collections; `places` are the items in the file of each of them.
    """
    items: dict[str, list[tuple[int, Any]]] = {}
    for name in LISTS:
        values = data.get(name)
        values = values if isinstance(values, tuple) else ()
        items[name] = list(zip(places if name == "sentences" else range(len(values)), values, strict=False))
    rest = {key: value for key, value in data.items() if key not in LISTS}
    for place in wrong:
        _drop(items, rest, place)
    for _ in range(_ATTEMPTS):
        try:
            return _settings(items, rest)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False):
                place = tuple(one["loc"])
                if len(place) > 1 and place[0] in LISTS and isinstance(place[1], int):
                    kept = items[str(place[0])]
                    place = (place[0], kept[place[1]][0] if place[1] < len(kept) else -1)
                _drop(items, rest, place)
    return None


def _drop(items: dict[str, list[tuple[int, Any]]], rest: dict[str, Any], place: Place) -> None:
    """Leave out what stands at a place: a field of a model, an item of a list, or a key of the manifest."""
    name = str(place[0]) if place else ""
    if name not in LISTS:
        rest.pop(name, None)
        if name == "title":
            rest["title"] = "?"
        return
    if len(place) < 2:
        items[name] = []
        return
    field = place[2] if len(place) > 2 else None
    kept = []
    for index, item in items[name]:
        if index != place[1]:
            kept.append((index, item))
        elif name in _ESSENTIAL and field not in {None, *_ESSENTIAL[name]} and isinstance(item, dict):
            kept.append((index, {key: value for key, value in item.items() if key != field}))
    items[name] = kept


def _settings(items: Mapping[str, list[tuple[int, Any]]], rest: Mapping[str, Any]) -> Usable:
    """Settings of what is left. Raises `ValidationError`."""
    values = {name: tuple(item for _, item in kept) for name, kept in items.items() if kept}
    kept = {name: tuple(index for index, _ in kept) for name, kept in items.items()}
    stand_ins = {name: (item,) for name, item in _STAND_INS.items() if not kept[name]}
    settings = GallerySettings.model_validate({"title": "?", **rest, **values, **stand_ins})
    return Usable(settings.model_copy(update=dict.fromkeys(stand_ins, ())), kept)
