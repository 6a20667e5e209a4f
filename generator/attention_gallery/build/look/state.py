"""What the site of a project is made from: as a build reads it, as the record keeps it, as it is now."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from attention_gallery.build.execute.record import Record
from attention_gallery.build.look.libraries import interpreter
from attention_gallery.build.look.unchanged import (
    Inputs,
    Source,
    Watch,
    own_inputs,
    same_site,
    same_sources,
    snapshot,
)
from attention_gallery.build.options import BuildOptions
from attention_gallery.hashing import digest_file
from attention_gallery.manifest.lockfile.lock import lock_path
from attention_gallery.project_files import THEMES
from attention_gallery.stamps import Moment, Stamp

if TYPE_CHECKING:
    from attention_gallery.build.plan.annotate import Annotated
    from attention_gallery.build.plan.captures import Captures
    from attention_gallery.build.project import Project
    from attention_gallery.models import FingerprintMemory


class State(NamedTuple):
    """What a site is made from: facts for the record, and the files; none where they changed meanwhile."""

    facts: dict[str, Any]
    sources: dict[str, Source]


def watch_of(manifest: Path, options: BuildOptions) -> Watch:
    """What is known at the moment at which a build begins to read."""
    lock = str(lock_path(manifest))
    missing = () if os.path.lexists(lock) else (lock,)
    return Watch(Moment.now(), frozenset(missing), frozenset([lock] if options.update_lock else []))


def found_inputs(project: Project, captures: Captures, annotated: Annotated) -> Inputs:
    """The files and folders that a manifest leads to."""
    files = (*captures.files(), *map(str, project.manifest.files), *project.measures.files, *annotated.files)
    return Inputs(files, (str(project.content), *captures.folders()), tuple(captures.listed()))


def state_of(
    manifest: Path, options: BuildOptions, read: Inputs, known: tuple[Watch, FingerprintMemory]
) -> State:
    """What the site is made from, as it was read; what was edited meanwhile shall not pass for built."""
    watch, memory = known

    def digest_of(name: str) -> str:
        path = Path(name)
        return memory.digest(path) if memory.remembers(path) else digest_file(path)

    sources = snapshot(_inputs(manifest, read), own_inputs(), watch, digest_of)
    settings = None if sources is None else _settings(manifest, options, read)
    return State({"inputs": asdict(read), "settings": settings}, sources or {})


def looked_at(
    manifest: Path, options: BuildOptions, record: Record
) -> tuple[dict[str, Stamp], dict[str, Stamp]] | None:
    """New stamps of files of the site, and of files that it is made from; None when anything changed."""
    inputs, settings, told = (record.fact(name) for name in ("inputs", "settings", "report"))
    if not inputs or not settings or not told:
        return None
    read = Inputs(**{kind: tuple(names) for kind, names in inputs.items()})
    try:
        if _settings(manifest, options, read) != settings:
            return None
    except OSError:
        return None
    before = {name: Source(*found) for name, found in record.sources().items()}
    sources = same_sources(before, _inputs(manifest, read), own_inputs())
    if sources is None:
        return None
    outputs = same_site(record, manifest.parent / told["site"], told["foreign"])
    return None if outputs is None else (outputs, sources)


def _inputs(manifest: Path, found: Inputs) -> Inputs:
    """What the manifest leads to, with what is always there."""
    files = (str(manifest), str(lock_path(manifest)), *found.files)
    return Inputs(files, (str(manifest.parent / THEMES), *found.folders), found.listed)


def _settings(manifest: Path, options: BuildOptions, inputs: Inputs) -> list[Any]:
    """What else can change a site, as JSON values. Raises `OSError`."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return [str(manifest), options.drafts, epoch, interpreter(), inputs.listings()]
