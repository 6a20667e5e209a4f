"""Which sentences are parsed by which pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attention_gallery.manifest.findings import Finding, KeyPath
from attention_gallery.manifest.settings import (
    AnnotateSettings,
    CollectedSentence,
    GallerySettings,
    SentenceSpec,
)

NONE = "none"


def pipeline_of(settings: GallerySettings, sentence: SentenceSpec) -> str | None:
    """The name of the pipeline for a sentence, None where it is not parsed.

    The gallery's is for sentences in the gallery's language. Sentences of a treebank have their trees.
    """
    if isinstance(sentence, CollectedSentence):
        return None
    chosen = sentence.annotate
    if chosen is None and (sentence.language or settings.language) == settings.language:
        chosen = settings.annotate
    return None if chosen is None or chosen.spacy == NONE else chosen.spacy


def check_annotations(settings: GallerySettings, items: list[int]) -> Iterator[Finding]:
    """What is wrong with the names of pipelines; `items` are the items in the file of each sentence."""
    yield from _check(settings.annotate, ("annotate", "spacy"))
    for index, sentence in zip(items, settings.sentences, strict=True):
        yield from _check(sentence.annotate, ("sentences", index, "annotate", "spacy"))


def _check(chosen: AnnotateSettings | None, keys: KeyPath) -> Iterator[Finding]:
    if chosen is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", chosen.spacy):
        mend = "write the name of an installed package, such as en_core_web_sm, or none"
        yield f'"{chosen.spacy}" is not the name of a spaCy pipeline', mend, keys
