"""The order of a theme's scripts: each may say on top what it needs, and runs after that."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.errors import Problem, UserError, did_you_mean
from attention_gallery.theme.find_theme import Theme
from attention_gallery.theme.theme_files import LARGEST_FILE
from attention_gallery.user_files import read_user_file

# Blanks, comments and "use strict", before the first line of code.
_TOP = re.compile(r"""(?:\s+|//[^\n]*|/\*.*?\*/|(["'])use strict\1;?)*+""", re.DOTALL)
_NEEDS = re.compile(r"^// needs:([^\n]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Need:
    """One script that another needs: its path in `assets/`, and where that is said."""

    script: str
    written: str
    file: Path
    line: int
    column: int
    quote: str

    def problem(self, reason: str, mend: str) -> Problem:
        return Problem(reason, mend, self.file, self.line, self.column, self.quote)


def in_order(theme: Theme) -> tuple[list[str], list[Problem]]:
    """The scripts of a theme in the order in which they run, and what is wrong with what they need.

    They run as they are listed, but each after all that it needs, listed or not.
    """
    order: dict[str, None] = {}
    problems: list[Problem] = []
    for script in theme.scripts:
        if script not in order:
            problems += _put(script, theme, order)
    return list(order), problems


def _put(script: str, theme: Theme, order: dict[str, None]) -> Iterator[Problem]:
    """Puts a script into the order, after all that it needs. Without recursion: a chain may be long."""
    begun = {script: iter(_needs(theme, script))}
    while begun:
        # The last one begun, as on a stack; a dict tells at once what is on it.
        current, needs = next(reversed(begun.items()))
        need = next(needs, None)
        if need is None:
            order[current] = None
            del begun[current]
        elif need.script in begun:
            names = list(begun)
            circle = " → ".join([*names[names.index(need.script) :], need.script])
            reason = f"scripts need each other in a circle: {circle}"
            yield need.problem(reason, "let one of them do without, or put what both need into a third")
        elif need.script not in order:
            if _exists(need.script, theme):
                begun[need.script] = iter(_needs(theme, need.script))
            else:
                folder = posixpath.dirname(script)
                mend = did_you_mean(need.written, [posixpath.relpath(name, folder) for name in theme.scripts])
                yield need.problem(f'there is no script "{need.written}"', mend)


def _exists(script: str, theme: Theme) -> bool:
    if script.startswith(("/", "../")):
        return False
    try:
        return theme.find_asset(script) is not None
    except UserError:  # a link that leads out of the theme, which is told where it is read
        return True


def _needs(theme: Theme, script: str) -> list[Need]:
    """What a script needs; one that says nothing needs what the script needs that it replaces."""
    for folder in theme.folders:
        declared = _declared(folder / "assets" / script, posixpath.dirname(script))
        if declared is not None:
            return declared
    return []


def _declared(file: Path, folder: str) -> list[Need] | None:
    """What a file says that it needs, by paths that start in its own folder; None where it says nothing."""
    try:
        text = read_user_file(file, LARGEST_FILE).decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:  # told where it is read, if it is
        return None
    code = _TOP.match(text)
    assert code is not None  # it matches nothing, too
    found: list[Need] | None = None
    for match in _NEEDS.finditer(text, 0, code.end()):
        names = list(re.finditer(r"[^\s,]+", match[1]))
        if names and not any(name[0].endswith(".js") for name in names):
            continue  # a sentence that happens to begin so
        found = found or []
        line, start = text.count("\n", 0, match.start()) + 1, match.start(1) - match.start() + 1
        for name in names:
            script = posixpath.normpath(posixpath.join(folder, name[0]))
            found.append(Need(script, name[0], file, line, start + name.start(), match[0].rstrip()))
    return found
