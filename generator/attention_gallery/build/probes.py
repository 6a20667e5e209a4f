"""The probes of a gallery's models: over all sentences that each reads, with pages or without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attention_gallery.analysis import gold_of
from attention_gallery.build.data import CachedData
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.pages.model_probe import ModelProbe


def model_probes(
    settings: GallerySettings,
    models: Iterable[tuple[str, bool]],
    keys: Mapping[tuple[str, str], str],
    data: CachedData,
) -> dict[str, ModelProbe]:
    """The probe of each model by slug; `models` are slugs with whether no word sees those after it.

    `keys` are those of the captures by (model, sentence).
    """
    gold = [gold_of(sentence) for sentence in settings.sentences]
    probes = {}
    for slug, causal in models:
        found = ((one, keys.get((slug, one.slug))) for one in gold)
        asked = tuple((one, key) for one, key in found if key is not None)
        probes[slug] = ModelProbe(asked, causal, data.looks)
    return probes
