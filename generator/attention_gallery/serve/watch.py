"""Notice that files of a project change."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.errors import OutputError
from attention_gallery.project_files import CACHE

_IGNORED_NAMES = frozenset({".git", CACHE, ".venv", "__pycache__", "node_modules", ".DS_Store"})
_IGNORED_ENDINGS = (".swp", ".swx", ".tmp", ".part", "~", "4913")


@dataclass(frozen=True, slots=True)
class Watched:
    """What is to be watched: single files, folders with all they hold, and folders that never count."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    ignored: tuple[Path, ...] = ()

    def concerns(self, path: Path) -> bool:
        """Whether a change of `path` is one to act on."""
        if path in self.files:
            return True
        if path.name.endswith(_IGNORED_ENDINGS) or any(map(path.is_relative_to, self.ignored)):
            return False
        around = next(filter(path.is_relative_to, self.folders), None)
        return around is not None and not _IGNORED_NAMES.intersection(path.relative_to(around).parts)


class Watcher:
    """Gathers changes in the background; `next` hands out those since the last time.

    Files are watched through their folder, because editors replace files rather than write into them, and
    so is the coming and going of watched folders.
    """

    def __init__(self, watched: Watched, *, debounce_ms: int = 150) -> None:
        self._watched = watched
        self._debounce_ms = debounce_ms
        self._changes: queue.Queue[frozenset[Path]] = queue.Queue()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._deep: tuple[Path, ...] = ()
        self._failure: Exception | None = None

    @property
    def watched(self) -> Watched:
        """What is watched."""
        return self._watched

    @property
    def complete(self) -> bool:
        """Whether the folders that exist now are those that are watched."""
        return self._deep == self._existing()

    def __enter__(self) -> Watcher:
        self._deep = deep = self._existing()
        parents = {path.parent for path in (*self._watched.files, *self._watched.folders)}
        shallow = tuple(sorted(folder for folder in parents if folder.is_dir()))
        for folders, recursive in ((shallow, False), (deep, True)):
            if folders:
                thread = threading.Thread(target=self._watch, args=(folders, recursive), daemon=True)
                self._threads.append(thread)
                thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def next(self, seconds: float | None = None) -> frozenset[Path]:
        """The paths that changed; waits for at most `seconds`, and is empty when nothing happened.

        Raises `OutputError` when the system watches no longer.
        """
        if self._failure is not None:
            mend = "close other programs that watch files, or raise the system's limit of watches"
            raise OutputError(f"the files of the project cannot be watched: {self._failure}", mend)
        try:
            changed = set(self._changes.get(timeout=seconds))
        except queue.Empty:
            return frozenset()
        while not self._changes.empty():
            changed |= self._changes.get_nowait()
        return frozenset(changed)

    def _existing(self) -> tuple[Path, ...]:
        return tuple(folder for folder in self._watched.folders if folder.is_dir())

    def _watch(self, folders: tuple[Path, ...], recursive: bool) -> None:
        from watchfiles import watch

        try:
            for changes in watch(
                *folders,
                watch_filter=lambda _, path: self._watched.concerns(Path(path)),
                debounce=self._debounce_ms,
                step=50,
                rust_timeout=500,
                stop_event=self._stop,
                recursive=recursive,
                raise_interrupt=False,
            ):
                self._changes.put(frozenset(Path(path) for _, path in changes))
        except Exception as error:  # of a library that raises errors of its own; told by `next`
            self._failure = error
