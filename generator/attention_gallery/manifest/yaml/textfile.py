"""Text files of the user, and what is wrong with one that is not UTF-8."""

from __future__ import annotations

from pathlib import Path

from attention_gallery.errors import Problem
from attention_gallery.manifest.yaml.nodes import split_lines


def not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> Problem:
    """The problem of a file that is not UTF-8, at the line of the first wrong byte."""
    before = split_lines(data[: error.start].decode("utf-8", "replace"))
    whole = split_lines(data.decode("utf-8", "replace"))
    reason = f"the file is not UTF-8: byte {error.start + 1} is 0x{data[error.start]:02X}"
    line = len(before)
    mend = "save it as UTF-8 in your editor"
    return Problem(reason, mend, path, line, len(before[-1]) + 1, whole[line - 1])
