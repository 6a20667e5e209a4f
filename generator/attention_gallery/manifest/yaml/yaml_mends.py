"""What to do about a text that is not YAML, and in which line the mistake was made.

The parser tells where it could not go on, in its own words; the mistake is often in the line before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

_CONFLICT = re.compile(r"<{7}(?: |$)|={7}$|>{7}(?: |$)")
# A key that lacks the space after its colon, one that lacks the colon, and characters that only look right.
_NO_SPACE = re.compile(r"\s*(?:- +)?([A-Za-z_][\w-]*):(?=[^\s/:])")
_NO_COLON = re.compile(r"\s*(?:- +)?[A-Za-z_][\w-]*(?: [^:#\[\]{}]*)?$")
_LOOKALIKES = {
    "\xa0": "a no-break space",
    "\u200b": "a blank without width",
    "\u3000": "a wide space",
    "\uff1a": "a wide colon",
}
_TABS = "YAML does not allow tabs for indentation: use spaces"
_INDENT = "check the indentation"
_COLON = 'a text that contains ": " needs quotes around it, or `|` and a line of its own'
_SPACE = "a key is followed by a colon and a space"
_DIRECTIVE = "remove the lines that begin with `%`; text that begins with `%` needs quotes"
_TAG = "text that begins with `*`, `&` or `!` needs quotes"
ANY = "compare it with the examples in docs/manifest.md; a text in quotes can hold anything"
_MENDS = (
    ("sequence entries are not", "begin a list in a new line; text that begins with `- ` needs quotes"),
    ("mapping keys are not allowed", "text that begins with `? ` needs quotes"),
    (
        "expected comment or line break",
        "what `|` and `>` introduce begins in the next line; text that begins with one of these needs quotes",
    ),
    ("indentation indicator equal to 0", "write `|` alone"),
    ("unexpected end of stream", "a quote or bracket that is opened here is not closed"),
    ("unexpected document indicator", "a line `---` or `...` stands inside a text in quotes: indent it"),
    ("expected node content", "a value is missing here, or a bracket was not opened; put text in quotes"),
    ("expected <document start>", "remove the line `...`: nothing may follow the end of the document"),
    ("unknown escape character", "in double quotes a backslash is written `\\\\`; or use single quotes"),
    ("hexdecimal number", "`\\x` needs 2 hexadecimal digits, `\\u` 4; a backslash is written `\\\\`"),
    ("invalid Unicode character escape", "write the character itself; half of a surrogate pair is none"),
    ("incompatible YAML document", "remove the %YAML line"),
    ("directive", _DIRECTIVE),
    ("version", _DIRECTIVE),
    ("undefined tag handle", "text that begins with `!` needs quotes"),
    ("tag", _TAG),
    ("expected '!'", _TAG),
    ("expected '>'", _TAG),
    ("URI", _TAG),
    ("alphabetic or numeric", _TAG),
    ("tab character", _TABS),
)


@dataclass(frozen=True, slots=True)
class Mend:
    """What to do, and the 1-based line and column of the mistake."""

    text: str
    line: int
    column: int


def mend_of(error: yaml.MarkedYAMLError, lines: list[str]) -> Mend | None:
    """The mend of a mistake in a text of these lines; None where the parser does not tell a place."""
    mark: Any = error.problem_mark or error.context_mark
    if mark is None:
        return None
    complaint = str(error.problem or error.context or "")
    if complaint == "found unexpected end of stream" and error.context_mark is not None:
        mark = error.context_mark
    cursor = _Cursor(lines, mark.line, mark.column)
    if conflict := cursor.conflict():
        return cursor.here(f"settle the merge conflict at line {conflict}, and remove the lines that mark it")
    if lookalike := cursor.lookalike():
        return lookalike
    if (
        "expected key" in complaint
        or "expected '-' indicator" in complaint
        or "expected <block end>" in complaint
    ):
        return cursor.here(_of_block(cursor, error.context_mark, complaint))
    if "mapping values are not allowed" in complaint or "could not find expected ':'" in complaint:
        return _of_colon(cursor, complaint)
    if "expected ',' or" in complaint:
        return _of_bracket(cursor, error.context_mark)
    if "cannot start any token" in complaint:
        wrong = cursor.line[cursor.column : cursor.column + 1]
        return cursor.here(_TABS if wrong == "\t" else f"text that begins with `{wrong}` needs quotes")
    return cursor.here(next((mend for sign, mend in _MENDS if sign in complaint), ANY))


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where the parser could not go on: 0-based row and column."""

    lines: list[str]
    row: int
    column: int

    @property
    def line(self) -> str:
        return self.lines[self.row] if self.row < len(self.lines) else ""

    def here(self, text: str) -> Mend:
        return Mend(text, self.row + 1, self.column + 1)

    def before(self) -> int | None:
        """The row of the last line before that says something."""
        rows = (row for row in range(min(self.row, len(self.lines)) - 1, -1, -1))
        return next((row for row in rows if self.lines[row].split("#")[0].strip()), None)

    def conflict(self) -> int | None:
        near = range(max(0, self.row - 2), min(len(self.lines), self.row + 1))
        return next((row + 1 for row in near if _CONFLICT.match(self.lines[row])), None)

    def lookalike(self) -> Mend | None:
        for row in (self.row, self.before()):
            line = self.lines[row] if row is not None and row < len(self.lines) else ""
            column = next((at for at, mark in enumerate(line) if mark in _LOOKALIKES), None)
            if row is not None and column is not None:
                code = f"{_LOOKALIKES[line[column]]} (U+{ord(line[column]):04X})"
                return Mend(f"the line has {code}: write the plain one", row + 1, column + 1)
        return None


def _of_block(cursor: _Cursor, begin: Any, complaint: str) -> str:
    """Something stands where the next key, or the next item of a list, must begin."""
    before = cursor.line[: cursor.column].rstrip()
    here = cursor.line[cursor.column :]
    if here.startswith(("]", "}")):
        return "this bracket was not opened; text that begins or ends with brackets needs quotes"
    if before.endswith(('"', "'")):
        return "a text ends at its closing quote: put all of it in quotes; between `'` a `'` is written twice"
    if here.startswith(":"):
        return "write a name before the colon"
    row = cursor.before()
    if here.startswith("-") and row is not None and re.match(r"\s*-[^\s-]", cursor.lines[row]):
        return "an item begins with `-` and a space, also in the line before"
    since = "began above"
    if begin is not None:
        since = f"began in line {begin.line + 1}, column {begin.column + 1}"
    if "'-' indicator" in complaint:
        return f"{_INDENT}: the list {since}; its items begin there with `- `, their keys further in"
    if here.startswith("-"):
        return f"{_INDENT}: the block {since}; the items of a list all begin in one column"
    return f"{_INDENT}: the block {since}, and all its keys begin in that column"


def _of_bracket(cursor: _Cursor, begin: Any) -> Mend:
    """A list or block in brackets does not go on as it must."""
    if begin is not None and begin.line < cursor.row:
        return Mend("the bracket that opens here is not closed", begin.line + 1, begin.column + 1)
    mend = "values in brackets are parted by commas, and `[` ends with `]`, `{` with `}`"
    return cursor.here(f"{mend}; text that begins with one needs quotes")


def _of_colon(cursor: _Cursor, complaint: str) -> Mend:
    """A colon stands where none is expected, or none where one is."""
    row = cursor.before()
    above = cursor.lines[row] if row is not None else ""
    key = cursor.line[: cursor.column].strip()
    if row is not None and (match := _NO_SPACE.match(above)):
        return Mend(f"{_SPACE}: `{match[1]}: …`", row + 1, match.end())
    if ": " not in key and row is not None:
        if _indent(above) < _indent(cursor.line) and re.search(r":\s+\S", above):
            return cursor.here(f"{_INDENT}: the keys of one block begin in one column")
        if _NO_COLON.match(above):
            return Mend(_SPACE, row + 1, len(above.rstrip()) + 1)
    if "could not find" in complaint:
        return cursor.here(f"{_SPACE}; check the indentation of this line")
    return cursor.here(_COLON)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
