"""What a build works from: the project as it was read, its captures, and the state of its files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from attention_gallery.build.checks.inspect_sources import inspect_sources
from attention_gallery.build.look.build_state import State, state_of, watch_of
from attention_gallery.build.look.input_files import inputs_of
from attention_gallery.build.plan.annotate import Annotated, annotate
from attention_gallery.build.plan.captures import Captures, needed_captures
from attention_gallery.build.plan.lockfile_update import accept_models, warn_of_leftovers
from attention_gallery.build.plan.pins import Pins
from attention_gallery.build.project import Project
from attention_gallery.build.run import Run
from attention_gallery.manifest.lockfile.lock_entries import Lock, lock_path
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.models import FingerprintMemory
from attention_gallery.store import AttentionStore


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The project with the relations that parsers found, the captures that it needs and where they lie.

    `lock` is the one that its captures are held to, None where there is none.
    """

    project: Project
    captures: Captures
    annotated: Annotated
    lock: Lock | None
    state: State
    store: AttentionStore


def plan_build(run: Run) -> BuildPlan:
    """Read and check all that can be before anything is captured. Raises `UserError`."""
    watch = watch_of(run.manifest, run.options)
    project, complete = inspect_sources(run, build=True)
    memory = FingerprintMemory(run.fingerprints)
    store = AttentionStore(run.store)
    captures, lock = _pinned_captures(run, project, memory, store)
    if not complete:  # now that its models are here, more can be seen before any is loaded
        project, _ = inspect_sources(run, build=True)
    annotated = annotate(project.manifest, run.results, run.reporter)
    project = replace(project, manifest=annotated.manifest)
    inputs = inputs_of(run.manifest, project, captures, annotated)
    state = state_of(run.manifest, run.options, inputs, watch, memory)
    return BuildPlan(project, captures, annotated, lock, state, store)


def _pinned_captures(
    run: Run, project: Project, memory: FingerprintMemory, store: AttentionStore
) -> tuple[Captures, Lock | None]:
    """The captures that are needed, of the models that are locked; or else the lock follows the models.

    The lock is the one from now on.
    """
    path = lock_path(run.manifest)
    pins = Pins(read_lock(path), binding=not run.options.update_lock)
    captures = needed_captures(project, memory, pins, run.reporter)
    if run.options.update_lock:
        accept_models(project, captures, pins.lock, path, store).report(run.reporter)
        return captures, read_lock(path)
    if pins.lock is not None:
        warn_of_leftovers(pins.lock, project.model_slugs, run.reporter, run.warnings)
    return captures, pins.lock
