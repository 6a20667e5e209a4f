"""Find the models of a manifest and tell which they are, without loading any of them."""

from __future__ import annotations

from functools import partial

from attention_gallery.build.plan.pins import Pins
from attention_gallery.errors import ModelError, Problem
from attention_gallery.manifest import Manifest
from attention_gallery.models import FingerprintMemory, ModelFingerprint, ResolvedModel, fingerprint, resolve
from attention_gallery.models.sources.resolved import ProblemMaker
from attention_gallery.progress import Reporter

Identified = tuple[ResolvedModel, ModelFingerprint]


def identify(
    manifest: Manifest, memory: FingerprintMemory, pins: Pins, reporter: Reporter
) -> tuple[Identified, ...]:
    """Every model's files and fingerprint, in the manifest's order.

    Raises `ModelError` with the problems of all models: not found, not allowed, not the one that is locked.
    """
    problems: list[Problem] = []
    models: list[Identified] = []
    for index in range(len(manifest.settings.models)):
        try:
            models.append(identify_one(manifest, index, memory, pins, reporter))
        except ModelError as error:
            problems.extend(error.problems)
    if problems:
        raise ModelError(problems)
    return tuple(models)


def identify_one(
    manifest: Manifest, index: int, memory: FingerprintMemory, pins: Pins, reporter: Reporter
) -> Identified:
    """One model's files and fingerprint. Raises `ModelError` at its line."""
    spec, problem = manifest.settings.models[index], at_source(manifest, index)
    pins.check_asked(spec, problem)
    found = resolve(spec, manifest.root, problem, pins.lookup(spec), reporter)
    digests = fingerprint(found, memory)
    pins.check_found(spec, found, digests, problem)
    return found, digests


def at_source(manifest: Manifest, index: int) -> ProblemMaker:
    """Makes problems at the line where the manifest names a model."""
    return partial(_problem, manifest, index)


def _problem(manifest: Manifest, index: int, reason: str, mend: str) -> Problem:
    return manifest.problem(reason, mend, "models", index, "source")
