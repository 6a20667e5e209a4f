"""Read files that others wrote: plain files of a stated size only, so that none hangs or fills memory.

A pipe that nobody writes to, a device that never ends, or a file that claims a terabyte would otherwise stop
a build for ever. What is looked at is the opened file, so that none can be put in its place in between.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

from attention_gallery.errors import Problem, UserError

KB, MB, GB = 1024, 1024**2, 1024**3
# The most that is read of one file, in bytes, by what it is for; stated in docs/safety.md.
LARGEST_ASSET = 256 * MB
LARGEST_PAGE = 256 * MB
LARGEST_SETTINGS = 64 * MB
LARGEST_VOCABULARY = 256 * MB

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# Without waiting for the other end of a pipe, and not handed on to programs that are started.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class UnusableFileError(UserError, OSError):
    """A file that is no plain file, or larger than any of its kind.

    It is an `OSError`, too, with its reason as `strerror`: where files are read that may be missing or
    unreadable, it is told like these.
    """

    def __str__(self) -> str:
        return self.render()


def _unusable(path: Path, reason: str, mend: str, number: int) -> UnusableFileError:
    error = UnusableFileError(Problem(f"the file cannot be read: {reason}", mend, path))
    error.errno, error.strerror, error.filename = number, reason, str(path)
    return error


def read_user_file(path: Path, largest: int) -> bytes:
    """The bytes of a plain file of at most `largest` bytes.

    Raises `UnusableFileError` for anything else, `IsADirectoryError` for a folder, and other `OSError` as
    `open` does. No more than `largest` bytes are ever held.
    """
    with open_user_file(path) as stream:
        size = file_size(stream)
        if size <= largest:
            data = stream.read(size + 1)
            if len(data) > size:  # it grows, or is made while it is read, as some files of the system are
                data += stream.read(largest + 1 - len(data))
            if len(data) <= largest:
                return data
    reason = f"it is larger than {in_words(largest)}, the most that is read of such a file"
    raise _unusable(path, reason, "divide it, or remove it", errno.EFBIG)


def open_user_file(path: Path) -> io.BufferedReader:
    """A plain file of any size, opened for reading in pieces. Raises as `read_user_file` does."""
    check_plain(path, path.stat().st_mode)  # before it is opened: to open a device can do something
    handle = os.open(path, _FLAGS)
    try:
        check_plain(path, os.fstat(handle).st_mode)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_user_file(path: Path, largest: int | None = None) -> None:
    """Check what a library is going to open by itself: a plain file of at most `largest` bytes, None for any.

    Raises as `read_user_file` does.
    """
    status = path.stat()
    check_plain(path, status.st_mode)
    if largest is not None and status.st_size > largest:
        reason = f"it has {in_words(status.st_size)}; at most {in_words(largest)} are read of such a file"
        raise _unusable(path, reason, "divide it, or remove it", errno.EFBIG)


def check_plain(path: Path, mode: int) -> None:
    """Raise `UnusableFileError`, or `IsADirectoryError`, where a file with this mode is no plain file."""
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((words for test, words in _KINDS if test(mode)), "no plain file")
    raise _unusable(path, f"it is {kind}", "put a plain file in its place, or remove it", errno.EINVAL)


def file_size(stream: io.BufferedReader) -> int:
    """The bytes of an opened file."""
    return os.fstat(stream.fileno()).st_size


def in_words(size: int) -> str:
    """A number of bytes for people: `32 MB`."""
    for unit, name in ((1024 * GB, "TB"), (GB, "GB"), (MB, "MB"), (KB, "kB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} bytes"
