"""Compare every byte of a site with what the last build wrote; builds look at stamps alone."""

from __future__ import annotations

from pathlib import Path

from attention_gallery.addresses.routes import file_of
from attention_gallery.build.cache_folder import unreadable_file
from attention_gallery.build.execute.record import Record
from attention_gallery.errors import OutputError, Problem
from attention_gallery.files import kind_of, why_unreadable
from attention_gallery.hashing import digest_file

_MEND = "make every page again: attention-gallery build --force"


def check_bytes(record_path: Path, site: Path) -> int:
    """Read every file of a site and return how many there are.

    Raises `OutputError` with all that are not as the build left them, or where nothing tells how it did.
    """
    record = Record(record_path)
    try:
        outputs = sorted((file_of(route), digest) for route, digest, *_ in record.stamps())
    finally:
        record.close()
    if not outputs:
        mend = "remove it, and build once: attention-gallery build"
        if problems := [*unreadable_file(record_path, "the record of the build cannot be read", mend)]:
            raise OutputError(problems)
        reason = "nothing tells what the build wrote: its record is gone, or of another version"
        raise OutputError(Problem(reason, "build once: attention-gallery build", record_path))
    problems = [
        Problem(reason, _MEND, site / name)
        for name, digest in outputs
        if (reason := _wrong(site / name, digest))
    ]
    if problems:
        raise OutputError(problems)
    return len(outputs)


def _wrong(path: Path, digest: str) -> str:
    """What is wrong with a file of the site, "" for nothing."""
    try:
        kind = kind_of(path)
        if kind == "nothing":
            return "the file is gone"
        if kind != "file" or path.is_symlink():
            return "this is no longer a plain file"
        return "" if digest_file(path) == digest else "the file is not as the build left it"
    except OSError as error:
        return f"the file cannot be read: {why_unreadable(error)}"
