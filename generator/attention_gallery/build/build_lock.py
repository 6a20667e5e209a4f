"""One build of a gallery at a time. The locks are the system's: they end with their process, in any case."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
    with ExitStack() as stack:
        if sys.platform != "win32":
            try:
                descriptor = os.open(root, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _is_running(again) from None
            except OSError:
                # It may not be listed, or lies on a network's file system that locks no folders: the file in
                # the cache folder is locked all the same.
                pass
        yield


def _is_running(again: str) -> OutputError:
    return OutputError("another build of this gallery is running", f"wait for it to end, then {again}")
