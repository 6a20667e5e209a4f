"""One build of a gallery at a time. The lock is the system's: it ends with its process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attention_gallery.errors import OutputError

LOCK = "build.lock"


@contextmanager
def build_lock(cache: Path, again: str = "build again") -> Iterator[None]:
    """Hold the lock of the gallery whose cache folder this is.

    Raises `OutputError` while a build runs; `again` is what to do once it has ended.
    """
    from filelock import FileLock, Timeout

    cache.mkdir(parents=True, exist_ok=True)
    lock = FileLock(cache / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        mend = f"wait for it to end, then {again}"
        raise OutputError("another build of this gallery is running", mend) from None
    try:
        yield
    finally:
        lock.release()
