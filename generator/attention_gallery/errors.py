"""Every error that the generator raises on purpose, and how it reads.

GalleryError                      anything the generator reports instead of a traceback
├── UserError                     a mistake that the user can mend; exit code 2
│   ├── ManifestError             gallery.yaml
│   ├── LockError                 gallery.lock
│   ├── NoteError                 Markdown notes and their front matter
│   ├── ThemeError                themes, templates and assets
│   ├── ModelError                a model that cannot be found, loaded or captured, or is not the locked one
│   ├── OutputError               the output folder, publishing, serving
│   └── LinkError                 a link to a page, anchor or asset that does not exist
└── DamagedEntry                  a stored capture that fails its checksum; captured again

A `UserError` carries one or more `Problem` values, so that all mistakes are told at once. Where all of them
are the system's (a full disk, a missing permission), the exit code is 1.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile
from pathlib import Path

# Format characters that scripts and emoji need: a terminal gets them as they are, and gives them no column.
# Every other invisible character is made visible.
COLUMNLESS = frozenset("\u200c\u200d\ufeff")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, what is wrong, and how to mend it.

    `line` and `column` are 1-based. `quote` is the offending source line, unchanged. `trouble` tells that the
    system failed and nobody made a mistake: a full disk, a missing permission.
    """

    reason: str
    mend: str = ""
    file: Path | None = None
    line: int | None = None
    column: int | None = None
    quote: str | None = None
    trouble: bool = False

    def render(self, relative_to: Path | None = None) -> str:
        """The problem as people read it: `file:line:column: reason`, the line quoted, the mend."""
        lines = [f"{self._place(relative_to)}{self.reason}"]
        if self.quote is not None and self.quote.strip():
            lines.extend(self._quotation())
        if self.mend:
            lines.append(f"  {self.mend}")
        return "\n".join(lines)

    def _place(self, relative_to: Path | None) -> str:
        if self.file is None:
            return ""
        path = self.file
        if relative_to is not None and path.is_relative_to(relative_to):
            path = path.relative_to(relative_to)
        line = "" if self.line is None else f":{self.line}"
        column = "" if self.line is None or self.column is None else f":{self.column}"
        return f"{path}{line}{column}: "

    def _quotation(self) -> list[str]:
        source = (self.quote or "").rstrip("\n").replace("\t", " ")
        column = self.column
        start = 0
        if _cut(source, 100) != source:
            # What is cut off before the mark leaves room for what follows it.
            start = max(0, (column or 1) - 40)
            while width(source[start : (column or 1) - 1]) > 39:
                start += 1
            source = _cut(source[start:], 96) + " …"
        gutter = f"{self.line} | " if self.line is not None else "| "
        quoted = [f"  {gutter}{source}"]
        if column is not None:
            # A column past the end of the line is that many spaces away from it.
            before = source[: column - 1 - start].ljust(column - 1 - start)
            quoted.append("  " + " " * (len(gutter) + width(before)) + "^")
        return quoted


def width(text: str) -> int:
    """How many columns of a terminal a text takes: wide letters take two, marks upon letters none."""
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if letter in COLUMNLESS or unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def _cut(text: str, most: int) -> str:
    """As much of the beginning of a text as fits into so many columns."""
    ends = accumulate(map(_columns, text))
    # Not to the end of the text: a long line may have a mistake at every letter, each of which quotes it.
    fitting = takewhile(lambda end: end <= most, ends)
    return text[: sum(1 for _ in fitting)]


class GalleryError(Exception):
    """Base of all errors that are told to the user as a message, never as a traceback."""

    exit_code = 1


class UserError(GalleryError):
    """One or more mistakes that the user can mend. Exit code 2, or 1 where all are troubles of the system."""

    def __init__(self, problems: Problem | str | Iterable[Problem], mend: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(problems, mend)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.exit_code = 1 if self.problems and all(problem.trouble for problem in self.problems) else 2
        super().__init__(self.render())

    def render(self, relative_to: Path | None = None) -> str:
        """All problems, in order, separated by a blank line."""
        return "\n\n".join(problem.render(relative_to) for problem in self.problems)


class ManifestError(UserError):
    """`gallery.yaml` cannot be used as it stands."""


class LockError(UserError):
    """`gallery.lock` is damaged or was edited."""


class NoteError(UserError):
    """A Markdown note or its front matter cannot be used as it stands."""


class ThemeError(UserError):
    """A theme, template or asset cannot be used as it stands."""


class ModelError(UserError):
    """A model cannot be found, loaded or captured, or is not the one that was locked."""


class OutputError(UserError):
    """The output folder cannot be written, served or published."""


class LinkError(UserError):
    """A link leads to a page, anchor or asset that the site does not have."""


class DamagedEntry(GalleryError):  # noqa: N818 - it names what was found, not what went wrong
    """A stored capture does not match its checksum or cannot be read."""


def short_message(problem: Problem, relative_to: Path | None = None) -> str:
    """A problem in one line, for a warning: `file:line:column: reason`."""
    return replace(problem, quote=None, mend="").render(relative_to)


def first_words(text: str, most: int) -> str:
    """The first line of what a library says, and the lines after it where it ends at a colon; "" for none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    end = next((number for number, line in enumerate(lines, 1) if not line.endswith(":")), len(lines))
    return " ".join(lines[:end])[:most].rstrip(" :")


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A sentence that offers the closest known name, or lists the known ones when few."""
    names = sorted(set(known))
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    if names and len(names) <= 12:
        return "known: " + ", ".join(names)
    return ""
