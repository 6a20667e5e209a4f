"""Texts that models read besides the sentences of the manifest: captured like those, and without pages.

They share the store, the batches and the one loading of a model with the sentences. To have models read
something else, add it to `hidden_texts`; `Captures.hidden` then has its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attention_gallery.build.shown import ShownModel
from attention_gallery.manifest.lengths import ladder_of
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.records import TextInput


@dataclass(frozen=True, slots=True)
class HiddenText:
    """One text for one model. `name` tells it from the others of that model.

    `place` are the keys of the manifest that asked for it, where a problem with it is told.
    """

    name: str
    given: TextInput
    place: tuple[str | int, ...]


def hidden_texts(settings: GallerySettings, model: ShownModel) -> Iterator[HiddenText]:
    """What a model reads besides the sentences."""
    yield from _ladder(settings, model)


def rung_name(index: int) -> str:
    """The name of one of the lengths, counted from 0 for the shortest."""
    return f"lengths/{index}"


def _ladder(settings: GallerySettings, model: ShownModel) -> Iterator[HiddenText]:
    ladder = ladder_of(settings)
    if ladder is None or model.kind not in ("self", "encoder"):
        return  # a decoder that reads a target of its own has no length that the text decides
    key = "text" if ladder.sentence is None else "sentence"
    for index, text in enumerate(ladder.rungs):
        given = TextInput(text=text, truncate=ladder.truncate)
        yield HiddenText(rung_name(index), given, ("lengths", key))
