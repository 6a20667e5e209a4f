"""Remove what the generator made, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from attention_gallery.project_files import CACHE, RESULTS, STORE

if TYPE_CHECKING:
    from attention_gallery.build.plan.annotate import Annotated
    from attention_gallery.manifest.load_manifest import Manifest


@dataclass(frozen=True, slots=True)
class Removed:
    """How many files were removed and their bytes; `kept` counts the files that are not ours."""

    files: int
    size: int
    kept: int = 0


@contextmanager
def no_build(root: Path) -> Iterator[None]:
    """Hold the lock of builds in the project `root`. Raises `OutputError` while a build runs."""
    from attention_gallery.build.build_lock import LOCK, build_lock

    cache = root / CACHE
    with build_lock(cache, "clean again"):
        yield
    if not any(path.name != LOCK for path in cache.iterdir()):
        (cache / LOCK).unlink(missing_ok=True)
        cache.rmdir()


def remove_site(site: Path) -> Removed:
    """Remove the files of a site that a build wrote, and the folders that are empty then.

    The folder goes too when nothing else is in it; otherwise it stays marked as ours, so that the next
    build may write to it. Raises `OutputError` for a folder that is not ours.
    """
    from attention_gallery.build.execute.ownership import MARKER, marker_bytes, owned_files
    from attention_gallery.files import walk_files

    size = count = 0
    # The marker goes last: an interrupted removal can be taken up again.
    for name in sorted(owned_files(site, force=False), key=lambda name: (name == MARKER, name)):
        path = site / name
        if _inside(site, name) and (path.is_file() or path.is_symlink()):
            size += path.lstat().st_size
            path.unlink()
            count += 1
    if not site.is_dir():
        return Removed(count, size)
    _remove_empty_folders(site)
    remaining = sum(1 for _ in walk_files(site)) if site.is_dir() else 0
    if remaining:
        (site / MARKER).write_bytes(marker_bytes(()))
    return Removed(count, size, remaining)


def remove_unused(manifest_path: Path) -> Removed:
    """Remove captures, and what was measured on them, that no model and sentence of the manifest uses.

    Drafts count as used. Raises `UserError` for a project that cannot be read, as all might be in use then.
    """
    from attention_gallery.analysis.results import cached_names
    from attention_gallery.build.execute.cached_data import inventory_of
    from attention_gallery.build.plan.captures import needed_captures
    from attention_gallery.build.plan.pins import Pins
    from attention_gallery.build.project import read_project
    from attention_gallery.manifest.lockfile.lock_entries import lock_path
    from attention_gallery.manifest.lockfile.lock_reader import read_lock
    from attention_gallery.models import FingerprintMemory
    from attention_gallery.store import AttentionStore

    project = read_project(manifest_path, True)
    cache = project.root / CACHE
    if not (cache / STORE).is_dir():
        return Removed(0, 0)
    # A hub model is used at its locked commit; whether it is the locked one matters to a build only.
    pins = Pins(read_lock(lock_path(project.manifest.path)), binding=False)
    memory = FingerprintMemory(cache / "fingerprints.json")
    needed = needed_captures(project, memory, pins)
    used = set(needed.every.values())
    store = AttentionStore(cache / STORE)
    before = len(store.keys())
    store.sweep()
    size = store.prune(used)
    annotated = _annotated(project.manifest, cache / RESULTS)
    settings, repeats = annotated.manifest.settings, sorted(needed.repeats.values())
    inventory = inventory_of(settings, needed.keys, repeats, sorted(needed.prefixes), project.measures)
    inventory = replace(inventory, texts_to_parse=annotated.texts)
    size += _remove_others(cache / RESULTS, cached_names(inventory, settings.analysis))
    return Removed(before - len(store.keys()), size)


def _annotated(manifest: Manifest, cache: Path) -> Annotated:
    """The manifest with what was parsed before; without, where a pipeline is no longer there."""
    from attention_gallery.build.plan.annotate import Annotated, annotate
    from attention_gallery.errors import ManifestError
    from attention_gallery.progress import SilentReporter

    try:
        return annotate(manifest, cache, SilentReporter(), run=False)
    except ManifestError:
        return Annotated(manifest, {})


def remove_cache(root: Path) -> Removed:
    """Remove all that lies in `.gallery`, where only what can be made again is kept."""
    from attention_gallery.build.build_lock import LOCK
    from attention_gallery.files import remove_tree, walk_files

    cache = root / CACHE
    names = [name for name in walk_files(cache) if name != LOCK]
    size = sum((cache / name).lstat().st_size for name in names)
    for path in sorted(cache.iterdir()):
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        elif path.name != LOCK:
            path.unlink()
    return Removed(len(names), size)


def _remove_others(folder: Path, keep: set[str]) -> int:
    """Remove the files at `<name[:2]>/<name>` whose name is not in `keep`; the bytes freed."""
    size = 0
    for path in sorted(folder.glob("??/*")):
        if path.name not in keep:
            size += path.stat().st_size
            path.unlink()
    if folder.is_dir():
        _remove_empty_folders(folder)
    return size


def _inside(site: Path, name: str) -> bool:
    """Whether a name of the site's own list stays in the site; the list could have been tampered with."""
    parts = PurePosixPath(name).parts
    relative = bool(parts) and not PurePosixPath(name).is_absolute() and ".." not in parts
    return relative and (site / name).parent.resolve().is_relative_to(site.resolve())


def _remove_empty_folders(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            _remove_empty_folders(path)
    with suppress(OSError):
        folder.rmdir()
