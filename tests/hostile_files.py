"""Things that can lie where a file is read, and that would hang a reader or fill its memory."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

HUGE = 1 << 40  # bytes that a file claims without taking any from the disk


def pipe(path: Path) -> None:
    """A named pipe that nobody writes to."""
    os.mkfifo(path)


def linked_pipe(path: Path) -> None:
    """A link to one, hidden beside it."""
    os.mkfifo(path.with_name(f".{path.name}.pipe"))
    path.symlink_to(f".{path.name}.pipe")


def unix_socket(path: Path) -> None:
    """A socket, bound from its own folder, as their paths must be short."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def endless(path: Path) -> None:
    """A device that never ends."""
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    """A terabyte of nothing."""
    with path.open("wb") as stream:
        stream.truncate(HUGE)


Maker = Callable[[Path], None]
# What each is called in messages.
SPECIAL: dict[Maker, str] = {pipe: "a named pipe", linked_pipe: "a named pipe", unix_socket: "a socket"}
ENDLESS: dict[Maker, str] = {endless: "a device"}
LARGE: dict[Maker, str] = {huge: ""}


def put(path: Path, make: Maker) -> Path:
    """`path` with what `make` makes in the place of whatever lay there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    return path
