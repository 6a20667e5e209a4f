"""File effects that never leave a half-written thing behind."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from attention_gallery.errors import Problem, UserError

Kind = Literal["nothing", "file", "folder", "other"]

# What the system refuses although nobody made a mistake.
_TROUBLE = (
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # full disks
    | {errno.EACCES, errno.EPERM, errno.EROFS}  # permissions
    | {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # limits
    | {errno.EIO}  # broken devices
)
_AGAINST = dict.fromkeys((errno.EACCES, errno.EPERM), "check who owns it and its permissions")
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # Linux renameat2(2)
_RENAME_SWAP = 2  # macOS renamex_np(2)


def is_system_trouble(error: BaseException) -> bool:
    """Whether the system failed and nobody made a mistake: a full disk, a missing permission.

    Commands end with exit code 1 then. A file that we refuse to read is the user's to mend, whatever number
    of the system its error has.
    """
    return isinstance(error, OSError) and error.errno in _TROUBLE and not isinstance(error, UserError)


def parse_json(data: bytes | str) -> Any:
    """What a JSON text holds. Raises `ValueError` where it is none, or nested too deeply."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds either its old content or all of the new.

    The bytes are flushed to the disk before they take the name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes private files; what we write is to be read
        os.replace(temporary, path)
    except BaseException:
        remove_file(Path(temporary))
        raise


def sweep_unfinished(folder: Path) -> None:
    """Remove what killed writers left in `folder` and the folders in it; while nobody else writes there."""
    for pattern in (".*.tmp", "*/.*.tmp", "*.part"):
        for path in folder.glob(pattern):
            remove_file(path)


def make_folder(folder: str) -> None:
    """Make a folder where there is none, and those above it; quickest where only the last one is missing."""
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)


def remove_file(path: Path) -> None:
    """Remove a file; it is no error when there is none."""
    path.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a folder with all it holds; it is no error when there is none."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return


def link_or_copy(source: str, target: str) -> None:
    """Give `source` a second name, or copy it with its times where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOSPC, errno.EEXIST, errno.EDQUOT):
            raise
        shutil.copy2(source, target)


def kind_of(path: Path) -> Kind:
    """What stands at a path, links followed: nothing where there is not even a link.

    Raises `OSError` where that cannot be told: for a link that leads nowhere or in a circle, and in a folder
    that may not be read. `Path.exists` and its like say no to some of these, and raise for others.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise FileNotFoundError(errno.ENOENT, "the link leads nowhere", str(path)) from None
        return "nothing"
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def cannot_read(reason: str, error: OSError, mend: str, path: Path | None = None) -> Problem:
    """A problem with something that cannot be read: `reason`, with what the system says of it.

    `mend` is for mistakes that do not know their own; what helps against trouble of the system is the same
    everywhere.
    """
    trouble = is_system_trouble(error)
    if isinstance(error, UserError):
        mend = error.problems[0].mend
    elif trouble:
        mend = _AGAINST.get(error.errno or 0, "check the disk")
    return Problem(f"{reason}: {why_unreadable(error)}", mend, path, trouble=trouble)


def why_unreadable(error: OSError) -> str:
    """Why something cannot be read, in a few words."""
    if error.errno == errno.ELOOP:
        return "the link leads in a circle"
    if isinstance(error, UserError):  # our own words, with units and names as they are written
        return str(error.strerror)
    return (error.strerror or str(error)).lower()


def walk_files(folder: Path, empty_folders: bool = False) -> Iterator[str]:
    """All files and symbolic links below `folder`, as sorted POSIX paths relative to it.

    There are none where there is no folder. With `empty_folders`, folders that hold nothing too, with "/" at
    their end. Raises `OSError` for a folder that cannot be read.
    """
    try:
        yield from _walk(str(folder), "", empty_folders)
    except FileNotFoundError:
        if os.path.lexists(folder):
            raise


def _walk(folder: str, prefix: str, empty_folders: bool) -> Iterator[str]:
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    if empty_folders and prefix and not entries:
        yield prefix
    below = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    yield from (prefix + entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    for entry in below:
        yield from _walk(entry.path, f"{prefix}{entry.name}/", empty_folders)


def swap_folders(new: Path, live: Path) -> None:
    """Make `new` the folder that stands at `live`; what stood there is afterwards found at `new`.

    Where the system can exchange two names in one step (Linux, macOS) there is no moment without a
    whole folder at `live`. Elsewhere the old folder steps aside as `<live>.previous` for the moment
    between two renames; `recover_swap` puts it back if the process ends just then.
    """
    if not live.exists():
        os.rename(new, live)
        return
    if _exchange(new, live):
        return
    aside = _aside(live)
    os.rename(live, aside)
    try:
        os.rename(new, live)
    except BaseException:
        os.rename(aside, live)
        raise
    os.rename(aside, new)


def recover_swap(live: Path) -> None:
    """Put back a folder that an interrupted `swap_folders` left aside, or drop it when it was replaced."""
    aside = _aside(live)
    if not aside.exists():
        return
    if live.exists():
        remove_tree(aside)
    else:
        os.rename(aside, live)


def _aside(live: Path) -> Path:
    return live.with_name(f".{live.name}.previous")


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step. False where the system or the file system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        result = library.renameat2(
            _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
        )
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        result = library.renamex_np(os.fsencode(first), os.fsencode(second), _RENAME_SWAP)
    else:
        return False
    if result == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))
