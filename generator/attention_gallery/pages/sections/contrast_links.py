"""Which contrasts concern a page, as links from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attention_gallery.evidence.mentions import NoteList
from attention_gallery.manifest.settings import ContrastSpec
from attention_gallery.pages.gallery import Contrast
from attention_gallery.pages.neighbours import HeadIndex


def all_contrasts(contrasts: Iterable[Contrast]) -> NoteList:
    """Every contrast of the gallery, with its description."""
    return NoteList(tuple((each.spec.title, each.route, each.spec.description) for each in contrasts))


def of_sentence(contrasts: Iterable[Contrast], sentence: str) -> NoteList:
    """The contrasts of a sentence, in any model."""
    return _listed(contrasts, lambda spec: sentence in _sentences(spec))


def of_model(contrasts: Iterable[Contrast], model: str) -> NoteList:
    """The contrasts of a model, on any sentence."""
    return _listed(contrasts, lambda spec: model in (*spec.models, spec.model))


def of_capture(contrasts: Iterable[Contrast], model: str, sentence: str) -> NoteList:
    """The contrasts of a model on a sentence."""
    return _listed(
        contrasts, lambda spec: model in (*spec.models, spec.model) and sentence in _sentences(spec)
    )


def of_head(
    contrasts: Iterable[Contrast], model: str, head: HeadIndex, sentence: str | None = None
) -> NoteList:
    """The contrasts of a head with another: on a sentence, those on all among them, or on any."""
    about_head = [contrast for contrast in contrasts if head in contrast.heads]
    return _listed(
        about_head,
        lambda spec: spec.model == model and (sentence is None or spec.sentence in (None, sentence)),
    )


def _sentences(spec: ContrastSpec) -> tuple[str | None, ...]:
    return (*spec.sentences, spec.sentence)


def _listed(contrasts: Iterable[Contrast], concerns: Callable[[ContrastSpec], bool]) -> NoteList:
    concerned = (contrast for contrast in contrasts if concerns(contrast.spec))
    return NoteList(tuple((contrast.spec.title, contrast.route, "") for contrast in concerned))
