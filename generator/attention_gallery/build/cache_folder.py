"""The folder that a build works in, held on to while it runs: what becomes of it is one message."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attention_gallery.build.build_lock import LOCK
from attention_gallery.errors import DamagedEntry, OutputError, Problem
from attention_gallery.project_files import RESULTS, STORE, TEMPLATES
from attention_gallery.user_files import open_user_file

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)
# Folders of what is cached. A build cannot tell what it may not read from what is missing.
FOLDERS = (STORE, RESULTS, TEMPLATES)
_REMOVE = "remove it while no build runs"
_AGAIN = "build again; the previous site is untouched"


@contextmanager
def held_cache(cache: Path) -> Iterator[Callable[[], None]]:
    """Make the cache folder, hold on to it, and give what raises `OutputError` once it is no longer there.

    Much of it is made again where it is missing, so that nothing need fail. Raises `OutputError` where it is
    no folder, and for whatever fails because it, or something in it, was removed or replaced meanwhile.
    """
    _make(cache)
    require_readable(cache, ())
    handle = os.open(cache, os.O_RDONLY) if hasattr(os, "O_DIRECTORY") else None

    def require_same() -> None:
        """Raise `OutputError` once the folder is another, or none."""
        if reason := _lost(cache, handle):
            raise OutputError(Problem(reason, _AGAIN, cache))

    try:
        yield require_same
    except Exception as error:  # without its files anything can fail
        reason = _lost(cache, handle) or _lost_within(cache, error)
        if reason is None:
            raise
        raise OutputError(Problem(reason, _AGAIN, cache)) from error
    finally:
        if handle is not None:
            os.close(handle)


def _make(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OutputError(_no_folder(cache)) from None


def require_readable(cache: Path, names: Iterable[str] = FOLDERS) -> None:
    """Raise `OutputError` where the cache folder, or one of these folders in it, cannot be read as a folder.

    What is not there yet is no mistake. Of the folders inside them the first is named: as a rule it is all.
    """
    problems = [*_unreadable(cache)] or [
        *unreadable_file(cache / LOCK, "the lock of builds cannot be read", _REMOVE)
    ]
    for folder in () if problems else (cache / name for name in names):
        folders = (folder, *sorted(_folders(folder)))
        problems += next(filter(None, ([*_unreadable(inner)] for inner in folders)), [])
    if problems:
        raise OutputError(problems)


def _unreadable(folder: Path) -> Iterator[Problem]:
    if os.path.lexists(folder) and not os.path.isdir(folder):
        yield _no_folder(folder)
        return
    try:
        os.stat(folder / ".")  # its files can be opened: a folder may be listed and yet give none of them
        with os.scandir(folder):
            return
    except FileNotFoundError:
        return
    except OSError as error:
        yield _not_read("the folder cannot be read", error, _REMOVE, folder)


def _folders(folder: Path) -> Iterator[Path]:
    """The folders in a folder, none of one that may not be listed."""
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (Path(entry.path) for entry in entries if entry.is_dir())


def unreadable_file(path: Path, reason: str, mend: str) -> Iterator[Problem]:
    """A problem for a file that is there and cannot be read."""
    try:
        open_user_file(path).close()
    except FileNotFoundError:
        return
    except OSError as error:
        yield _not_read(reason, error, mend, path)


def _not_read(reason: str, error: OSError, mend: str, path: Path) -> Problem:
    from attention_gallery.files import cannot_read  # what it imports would delay builds with nothing to do

    return cannot_read(reason, error, mend, path)


def _no_folder(path: Path) -> Problem:
    mend = "move it away: a build keeps what it captured in a folder of this name"
    return Problem(f'"{path.name}" is not a folder', mend, path)


def _lost(cache: Path, handle: int | None) -> str | None:
    """What became of the folder; None where it is still the same."""
    name = f'the folder "{cache.name}"'
    try:
        status = os.stat(cache)
    except OSError:
        return f"{name} was removed while the build was running"
    if not os.path.isdir(cache):
        return f"{name} was replaced by a file while the build was running"
    # While it is held, no other folder can have its number.
    if handle is not None and not os.path.samestat(status, os.fstat(handle)):
        return f"{name} was replaced by another while the build was running"
    return None


def _lost_within(cache: Path, error: BaseException) -> str | None:
    """What was removed from the folder, where an error tells of that."""
    # Of a capture that was there; its folder may have been made again by then.
    gone = isinstance(error.__cause__, FileNotFoundError) or not (cache / STORE).is_dir()
    if isinstance(error, KeyError | DamagedEntry) and gone:
        return f'"{cache.name}/store", or something in it, was removed while the build was running'
    if (
        not isinstance(error, OSError)
        or error.errno not in _GONE
        or not isinstance(error.filename, str | Path)
    ):
        return None
    path = Path(error.filename)
    if not path.is_relative_to(cache) or path == cache:
        return None
    inside = path.relative_to(cache).parts[0]
    return f'"{cache.name}/{inside}", or something in it, was removed while the build was running'
