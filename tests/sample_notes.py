"""Notes for tests, as if they had been read from a content folder."""

from __future__ import annotations

from pathlib import Path

from attention_gallery.notes.load import Note
from attention_gallery.notes.target import NoteTarget

ABOUT = NoteTarget("about")


def sample_note(body: str, target: NoteTarget = ABOUT, *, name: str = "about.md", line: int = 1) -> Note:
    """The note in `/p/<name>` whose body begins at `line`."""
    return Note(Path("/p") / name, name, target, "", "", (), False, body, line, "")
