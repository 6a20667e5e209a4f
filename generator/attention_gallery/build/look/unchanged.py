"""Tell, without reading any of it, whether anything that a site is made from has changed.

What is looked at are the stamps of all files that a build may read: manifest, notes, themes, model files, the
generator's own code and the libraries that write HTML. Where a stamp is another although the file may be the
same (a fresh clone, a restored cache), its bytes decide.
Nothing here imports more than the standard library, so that an unchanged build ends at once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from attention_gallery.addresses.routes import file_of
from attention_gallery.build.execute.record import Record
from attention_gallery.build.look.input_files import Inputs, generator_files
from attention_gallery.hashing import digest_file
from attention_gallery.stamps import ABSENT, Moment, Stamp, stamp_file, stamp_of


class Source(NamedTuple):
    """What is remembered of a file that a site is made from; the digest is "" where there is no file."""

    stamp: Stamp
    digest: str


@dataclass(frozen=True, slots=True)
class Watch:
    """When a build began to read, and what it knew then.

    `missing` are files that did not exist, `ours` those that the build itself writes meanwhile.
    """

    since: Moment
    missing: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()

    def saw(self, name: str, stamp: Stamp) -> bool:
        """Whether a file was for certain the same all the time."""
        if stamp == ABSENT:  # the folder tells when it went
            return name in self.missing or self.since.settled(stamp_file(os.path.dirname(name)))
        return name in self.ours or self.since.settled(stamp)


def snapshot(inputs: Inputs, watch: Watch, digest_of: Callable[[str], str]) -> dict[str, Source] | None:
    """The state of inputs and of the generator; None where one may have changed while it was read.

    `digest_of` gives the SHA-256 of a file.
    """
    try:
        if any(not watch.since.settled(stamp_file(folder)) for folder in inputs.holders()):
            return None  # something came or went
        sources: dict[str, Source] = {}
        for name in inputs.names() | generator_files():
            stamp = stamp_file(name)
            if not watch.saw(name, stamp):
                return None
            sources[name] = Source(stamp, "" if stamp == ABSENT else digest_of(name))
            if stamp_file(name) != stamp:
                return None
    except OSError:
        return None
    return sources if watch.since.clock_held() else None


def untouched(sources: dict[str, Source]) -> bool:
    """Whether all files are those of a snapshot still: not edited, and edited back, since."""
    try:
        return all(stamp_file(name) == source.stamp for name, source in sources.items())
    except OSError:
        return False


def same_sources(before: dict[str, Source], inputs: Inputs) -> dict[str, Stamp] | None:
    """New stamps of files that hold what they held; None where any file is another, came or went."""
    try:
        if inputs.names() | generator_files() != before.keys():
            return None
        others = [
            (name, now, source)
            for name, source in before.items()
            if (now := stamp_file(name)) != source.stamp or now.is_doubtful
        ]
        if any(now.size != source.stamp.size for _, now, source in others):
            return None
        return _same_bytes((name, now, source.digest) for name, now, source in others)
    except OSError:
        return None


def same_site(record: Record, site: Path, foreign: Iterable[str]) -> dict[str, Stamp] | None:
    """New stamps, by route, of files of the site that are as the last build left them.

    None where one of them is not, or where a file of other hands is gone.
    """
    folder = str(site)
    try:
        if not all(os.path.lexists(f"{folder}/{name}") for name in foreign):
            return None
        others = []
        outputs = record.stamps()
        for route, digest, *stamp in outputs:
            status = os.lstat(f"{folder}/{file_of(route)}")
            now = stamp_of(status)
            if now != tuple(stamp):
                if now.size != stamp[0] or not stat.S_ISREG(status.st_mode):
                    return None
                others.append((route, now, digest))
        stamps = _same_bytes(others, lambda route: f"{folder}/{file_of(route)}")
    except OSError:
        return None
    return stamps if outputs else None


def _same_bytes(
    files: Iterable[tuple[str, Stamp, str]], path_of: Callable[[str], str] = str
) -> dict[str, Stamp] | None:
    """Those stamps that can be relied on from now on, None where a digest is another. Raises `OSError`."""
    stamps: dict[str, Stamp] = {}
    # Small files first: where one of them is another, no weights need to be read.
    for name, stamp, digest in sorted(files, key=lambda file: (file[1].size, file[0])):
        moment = Moment.now()
        if digest_file(Path(path_of(name))) != digest:
            return None
        if moment.settled(stamp):
            stamps[name] = stamp
    return stamps
