"""Which contrasts concern a page, as links from it."""

from __future__ import annotations

from collections.abc import Iterable

from attention_gallery.evidence.mentions import NoteList
from attention_gallery.pages.gallery import Contrast
from attention_gallery.pages.neighbours import HeadIndex


def all_contrasts(contrasts: Iterable[Contrast]) -> NoteList:
    """Every contrast of the gallery, with its description."""
    return NoteList(tuple((each.spec.title, each.route, each.spec.description) for each in contrasts))


def contrasts_of(
    contrasts: Iterable[Contrast],
    model: str | None = None,
    sentence: str | None = None,
    head: HeadIndex | None = None,
) -> NoteList:
    """The contrasts of a model, of a sentence, of one on the other, or of a head with another.

    Those of a head on a sentence are also those on all sentences.
    """

    def concerns(contrast: Contrast) -> bool:
        spec = contrast.spec
        # Two heads that are compared on every sentence name none.
        on_all = head is not None and spec.sentence is None
        return (
            (model is None or model in (*spec.models, spec.model))
            and (sentence is None or on_all or sentence in (*spec.sentences, spec.sentence))
            and (head is None or head in contrast.heads)
        )

    # Without their descriptions, which are for the list of all.
    concerned = filter(concerns, contrasts)
    return NoteList(tuple((contrast.spec.title, contrast.route, "") for contrast in concerned))
