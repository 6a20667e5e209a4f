"""Look at what a build is made from, as far as that goes without running a model or writing a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attention_gallery.build.captures import find_model, key_of
from attention_gallery.build.gather import link_map
from attention_gallery.build.project import Project
from attention_gallery.build.shown import ShownModel, clashes, shown_models
from attention_gallery.errors import DamagedEntry, ModelError, Problem, UserError
from attention_gallery.manifest import parse_source
from attention_gallery.manifest.slugs import possible_slugs
from attention_gallery.models import FingerprintMemory, ResolvedModel, files, fingerprint
from attention_gallery.notes import check_heads, check_models
from attention_gallery.pages.notes import gather_notes
from attention_gallery.pages.routes import HeadRoutes
from attention_gallery.store import AttentionStore
from attention_gallery.theme.assets import bundle
from attention_gallery.theme.render import Renderer

# Stands for the layers and heads of a model that was never captured: more than any model has.
_ANY = (200, 200)


def inspect_sources(project: Project, cache: Path) -> None:
    """Check models, notes and theme. Raises `UserError` with the problems of all of them.

    A model of the hub is not looked for, as it might have to be downloaded. The heads that a note names
    are checked for models that were captured before.
    """
    problems: list[Problem] = []
    kind: type[UserError] = UserError
    shown: list[ShownModel] = []
    shapes: dict[str, tuple[int, int]] = {}

    def attempt(look: Callable[[], None]) -> None:
        nonlocal kind
        try:
            look()
        except UserError as error:
            kind = type(error)
            problems.extend(error.problems)

    for index in range(len(project.manifest.settings.models)):
        attempt(lambda index=index: _model(project, cache, index, shown, shapes))  # type: ignore[misc]
    attempt(lambda: _slugs(project, shown))
    attempt(lambda: check_models(project.notes, [one.spec.slug for one in shown]))
    attempt(lambda: check_heads(project.notes, shapes))
    attempt(lambda: _notes(project, shown, shapes))
    attempt(lambda: _theme(project))
    if problems:
        raise kind(problems)


def _model(
    project: Project,
    cache: Path,
    index: int,
    shown: list[ShownModel],
    shapes: dict[str, tuple[int, int]],
) -> None:
    """Add what is shown of a model, and the shapes that captures of it tell."""
    spec = project.manifest.settings.models[index]
    # What is not known of a model must not be held against the notes: it may be shown under all these names.
    may_be = [
        ShownModel(index, "", spec.model_copy(update={"slug": one})) for one in possible_slugs(spec.slug)
    ]
    if parse_source(spec.source).kind == "hub":
        shown.extend(may_be)
        return
    try:
        found = find_model(project, index)
    except UserError:
        shown.extend(may_be)
        raise
    kinds, wrong = shown_models(project.manifest, index, found.kinds)
    shown.extend(kinds or may_be)
    if wrong:
        raise ModelError(wrong)
    for one in kinds:
        shape = _captured_shape(project, cache, one, found)
        if shape is not None:
            shapes[one.spec.slug] = shape


def _slugs(project: Project, shown: list[ShownModel]) -> None:
    problems = clashes(project.manifest, [one for one in shown if one.kind])
    if problems:
        raise ModelError(problems)


def _captured_shape(
    project: Project, cache: Path, shown: ShownModel, found: ResolvedModel
) -> tuple[int, int] | None:
    """Layers and heads of a model, where a capture of it tells them."""
    memory = FingerprintMemory(cache / "fingerprints.json")
    if not all(memory.remembers(path) for path in files(found)):
        return None
    digests = fingerprint(found, memory)
    store = AttentionStore(cache / "store")
    for sentence in project.manifest.settings.sentences:
        key = key_of(project.manifest.settings, shown.spec, digests, sentence, shown.kind)
        try:
            if store.has(key):
                facts = store.open(key).facts
                return facts.layers, facts.heads
        except DamagedEntry:
            continue
    return None


def _notes(project: Project, shown: list[ShownModel], shapes: dict[str, tuple[int, int]]) -> None:
    models = {
        one.spec.slug: (one.spec.title, HeadRoutes.of(*shapes.get(one.spec.slug, _ANY))) for one in shown
    }
    paged = {(slug, one.slug): () for slug in models for one in project.manifest.settings.sentences}
    gather_notes(project.notes, link_map(project, models, paged))


def _theme(project: Project) -> None:
    bundle(project.theme, project.options)
    Renderer(project.theme).load_all()
