"""Look at what a build is made from, as far as that goes without running a model or writing a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attention_gallery.build.captures import find_model, key_of
from attention_gallery.build.gather import link_map
from attention_gallery.build.project import Project
from attention_gallery.errors import DamagedEntry, Problem, UserError
from attention_gallery.manifest import parse_source
from attention_gallery.models import FingerprintMemory, ResolvedModel, files, fingerprint
from attention_gallery.notes import check_heads
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
    shapes: dict[str, tuple[int, int]] = {}

    def attempt(look: Callable[[], None]) -> None:
        nonlocal kind
        try:
            look()
        except UserError as error:
            kind = type(error)
            problems.extend(error.problems)

    for index in range(len(project.manifest.settings.models)):
        attempt(lambda index=index: _model(project, cache, index, shapes))  # type: ignore[misc]
    attempt(lambda: check_heads(project.notes, shapes))
    attempt(lambda: _notes(project, shapes))
    attempt(lambda: _theme(project))
    if problems:
        raise kind(problems)


def _model(project: Project, cache: Path, index: int, shapes: dict[str, tuple[int, int]]) -> None:
    spec = project.manifest.settings.models[index]
    if parse_source(spec.source).kind != "hub":
        found = find_model(project, index)
        shape = _captured_shape(project, cache, index, found)
        if shape is not None:
            shapes[spec.slug] = shape


def _captured_shape(
    project: Project, cache: Path, index: int, found: ResolvedModel
) -> tuple[int, int] | None:
    """Layers and heads of a model, where a capture of it tells them."""
    memory = FingerprintMemory(cache / "fingerprints.json")
    if not all(memory.remembers(path) for path in files(found)):
        return None
    spec, digests = project.manifest.settings.models[index], fingerprint(found, memory)
    store = AttentionStore(cache / "store")
    for sentence in project.manifest.settings.sentences:
        key = key_of(project.manifest.settings, spec, digests, sentence)
        try:
            if store.has(key):
                facts = store.open(key).facts
                return facts.layers, facts.heads
        except DamagedEntry:
            continue
    return None


def _notes(project: Project, shapes: dict[str, tuple[int, int]]) -> None:
    settings = project.manifest.settings
    heads = {spec.slug: HeadRoutes.of(*shapes.get(spec.slug, _ANY)) for spec in settings.models}
    paged = {(model.slug, one.slug): () for model in settings.models for one in settings.sentences}
    gather_notes(project.notes, link_map(project, heads, paged))


def _theme(project: Project) -> None:
    bundle(project.theme, project.options)
    Renderer(project.theme).load_all()
