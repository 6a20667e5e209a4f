"""Tell whether a file is still the one that was looked at, without reading it.

Times of modification can be set by anybody (`cp -p`, `rsync -t`, `tar x`), so a stamp also holds the time of
change (ctime), which only the system sets, and the inode, which a file that was moved into the place of
another brings along. Where a system tells neither, size and time of modification are all there is.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import NamedTuple

# File systems tell times in steps: of some milliseconds, or (FAT, NFS of old servers, HFS+) of two seconds.
_FINE_TICK = 20_000_000
_COARSE_TICK = 2_000_000_000
_NO_TIME = -1
# Where a system tells no time of change, files of at most so many bytes are read to be sure.
_QUICKLY_READ = 1 << 20


class Stamp(NamedTuple):
    """What the file system tells of a file: size in bytes, times in nanoseconds since 1970, inode.

    `changed` and `inode` are -1 where the system does not tell them.
    """

    size: int
    modified: int
    changed: int
    inode: int

    @property
    def touched(self) -> int:
        """When the file was last changed, as far as the file system tells, in nanoseconds."""
        return self.modified if self.changed == _NO_TIME else self.changed

    @property
    def tick(self) -> int:
        """The step in which the file system tells times, in nanoseconds; coarse ones tell whole seconds."""
        return _FINE_TICK if self.touched % 1_000_000_000 else _COARSE_TICK

    @property
    def is_doubtful(self) -> bool:
        """Whether a file with this very stamp could be another, and is small enough to be read each time."""
        return self.changed == _NO_TIME and 0 <= self.size <= _QUICKLY_READ


ABSENT = Stamp(-1, 0, 0, 0)


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file from its status."""
    if sys.platform == "win32":  # there st_ctime is when a file was made
        return Stamp(status.st_size, status.st_mtime_ns, _NO_TIME, status.st_ino or _NO_TIME)
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def stamp_file(name: str | os.PathLike[str]) -> Stamp:
    """The stamp of a file, `ABSENT` where there is none; of a link that leads nowhere, that of the link.

    Raises `OSError` where that cannot be told.
    """
    try:
        return stamp_of(os.stat(name))
    except (FileNotFoundError, NotADirectoryError):
        return stamp_of(os.lstat(name)) if os.path.islink(name) else ABSENT


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by the wall clock, which people set, and by one that only runs on; both in nanoseconds."""

    wall: int
    steady: int

    @classmethod
    def now(cls) -> Moment:
        """This moment."""
        return cls(time.time_ns(), time.monotonic_ns())

    def settled(self, stamp: Stamp) -> bool:
        """Whether a file was last changed before this moment for certain.

        A change in the clock's tick of the moment might have come before or after it.
        """
        return stamp.touched + stamp.tick < self.wall

    def wait_for(self, stamp: Stamp) -> float:
        """Seconds until a file with this stamp is settled; 0 where it is, or lies too far ahead to wait."""
        ahead = stamp.touched + stamp.tick + 1 - self.wall
        return ahead / 1e9 if 0 < ahead <= 2 * stamp.tick else 0.0

    def clock_held(self) -> bool:
        """Whether the wall clock was not set back since then: if it was, changes since can look older."""
        now = Moment.now()
        steady = now.steady - self.steady
        # A clock that is kept in time by the network runs slower by a thousandth at most.
        return now.wall - self.wall >= steady - steady // 1000 - _FINE_TICK
