"""What models read besides the sentences of the manifest: captured like those, and without pages.

It shares the store, the batches and the one loading of a model with the sentences. To have models read
something else, add it to `hidden_texts`; `Captures.hidden` then has its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attention_gallery.build.plan.attention_kinds import ShownModel
from attention_gallery.manifest.blocks.lengths import ladder_of
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.records import Given, RepeatedTokens, TextInput

# Names are what people are told instead of the slug of a sentence.
RANDOM_TOKENS = "random tokens, read twice"
_RUNG = "length"


@dataclass(frozen=True, slots=True)
class HiddenText:
    """Something that one model reads. `name` tells it from the others of that model.

    `place` are the keys of the manifest where a problem with it is told.
    """

    name: str
    given: Given
    place: tuple[str | int, ...]


def hidden_texts(settings: GallerySettings, model: ShownModel) -> Iterator[HiddenText]:
    """What a model reads besides the sentences.

    What the decoder of an encoder-decoder reads is an answer to what its encoder read: nothing is tried on
    it.
    """
    if model.kind not in ("self", "encoder"):
        return
    yield from _ladder(settings)
    if settings.analysis.repeated_tokens:
        yield HiddenText(RANDOM_TOKENS, RepeatedTokens(), ("models", model.index, "source"))


def rung_name(index: int) -> str:
    """The name of one of the lengths, counted from 0 for the shortest."""
    return f"{_RUNG} {index + 1}"


def is_rung(name: str) -> bool:
    """Whether this is the name of one of the lengths."""
    return name.startswith(f"{_RUNG} ")


def _ladder(settings: GallerySettings) -> Iterator[HiddenText]:
    ladder = ladder_of(settings)
    if ladder is None:
        return
    key = "text" if ladder.sentence is None else "sentence"
    for index, text in enumerate(ladder.rungs):
        given = TextInput(text=text, truncate=ladder.truncate)
        yield HiddenText(rung_name(index), given, ("lengths", key))
