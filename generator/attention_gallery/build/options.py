"""What a build is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build. `strict`: warnings fail. `force`: take over a foreign folder, reuse nothing.

    `drafts`: show drafts too. `update_lock`: take models that differ from the lock into it.
    `keep_going`: capture what can be, although a sentence fails. `fresh`: read every file of the site.
    """

    strict: bool = False
    force: bool = False
    drafts: bool = False
    update_lock: bool = False
    keep_going: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `size` is in bytes; `seconds` is wall time by phase, in order."""

    site: Path
    pages: int
    written: int
    reused: int
    pruned: int
    captured: int
    size: int
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check looked at. `size` is in bytes."""

    pages: int
    links: int
    size: int
    warnings: tuple[str, ...]
