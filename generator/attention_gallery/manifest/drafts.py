"""Leave drafts out of a manifest, without losing where in the file the rest stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.manifest.slugs import possible_slugs


def without_drafts(manifest: Manifest) -> Manifest:
    """The manifest without draft models, sentences and contrasts.

    A sentence that only draft models read goes with them, and a contrast with what it compares. Raises
    `ManifestError` when no model or no sentence is left, or none of those that a model reads.
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
    contrasts = tuple(_contrasts(settings, models, sentences))
    left = {"models": models, "sentences": sentences, "contrasts": contrasts}
    specs = {name: tuple(getattr(settings, name)[i] for i in numbers) for name, numbers in left.items()}
    indices = {name: _in_file(manifest, name, numbers) for name, numbers in left.items()}
    return replace(manifest, settings=settings.model_copy(update=specs), indices=indices)


def _contrasts(
    settings: GallerySettings, models: tuple[int, ...], sentences: tuple[int, ...]
) -> Iterator[int]:
    """The contrasts that are no drafts and compare none."""
    left = {slug for i in models for slug in possible_slugs(settings.models[i].slug)}
    left_sentences = {settings.sentences[i].slug for i in sentences}
    for i, contrast in enumerate(settings.contrasts):
        of_models = {*contrast.models, *([contrast.model] if contrast.model else [])}
        of_sentences = {*contrast.sentences, *([contrast.sentence] if contrast.sentence else [])}
        if not contrast.draft and of_models <= left and of_sentences <= left_sentences:
            yield i


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
    before = manifest.indices.get(name)
    return left if before is None else tuple(before[i] for i in left)
