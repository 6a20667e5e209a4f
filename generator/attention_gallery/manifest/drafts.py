"""Leave drafts out of a manifest, without losing where in the file the rest stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.load import Manifest


def without_drafts(manifest: Manifest) -> Manifest:
    """The manifest without draft models and sentences.

    A sentence that only draft models read goes with them. Raises `ManifestError` when no model or no sentence
    is left, or none of those that a model reads.
    """
    settings = manifest.settings
    models = tuple(i for i, model in enumerate(settings.models) if not model.draft)
    published = [settings.models[i].slug for i in models]
    sentences = tuple(
        i
        for i, sentence in enumerate(settings.sentences)
        if not sentence.draft and any(map(sentence.read_by, published))
    )
    problems = [*_nothing_left(manifest, models, sentences), *_left_alone(manifest, models, sentences)]
    if problems:
        raise ManifestError(problems)
    left = settings.model_copy(
        update={
            "models": tuple(settings.models[i] for i in models),
            "sentences": tuple(settings.sentences[i] for i in sentences),
        }
    )
    kept = {
        "models": _in_file(manifest, "models", models),
        "sentences": _in_file(manifest, "sentences", sentences),
    }
    return replace(manifest, settings=left, kept=kept)


def _nothing_left(
    manifest: Manifest, models: tuple[int, ...], sentences: tuple[int, ...]
) -> Iterator[Problem]:
    mend = "publish one by removing its `draft: true`, or use --drafts"
    for name, left in (("models", models), ("sentences", sentences)):
        if not left:
            yield manifest.problem(f"all {name} are drafts", mend, name)
    if sentences and not any(manifest.settings.sentences[i].pages for i in sentences):
        yield manifest.problem("all sentences with pages are drafts", mend, "sentences")


def _left_alone(manifest: Manifest, models: tuple[int, ...], sentences: tuple[int, ...]) -> Iterator[Problem]:
    """A problem for each model that has nothing to read while others have."""
    settings = manifest.settings
    left = [settings.sentences[i] for i in sentences if settings.sentences[i].pages]
    for i in models:
        slug = settings.models[i].slug
        if left and not any(sentence.read_by(slug) for sentence in left):
            reason = f'all sentences that the model "{slug}" reads are drafts'
            mend = "publish one, make the model a draft too, or use --drafts"
            yield manifest.problem(reason, mend, "models", i)


def _in_file(manifest: Manifest, name: str, left: tuple[int, ...]) -> tuple[int, ...]:
    before = manifest.kept.get(name)
    return left if before is None else tuple(before[i] for i in left)
