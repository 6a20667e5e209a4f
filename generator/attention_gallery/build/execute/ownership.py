"""Which files of a site are ours: a list that lies in the site itself, so that it outlives every cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from attention_gallery.errors import OutputError, Problem
from attention_gallery.files import parse_json
from attention_gallery.user_files import LARGEST_PAGE, read_user_file

MARKER = ".attention-gallery"
_FORMAT = 1


def marker_bytes(files: Iterable[str], drafts: bool = False) -> bytes:
    """The marker of a site that consists of these files (paths relative to the site).

    `drafts` tells whether the site shows drafts: such a site is not meant to be published.
    """
    return b"".join(marker_lines(sorted(files), drafts))


def marker_lines(files: Iterable[str], drafts: bool = False) -> Iterator[bytes]:
    """As `marker_bytes`, one line of JSON at a time and in the order given, for sites of any size."""
    value: dict[str, object] = {"generator": "attention-gallery", "format": _FORMAT}
    if drafts:
        value["drafts"] = True
    yield json.dumps(value)[:-1].encode() + b', "files": [\n'
    separator = ""
    for name in files:
        yield f"{separator}{json.dumps(name, ensure_ascii=False)}".encode("utf-8", "surrogatepass")
        separator = ",\n"
    yield b"\n]}\n"


def owned_files(site: Path, force: bool) -> set[str]:
    """The files of the site that the generator wrote, the marker included.

    Empty for a folder that does not exist or is empty. Raises `OutputError` for a folder that is not
    ours, unless `force` is given; then nothing in it counts as ours.
    """
    if site.is_symlink():
        reason = f'the output "{site.name}" is a symbolic link'
        raise OutputError(Problem(reason, "give a folder inside the project", site))
    if not site.exists():
        return set()
    if not site.is_dir():
        raise OutputError(Problem(f'the output "{site.name}" is a file', "move it away", site))
    marker = site / MARKER
    if marker.is_file() and (files := _read(marker)) is not None:
        return {MARKER, *files}
    if force or not any(site.iterdir()):
        return set()
    reason = f'the folder "{site.name}" holds files that attention-gallery did not write'
    mend = "choose another `output:`, or use --force to build into it (foreign files are kept)"
    raise OutputError(Problem(reason, mend, site))


def _read(marker: Path) -> list[str] | None:
    try:
        value = parse_json(read_user_file(marker, LARGEST_PAGE))
        files = value["files"]
        ours = value["generator"] == "attention-gallery" and isinstance(files, list)
        return [str(name) for name in files] if ours else None
    except (ValueError, KeyError, TypeError):
        return None
