"""Contrasts of the manifest held to the models that there are, and turned into those of the gallery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attention_gallery.build.plan.attention_kinds import ShownModel
from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.blocks.contrasts import parse_heads
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.settings import ContrastSpec, GallerySettings
from attention_gallery.notes.target import meant_model
from attention_gallery.pages.gallery import Capture, Contrast
from attention_gallery.records import head_name

# What tokens look, and at what: models that differ in it read different texts.
_READS = {"self": "sentence", "encoder": "sentence", "decoder": "target", "cross": "target and sentence"}


def check_contrasts(
    manifest: Manifest, models: Iterable[ShownModel], shapes: Mapping[str, tuple[int, int]]
) -> None:
    """Raise `ManifestError` for contrasts of models or heads that there are not, or that read other texts.

    shapes: (layers, heads) by slug, of models that were captured.
    """
    problems = [*_model_problems(manifest, models), *_head_problems(manifest, shapes)]
    if problems:
        raise ManifestError(problems)


def _model_problems(manifest: Manifest, models: Iterable[ShownModel]) -> list[Problem]:
    kinds = {model.spec.slug: model.kind for model in models}
    problems: list[Problem] = []
    for i, contrast in enumerate(manifest.settings.contrasts):
        for path, slug in _models(contrast):
            if slug not in kinds:
                reason = f'the gallery has no model "{slug}"'
                problems.append(manifest.problem(reason, meant_model(slug, kinds), "contrasts", i, *path))
        # A kind of "" is that of a model whose files cannot be looked at now.
        known = [kinds[slug] for slug in contrast.models if kinds.get(slug)]
        if len(known) == 2 and _READS[known[0]] != _READS[known[1]]:
            first, second = contrast.models
            reason = (
                f'what looks and is looked at in "{first}" is of the {_READS[known[0]]}, in "{second}" of '
                f"the {_READS[known[1]]}: their rows and columns are not of the same words"
            )
            mend = "compare two models of the same kind of attention"
            problems.append(manifest.problem(reason, mend, "contrasts", i, "models"))
    return problems


def _models(contrast: ContrastSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if contrast.model is not None:
        yield ("model",), contrast.model
    for n, slug in enumerate(contrast.models):
        yield ("models", n), slug


def _head_problems(manifest: Manifest, shapes: Mapping[str, tuple[int, int]]) -> list[Problem]:
    problems = []
    for i, contrast in enumerate(manifest.settings.contrasts):
        shape = shapes.get(contrast.model or "")
        for n, (layer, head) in enumerate(parse_heads(contrast) if shape else ()):
            layers, heads = shape or (0, 0)
            if layer >= layers or head >= heads:
                reason = f'the model "{contrast.model}" has no head {head_name(layer, head)}'
                mend = f"its heads are L0H0 to {head_name(layers - 1, heads - 1)}"
                problems.append(manifest.problem(reason, mend, "contrasts", i, "heads", n))
    return problems


def resolve_contrasts(
    settings: GallerySettings, captures: Mapping[tuple[str, str], Capture]
) -> Iterator[Contrast]:
    """The contrasts of a checked manifest; `captures` are those with pages, by model and sentence."""
    for spec in settings.contrasts:
        model = spec.model or ""
        if spec.models:
            left, right = (captures[slug, spec.sentence or ""] for slug in spec.models)
            yield Contrast(spec, left, right)
        elif spec.sentences:
            left, right = (captures[model, sentence] for sentence in spec.sentences)
            yield Contrast(spec, left, right)
        else:
            first = next(capture for (slug, _), capture in captures.items() if slug == model)
            left = captures[model, spec.sentence] if spec.sentence else first
            yield Contrast(spec, left, left, parse_heads(spec), across=spec.sentence is None)
