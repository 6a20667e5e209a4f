"""One build of a gallery at a time. The locks are the system's: they end with their process, in any case."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attention_gallery.errors import OutputError

if sys.platform != "win32":
    import fcntl

LOCK = "build.lock"


@contextmanager
def build_lock(cache: Path, again: str = "build again") -> Iterator[None]:
    """Hold the lock of the gallery whose cache folder this is.

    Raises `OutputError` while a build runs; `again` is what to do once it has ended.
    """
    from filelock import FileLock, Timeout

    with _held_project(cache.parent, again):
        cache.mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise _is_running(again) from None
        try:
            yield
        finally:
            lock.release()


@contextmanager
def _held_project(root: Path, again: str) -> Iterator[None]:
    """Hold the folder of the project, too: the lock in the cache folder goes away with that folder."""
    descriptor = _opened(root)
    if descriptor is None:
        yield
        return
    try:
        _lock(descriptor, again)
        yield
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int | None:
    """A folder, to be locked; None where there are no locks of folders, or it may not be listed."""
    if sys.platform == "win32":
        return None
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError:
        return None


def _lock(descriptor: int, again: str) -> None:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _is_running(again) from None
        except OSError:  # some file systems of a network lock no folders; the file is locked all the same
            return


def _is_running(again: str) -> OutputError:
    return OutputError("another build of this gallery is running", f"wait for it to end, then {again}")
