"""Which contrasts concern a page, as links from it."""

from __future__ import annotations

from collections.abc import Callable

from attention_gallery.evidence.mentions import NO_NOTES, NoteList
from attention_gallery.manifest.settings import ContrastSpec
from attention_gallery.pages.gallery import Contrast, Gallery
from attention_gallery.pages.sections.neighbours import Place


def all_contrasts(gallery: Gallery) -> NoteList:
    """Every contrast of the gallery, with its description."""
    return NoteList(tuple((one.spec.title, one.route, one.spec.description) for one in gallery.contrasts))


def of_sentence(gallery: Gallery, sentence: str) -> NoteList:
    """The contrasts of a sentence, in any model."""
    return _listed(gallery, lambda spec: sentence in _sentences(spec))


def of_model(gallery: Gallery, model: str) -> NoteList:
    """The contrasts of a model, on any sentence."""
    return _listed(gallery, lambda spec: model in (*spec.models, spec.model))


def of_pair(gallery: Gallery, model: str, sentence: str) -> NoteList:
    """The contrasts of a model on a sentence."""
    return _listed(gallery, lambda spec: model in (*spec.models, spec.model) and sentence in _sentences(spec))


def of_heads(gallery: Gallery, model: str, sentence: str | None = None) -> dict[Place, NoteList]:
    """The contrasts of two heads of a model by head: on a sentence, those on all among them, or on any."""
    found: dict[Place, list[Contrast]] = {}
    for one in gallery.contrasts:
        on = sentence is None or one.spec.sentence in (None, sentence)
        if one.heads and one.spec.model == model and on:
            for place in one.heads:
                found.setdefault(place, []).append(one)
    return {place: _list(contrasts) for place, contrasts in found.items()}


def _sentences(spec: ContrastSpec) -> tuple[str | None, ...]:
    return (*spec.sentences, spec.sentence)


def _listed(gallery: Gallery, concerns: Callable[[ContrastSpec], bool]) -> NoteList:
    return _list([one for one in gallery.contrasts if concerns(one.spec)]) if gallery.contrasts else NO_NOTES


def _list(contrasts: list[Contrast]) -> NoteList:
    return NoteList(tuple((one.spec.title, one.route, "") for one in contrasts))
