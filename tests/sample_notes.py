"""Notes for tests, as if they had been read from a content folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from attention_gallery.errors import NoteError
from attention_gallery.notes.load_notes import Note, read_notes
from attention_gallery.notes.target import NoteTarget

ABOUT = NoteTarget("about")


def sample_note(body: str, target: NoteTarget = ABOUT, *, name: str = "about.md", line: int = 1) -> Note:
    """The note in `/p/<name>` whose body begins at `line`."""
    return Note(Path("/p") / name, name, target, "", "", (), False, body, line, "")


def load_notes(
    folder: Path,
    models: Collection[str],
    sentences: Collection[str],
    root: Path | None = None,
    contrasts: Collection[str] = (),
) -> tuple[Note, ...]:
    """All notes of the content folder, as `read_notes` reads them. Raises `NoteError` with what it tells."""
    read = read_notes(folder, models, sentences, root, contrasts)
    if read.problems:
        raise NoteError(read.problems)
    return read.notes
