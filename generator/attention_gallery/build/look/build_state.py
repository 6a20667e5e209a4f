"""What the site of a project is made from: as a build reads it, as the record keeps it, as it is now."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from attention_gallery.build.execute.record import Record
from attention_gallery.build.look.input_files import Inputs
from attention_gallery.build.look.libraries import interpreter
from attention_gallery.build.look.unchanged import Source, Watch, same_site, same_sources, snapshot
from attention_gallery.build.options import BuildOptions
from attention_gallery.hashing import digest_file
from attention_gallery.manifest.lockfile.lock_entries import lock_path
from attention_gallery.stamps import Moment, Stamp

if TYPE_CHECKING:
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


def state_of(
    manifest: Path, options: BuildOptions, inputs: Inputs, watch: Watch, memory: FingerprintMemory
) -> State:
    """What the site is made from, as it was read; what was edited meanwhile shall not pass for built."""

    def digest_of(name: str) -> str:
        """SHA-256 of a file, from memory where it is there."""
        path = Path(name)
        return memory.digest(path) if memory.remembers(path) else digest_file(path)

    sources = snapshot(inputs, watch, digest_of)
    settings = None if sources is None else _settings(manifest, options, inputs)
    return State({"inputs": asdict(inputs), "settings": settings}, sources or {})


def stamps_if_unchanged(
    manifest: Path, options: BuildOptions, record: Record
) -> tuple[dict[str, Stamp], dict[str, Stamp]] | None:
    """New stamps of files of the site, and of files that it is made from; None when anything changed."""
    named, settings, report = (record.fact(name) for name in ("inputs", "settings", "report"))
    if not named or not settings or not report:
        return None
    inputs = Inputs(**{kind: tuple(names) for kind, names in named.items()})
    try:
        if _settings(manifest, options, inputs) != settings:
            return None
    except OSError:
        return None
    before = {name: Source(*source) for name, source in record.sources().items()}
    sources = same_sources(before, inputs)
    if sources is None:
        return None
    outputs = same_site(record, manifest.parent / report["site"], report["foreign"])
    return None if outputs is None else (outputs, sources)


def _settings(manifest: Path, options: BuildOptions, inputs: Inputs) -> list[Any]:
    """What else can change a site, as JSON values. Raises `OSError`."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return [str(manifest), options.drafts, epoch, interpreter(), inputs.listings()]
