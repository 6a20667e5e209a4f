"""What models read besides the sentences of the manifest: captured like those, and without pages.

It shares the store, the batches and the one loading of a model with the sentences. To have models read
something else, add it to `auxiliary_inputs`; `Captures.auxiliary` then has its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from attention_gallery.build.plan.attention_kinds import ShownModel
from attention_gallery.manifest.blocks.lengths import length_sweep_of
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.records import Given, RepeatedTokens, TextInput

# Names are what messages say instead of the slug of a sentence.
RANDOM_TOKENS = "random tokens, read twice"
_PREFIX = "length"


@dataclass(frozen=True, slots=True)
class AuxiliaryInput:
    """Something that one model reads. `name` tells it from the others of that model.

    `manifest_path` are the keys of the manifest where a problem with it stands.
    """

    name: str
    model_input: Given
    manifest_path: tuple[str | int, ...]


def auxiliary_inputs(settings: GallerySettings, model: ShownModel) -> Iterator[AuxiliaryInput]:
    """What a model reads besides the sentences.

    What the decoder of an encoder-decoder reads is an answer to what its encoder read: nothing is tried on
    it.
    """
    if model.kind not in ("self", "encoder"):
        return
    yield from _prefixes(settings)
    if settings.analysis.repeated_tokens:
        yield AuxiliaryInput(RANDOM_TOKENS, RepeatedTokens(), ("models", model.index, "source"))


def prefix_name(index: int) -> str:
    """The name of one prefix of the length sweep, counted from 0 for the shortest."""
    return f"{_PREFIX} {index + 1}"


def is_prefix(name: str) -> bool:
    """Whether this is the name of a prefix of the length sweep."""
    return name.startswith(f"{_PREFIX} ")


def _prefixes(settings: GallerySettings) -> Iterator[AuxiliaryInput]:
    sweep = length_sweep_of(settings)
    if sweep is None:
        return
    key = "text" if sweep.sentence is None else "sentence"
    for index, text in enumerate(sweep.prefixes):
        model_input = TextInput(text=text, truncate=sweep.truncate)
        yield AuxiliaryInput(prefix_name(index), model_input, ("lengths", key))
