"""Find the models of a manifest and tell which they are, without loading any of them."""

from __future__ import annotations

from attention_gallery.build.plan.pins import Pins
from attention_gallery.errors import ModelError, Problem
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.models import FingerprintMemory, ModelFingerprint, ResolvedModel, fingerprint, resolve
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.progress import Reporter

Identified = tuple[ResolvedModel, ModelFingerprint]


def identify_models(
    manifest: Manifest, memory: FingerprintMemory, pins: Pins, reporter: Reporter
) -> tuple[Identified, ...]:
    """Every model's files and fingerprint, in the manifest's order.

    Raises `ModelError` with the problems of all models: not found, not allowed, not the one that is locked.
    """
    problems: list[Problem] = []
    models: list[Identified] = []
    for index, spec in enumerate(manifest.settings.models):
        problem = problem_at(manifest, "models", index, "source")
        try:
            pins.check_asked(spec, problem)
            model = resolve(spec, manifest.root, problem, pins.lookup(spec), reporter)
            digests = fingerprint(model, memory)
            pins.check_model(spec, model, digests, problem)
            models.append((model, digests))
        except ModelError as error:
            problems.extend(error.problems)
    if problems:
        raise ModelError(problems)
    return tuple(models)


def problem_at(manifest: Manifest, *path: str | int) -> ProblemMaker:
    """Makes problems at the line of these keys of the manifest."""
    return lambda reason, mend: manifest.problem(reason, mend, *path)
