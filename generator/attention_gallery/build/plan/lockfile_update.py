"""Bring `gallery.lock` up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from attention_gallery.build.build_lock import build_lock
from attention_gallery.build.plan.captures import Captures, captures_of
from attention_gallery.build.plan.environments import environment_of, refuse_others, survey
from attention_gallery.build.plan.identify_models import identify_models
from attention_gallery.build.plan.pins import Pins, changes, locked_as, other_libraries
from attention_gallery.build.project import Project
from attention_gallery.build.run_warnings import RunWarnings
from attention_gallery.files import write_atomically
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.lockfile.lock_entries import Lock, LockedModel, lock_path, lock_text
from attention_gallery.manifest.lockfile.lock_reader import read_lock
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.models import FingerprintMemory, library_versions
from attention_gallery.progress import Reporter
from attention_gallery.project_files import CACHE, STORE
from attention_gallery.store import AttentionStore
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file


@dataclass(frozen=True, slots=True)
class LockReport:
    """What became of a lock: for each model whose entry changed, how.

    `exact` is whether the lock is exact now, where that was otherwise before, else None. `written` also tells
    of changes that are none of a model: an environment that is known now, another form of the file.
    """

    path: Path
    models: int
    changed: Mapping[str, list[str]]
    exact: bool | None
    written: bool

    def report(self, reporter: Reporter) -> None:
        """Say what changed, model by model."""
        for slug, differences in self.changed.items():
            reporter.info(f"{self.path.name}: {slug}: {'; '.join(differences)}")


def update_lock(
    manifest_path: Path, reporter: Reporter, *, upgrade: bool = False, exact: bool | None = None
) -> LockReport:
    """Write what the models of a manifest are, drafts included, and in which environment, into its lock.

    With `exact`, captures of another environment than this one are refused now, and by every build from then
    on; None leaves it as it is in the lock. A hub model that is locked keeps its commit while the manifest
    asks for the same branch or tag; `upgrade` asks the hub anew. Raises `UserError`, and leaves the lock as
    it was, when a model cannot be found or the lock is damaged, or a capture comes from another environment
    than an exact lock may name.
    """
    manifest = load_manifest(manifest_path)
    path = lock_path(manifest.path)
    cache = manifest.root / CACHE
    with build_lock(cache, "lock again"):
        before = read_lock(path)
        memory = FingerprintMemory(cache / "fingerprints.json")
        models = identify_models(manifest, memory, Pins(before, binding=False, fresh=upgrade), reporter)
        captures, store = captures_of(manifest, models), AttentionStore(cache / STORE)
        if exact is None:
            exact = before is not None and before.exact
        if exact:
            environments = survey(manifest.settings, captures, store, None)
            refuse_others(manifest.settings, environments, Lock(path, {}, exact=True), strict=False)
        return _written(path, before, lock_entries(manifest.settings, captures, store), exact)


def accept_models(
    project: Project, captures: Captures, lock: Lock | None, path: Path, store: AttentionStore
) -> LockReport:
    """Take the models that a build has found into the lock.

    Entries of drafts that are left out stay, and so do those in which nothing but the libraries would change.
    """
    before = {} if lock is None else lock.models
    entries = lock_entries(project.manifest.settings, captures, store)
    unchanged = {
        slug: entry
        for slug, entry in before.items()
        if slug in project.model_slugs and entries.get(slug, entry) == entry
    }
    return _written(path, lock, {**entries, **unchanged}, lock is not None and lock.exact)


def warn_of_leftovers(lock: Lock, slugs: frozenset[str], reporter: Reporter, warnings: RunWarnings) -> None:
    """Warn of locked models that the manifest does not have; other libraries are a detail only."""
    versions = library_versions()
    for slug, entry in sorted(lock.models.items()):
        if others := [*other_libraries(entry.libraries, versions)]:
            reporter.detail(f"{slug} was locked with other libraries: {', '.join(others)}")
    for slug in sorted(lock.models.keys() - slugs):
        foreign = f'{lock.path.name} has a model "{slug}" that the manifest does not'
        warnings.add(f"{foreign}; `attention-gallery lock` removes it")


def lock_entries(
    settings: GallerySettings, captures: Captures, store: AttentionStore
) -> dict[str, LockedModel]:
    """The entries of the models of a gallery by slug."""
    return {
        spec.slug: replace(
            locked_as(spec, model, digests), environment=environment_of(settings, captures, store, index)
        )
        for index, (spec, (model, digests)) in enumerate(zip(settings.models, captures.models, strict=True))
    }


def _written(path: Path, lock: Lock | None, after: Mapping[str, LockedModel], exact: bool) -> LockReport:
    before = {} if lock is None else lock.models
    slugs = sorted({*before, *after})
    changed = {slug: found for slug in slugs if (found := changes(before.get(slug), after.get(slug)))}
    data = lock_text(after, exact).encode("utf-8")
    written = lock is None or read_user_file(path, LARGEST_SETTINGS) != data
    if written:
        write_atomically(path, data)
    was_exact = lock is not None and lock.exact
    return LockReport(path, len(after), changed, exact if exact != was_exact else None, written)
