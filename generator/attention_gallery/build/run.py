"""One run of a build or a check: where it works, what it is asked, whom it tells, how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from attention_gallery.build.options import BuildOptions
from attention_gallery.build.run_warnings import RunWarnings
from attention_gallery.progress import Reporter
from attention_gallery.project_files import CACHE, RESULTS, STORE, TEMPLATES


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `seconds` are those of each phase, in the order in which phases first began.

    `require_cache` raises `OutputError` once the cache folder is no longer the one that the build began with.
    """

    manifest: Path
    options: BuildOptions
    reporter: Reporter
    warnings: RunWarnings
    seconds: dict[str, float] = field(default_factory=dict)
    require_cache: Callable[[], None] = lambda: None

    @classmethod
    def from_arguments(cls, manifest_path: Path, options: BuildOptions, reporter: Reporter) -> Run:
        """A run that begins now."""
        return cls(manifest_path.absolute(), options, reporter, RunWarnings(reporter, options.strict))

    @property
    def cache(self) -> Path:
        """The folder of all that can be made again."""
        return self.manifest.parent / CACHE

    @property
    def store(self) -> Path:
        """The folder of captures."""
        return self.cache / STORE

    @property
    def results(self) -> Path:
        """The folder of what was worked out from captures."""
        return self.cache / RESULTS

    @property
    def templates(self) -> Path:
        """The folder of compiled templates."""
        return self.cache / TEMPLATES

    @property
    def staging(self) -> Path:
        """The folder in which a site comes about."""
        return self.cache / "staging"

    @property
    def record(self) -> Path:
        """The file that remembers what was written, and from what."""
        return self.cache / "build.sqlite"

    @property
    def fingerprints(self) -> Path:
        """The file that remembers the digests of model files."""
        return self.cache / "fingerprints.json"

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the seconds of what is done inside to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
