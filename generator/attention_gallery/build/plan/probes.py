"""The probes of a gallery's models: over all sentences that each reads, with pages or without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from attention_gallery.analysis import gold_of
from attention_gallery.build.execute.cached_data import CachedData
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.records import StoredAttention


@dataclass(frozen=True, slots=True)
class Reader:
    """A model that reads the sentences themselves.

    `causal`: whether no word sees those after it. `opens`: whether it begins with the first word of the text,
    and not with a special token.
    """

    slug: str
    causal: bool
    opens: bool

    @classmethod
    def from_capture(cls, slug: str, entry: StoredAttention) -> Reader:
        """What one of its captures tells of a model."""
        opens = len(entry.tokens) > 0 and not bool(entry.tokens.special[0])
        return cls(slug, entry.facts.kind == "decoder", opens)


def model_probes(
    settings: GallerySettings,
    readers: Iterable[Reader],
    keys: Mapping[tuple[str, str], str],
    data: CachedData,
) -> dict[str, ModelProbe]:
    """The probe of each model by slug; `keys` are those of the captures by (model, sentence)."""
    gold = [gold_of(sentence) for sentence in settings.sentences]
    paged = {sentence.slug for sentence in settings.sentences if sentence.pages}
    probes = {}
    for reader in readers:
        captured = tuple(
            (sentence, key)
            for sentence in gold
            if (key := keys.get((reader.slug, sentence.slug))) is not None
        )
        for sentence, key in captured:
            if sentence.slug in paged:
                data.expect(key, sentence)
        probes[reader.slug] = ModelProbe(
            captured, reader.causal, data.argmax_targets, sinking=reader.causal and reader.opens
        )
    return probes
