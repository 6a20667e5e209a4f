"""Look at what a build is made from, as far as that goes without running a model.

`check` does so and writes nothing; `build` does the same before anything is downloaded, captured or imported
that takes long: what it refuses for another reason than what was captured, `check` refuses in the same words.
"""

from __future__ import annotations

from attention_gallery.build.cache_folder import require_readable
from attention_gallery.build.checks.inspect_captures import SeenCaptures
from attention_gallery.build.checks.inspect_models import InspectedModels
from attention_gallery.build.checks.inspect_notes import check_notes
from attention_gallery.build.checks.problems import Problems
from attention_gallery.build.checks.unread import unread_warnings
from attention_gallery.build.execute.ownership import owned_files
from attention_gallery.build.plan.annotate import Annotated, annotate
from attention_gallery.build.plan.attention_kinds import clashes
from attention_gallery.build.plan.contrast_resolution import check_contrasts
from attention_gallery.build.plan.environments import refuse_others, refuse_to_capture, survey
from attention_gallery.build.plan.gather import build_date
from attention_gallery.build.plan.lockfile_update import warn_of_leftovers
from attention_gallery.build.plan.pins import Pins
from attention_gallery.build.project import Project, read_sources
from attention_gallery.build.run import Run
from attention_gallery.errors import ModelError, ThemeError
from attention_gallery.manifest.lockfile.lock_entries import Lock, lock_path
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.models import FingerprintMemory
from attention_gallery.notes.load_notes import check_heads, check_models
from attention_gallery.pages.plan import needed_templates
from attention_gallery.store import AttentionStore
from attention_gallery.theme.bundle import check_assets
from attention_gallery.theme.renderer import Renderer


def inspect_sources(run: Run, build: bool) -> tuple[Project, bool]:
    """Check manifest, models, lock, notes, theme and output folder. Raises `UserError` with all problems.

    Gives the project, in which no mistake was found, and whether the files of all models were there to be
    looked at; those of others are still to be downloaded.

    Nothing is downloaded: of a model of the hub, a copy in the cache is held to the lock, if there are both.
    What notes claim, and which words they name, is checked for what was captured before; by a `build` it is
    not, as that follows.
    """
    sources = read_sources(run.manifest, run.options.drafts)
    problems, project = sources.problems, sources.require_project()
    if not build:  # which looked before
        with problems.collected():
            require_readable(run.cache)
    models = _models(project, problems, run, build)
    if sources.sound:
        _check_models(project, problems, models)
    with problems.collected():
        check_heads(project.notes, models.shapes)
    annotated = Annotated(project.manifest, {}, complete=False)
    with problems.collected():
        annotated = annotate(project.manifest, run.results, run.reporter, run=False)
    with problems.collected():
        owned_files(project.site, run.options.force)
    with problems.collected():
        build_date()
    if sources.theme:
        _check_theme(project, problems, run, build)
    # A build that finds nothing wrong and captures nothing comes to the notes next anyway.
    if problems or not build or not models.captured:
        with problems.collected():
            check_notes(sources, project, models, annotated, run, build)
    problems.raise_any()
    return project, models.complete


def _models(project: Project, problems: Problems, run: Run, build: bool) -> InspectedModels:
    """The models of the project; a check warns of what is wrong with the lock and with captures."""
    pins = Pins(fetch=False)
    with problems.collected():
        lock = read_lock(lock_path(project.manifest.path))
        pins = Pins(lock, binding=not run.options.update_lock, fetch=False)
    memory = FingerprintMemory(run.fingerprints, keep=build)
    models = InspectedModels(SeenCaptures(AttentionStore(run.store), build))
    for index in range(len(project.manifest.settings.models)):
        with problems.collected():
            models.add(project.manifest, index, pins, memory)
    if not build:  # a build asks again after it has captured, and need not do so twice
        if pins.lock is not None:
            warn_of_leftovers(pins.lock, project.model_slugs, run.reporter, run.warnings)
        _check_environments(project, problems, run, pins.lock, models)
        _warn_of_captures(project, problems, run, models)
    return models


def _check_models(project: Project, problems: Problems, models: InspectedModels) -> None:
    """Hold models, notes and contrasts to each other. Models left out with mistakes are not to be missed."""
    problems.add(ModelError, clashes(project.manifest, [model for model in models.models if model.kind]))
    slugs: list[str] = [model.spec.slug for model in models.models]
    with problems.collected():
        check_models(project.notes, slugs, models.paged(project.manifest.settings))
    with problems.collected():
        check_contrasts(project.manifest, models.models, models.shapes)


def _check_environments(
    project: Project, problems: Problems, run: Run, lock: Lock | None, models: InspectedModels
) -> None:
    """Hold what was captured, and what is to be, to its numeric environment."""
    settings, strict = project.manifest.settings, run.options.strict
    environments = survey(settings, models.captures, models.seen.store, lock)
    if models.missing:
        with problems.collected():
            refuse_to_capture(settings, lock, strict)
    with problems.collected():
        refuse_others(settings, environments, lock, strict)
        if environments.warning:
            run.warnings.add(environments.warning)


def _warn_of_captures(project: Project, problems: Problems, run: Run, models: InspectedModels) -> None:
    """Warn of captures that cannot be read, and of what models were not given to read."""
    warnings = models.seen.damaged
    with problems.collected():
        unread = unread_warnings(project.manifest, models.captures, models.seen.tokens)
        warnings = [*warnings, *unread]
    for warning in warnings:
        run.warnings.add(warning)


def _check_theme(project: Project, problems: Problems, run: Run, build: bool) -> None:
    """Check the assets of the theme and all its templates."""
    if project.theme.whole:
        with problems.collected():
            check_assets(project.theme)
    compiled = run.templates if build else None
    needed = needed_templates(project.manifest.settings, project.notes) if project.theme.whole else ()
    problems.add(ThemeError, Renderer(project.theme, compiled).problems(needed))
