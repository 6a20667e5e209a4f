"""Finds links, mathematics and live values in Markdown and puts marks in their place, which Markdown skips.

A mark is U+E000, a number, U+E001. What a mark stands for is put back after the HTML has been sanitised;
inside code it is put back as it was written.

Markdown tells no places, so every address that could become that of a link or picture gets a mark of its own,
which travels inside the `href` or `src` that Markdown makes of it and is read back there. Marks of what is no
link after all, in code, comments or plain text, vanish.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

MARK = re.compile("\ue000(\\d+)\ue001")

_FENCE = re.compile(r"^(?: {0,3}|(?:[ >]|[-*+] |\d+[.)] )*)(`{3,}|~{3,})([^\n]*)$")
# Where a mark may be put without Markdown reading anything else into the text: behind `](`, before the
# address of a reference, and at the beginning of an attribute's value.
_ADDRESS = r"""
      (?P<address>
          \]\((?:\s*<(?=[^<>]*>\s*(?:"[^"]*"|'[^']*')?\s*\)))?
        | \]:
        | (?<![\w-])(?i:href|src|alt|title)\s*=(?:\s*["']|[ \t]*(?=[^\s"'*_<>=`]))
      )
"""
# What follows the `]:` of a reference, up to its address.
_REFERRED = re.compile(
    r"""
    (?: [ ]*<?(?=[^\s<`*_])
      | [ ]*\n[ >]*+(?:<(?=[^\s<>/][^\s<>]*[./][^\s<>]*>)|(?![\#<`]|[-=*_+]+[ ]*$)) )
    (?=\S+[ ]*(?:["'(][^\n]*)?$)
    """,
    re.X | re.M,
)
_TOKENS = re.compile(
    rf"""
      (?P<private>[\ue000\ue001])
    | (?P<escape>\\(?:\$|\[\[|\{{\{{|\\|`))
    | (?P<code>`+)
    | (?P<link>\[\[(?!\^)[^\[\]\n]+\]\](?![(\[]))
    | (?P<live>\{{\{{(?P<call>(?:
          "(?:[^"\\\n]|\\.){{0,500}}" | '(?:[^'\\\n]|\\.){{0,500}}' | \}}(?!\}}) | \n(?!\s*\n) | [^}}"'\n]
      ){{0,500}})\}}\}})
    | (?P<open>\{{\{{)
    | (?P<block>\$\$(?P<blocktex>(?:[^$\\]|\\[\s\S])+?)\$\$)
    | (?P<math>(?<![\w$])\$(?![\s$])(?P<tex>(?:[^$\\`\n]|\\.|\n(?!\s*\n))*?(?:[^\s$\\`]|\\[^\s]))\$(?![\d$]))
    | (?P<footnote>^(?:[ ]{{0,3}}(?:>|[-*+][ ]|\d+[.)][ ]))*[ ]{{0,3}}(?=\[\^[^\]\n]*\]:))
    | {_ADDRESS}
    """,
    re.X | re.M,
)
_HIDDEN = re.compile(rf"(?P<private>[\ue000\ue001]) | {_ADDRESS}", re.X | re.M)
_CONTAINERS = re.compile(r"[ >]*(?:(?:[-*+]|\d+[.)]|:)[ ][ >]*)*")
_BRACKETS = re.compile(r"(?:\\(?:\\\\)*)?([\[\]])")
_FAR = 1000  # characters between the brackets of a link, at most
_DEEP = 20  # brackets in brackets
_BACKTICKS = re.compile("`+")
_PARAGRAPH_ENDS = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """What a mark stands for: `raw` as written, `text` without its delimiters.

    `line` is 1-based in the body, `column` 1-based in that line. A piece of kind "open" is two braces that
    are never closed; one of kind "address" stands where an address begins, and for nothing; one of kind
    "footnote" is where the footnote `text` is defined, and has no mark.
    """

    kind: Literal["link", "math", "block", "literal", "live", "open", "address", "footnote"]
    raw: str
    text: str
    line: int
    column: int


def scan(body: str) -> tuple[str, list[Piece]]:
    """The body with marks, and the pieces by number."""
    return _Scanner(body).marked()


def without_address_marks(text: str, pieces: Sequence[Piece]) -> str:
    """The text that `scan` gave, without the marks that stand for nothing."""
    return MARK.sub(lambda mark: "" if pieces[int(mark[1])].kind == "address" else mark[0], text)


class _Scanner:
    """Goes through a body once, from top to bottom; places are offsets in the body."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.lines = body.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        self.pieces: list[Piece] = []
        self.unclosed: dict[int, int] = {}  # up to where nothing closes so many backticks
        self.paragraph = -1  # where the paragraph ends that was looked at last

    def marked(self) -> tuple[str, list[Piece]]:
        result: list[str] = []
        begin, fence = 0, ""  # where the text began that is not fenced code, and the fence that is open
        for source, start in zip(self.lines, self.starts, strict=False):
            match = _FENCE.match(source)
            if fence:
                if match and match[1].startswith(fence) and not match[2].strip():
                    fence = ""
            elif match and not (match[1][0] == "`" and "`" in match[2]):
                result.append(self._text(begin, start))
                fence = match[1]
            else:
                continue
            end = min(start + len(source) + 1, len(self.body))
            result.append(self._code(start, end))
            begin = end
        result.append(self._text(begin, len(self.body)))
        return "".join(result), self.pieces

    def _text(self, begin: int, end: int) -> str:
        result: list[str] = []
        at = begin
        while token := _TOKENS.search(self.body, at, end):
            result.append(self.body[at : token.start()])
            at = token.end()
            if token["code"]:
                at = self._code_end(token, end)
                result.append(self._code(token.start(), at))
            elif token["footnote"] is not None:
                result.append(token[0])
                name = self.body[token.end() + 2 : self.body.index("]", token.end())]
                self._add("footnote", f"[^{name}]:", name, token.end())
                if not token[0]:  # nothing was read, and the next search shall not stop here again
                    result.append("[")
                    at += 1
            elif token["address"]:
                text, at = self._address(token)
                result.append(text)
            else:
                result.append(self._piece(token))
        result.append(self.body[at:end])
        return "".join(result)

    def _code(self, begin: int, end: int) -> str:
        """Code as it is, but for characters that look like a mark; should it be none, addresses are known."""

        result: list[str] = []
        at = begin
        while match := _HIDDEN.search(self.body, at, end):
            result.append(self.body[at : match.start()])
            mark, at = self._address(match) if match["address"] else (self._literal(match), match.end())
            result.append(mark)
        return "".join([*result, self.body[at:end]])

    def _literal(self, match: re.Match[str]) -> str:
        return self._add("literal", match[0], match[0], match.start())

    def _address(self, match: re.Match[str]) -> tuple[str, int]:
        """What leads to an address, with a mark before it, and where it begins."""
        at = match.end()
        if match[0] == "]:":
            referred = _REFERRED.match(self.body, at) if self._names(match.start()) else None
            if referred is None:
                return match[0], at
            at = referred.end()
        elif match[0].endswith("<") and not self._linked(match.start()):
            return match[0], at  # a tag follows
        begin = at
        while self.body[begin : begin + 1].isspace():
            begin += 1
        return self.body[match.start() : at] + self._add("address", "", "", begin), at

    def _names(self, at: int) -> bool:
        """Whether a `]` ends the name of a reference, which begins its line and is no footnote."""
        opening = max(self.body.rfind(sign, max(0, at - _FAR), at) for sign in "[]")
        if opening < 0 or self.body[opening] != "[" or self.body[opening + 1] == "^":
            return False
        line = self.starts[bisect_right(self.starts, opening) - 1]
        return _CONTAINERS.fullmatch(self.body, line, opening) is not None

    def _linked(self, at: int) -> bool:
        """Whether a `]` ends the text of a link, and does not stand alone."""
        depth = 0
        begin = max(self.body.rfind("\n\n", max(0, at - _FAR), at) + 1, at - _FAR, 0)
        for bracket in reversed([*_BRACKETS.finditer(self.body, begin, at + 1)]):
            depth += 1 if bracket[1] == "]" else -1
            if depth == 0:
                return not bracket[0].startswith("\\")
            if depth > _DEEP:
                break
        return False

    def _piece(self, match: re.Match[str]) -> str:
        raw, at = match[0], match.start()
        if match["live"]:
            return self._add("live", raw, match["call"], at)
        if match["open"]:
            return self._add("open", raw, raw, at)
        if match["private"]:
            return self._literal(match)
        if match["escape"]:
            # Markdown knows these two itself; they are only matched so that what follows is not escaped.
            return raw if raw in ("\\\\", "\\`") else self._add("literal", raw, raw[1:], at)
        if match["link"]:
            return self._add("link", raw, raw[2:-2], at)
        if match["block"]:
            return raw if "\n\n" in raw else self._add("block", raw, match["blocktex"], at)
        return self._add("math", raw, match["tex"], at)

    def _add(self, kind: str, raw: str, text: str, at: int) -> str:
        """Keep a piece that begins at a place, and return its mark."""
        line = bisect_right(self.starts, at)
        column = at - self.starts[line - 1] + 1
        self.pieces.append(Piece(kind, raw, text, line, column))  # type: ignore[arg-type]
        return f"\ue000{len(self.pieces) - 1}\ue001"

    def _code_end(self, opening: re.Match[str], end: int) -> int:
        """Where a code span ends; just behind its opening backticks when its paragraph does not close it."""
        size = len(opening[0])
        if opening.end() < self.unclosed.get(size, 0):
            return opening.end()
        if opening.end() > self.paragraph:
            paragraph_end = _PARAGRAPH_ENDS.search(self.body, opening.end())
            self.paragraph = paragraph_end.start() if paragraph_end else len(self.body)
        last = min(self.paragraph, end)
        for run in _BACKTICKS.finditer(self.body, opening.end(), last):
            if len(run[0]) == size:
                return run.end()
        self.unclosed[size] = last
        return opening.end()
