"""Finds links, mathematics and live values in Markdown and puts marks in their place, which Markdown skips.

A mark is U+E000, a number, U+E001. What a mark stands for is put back after the HTML has been sanitised;
inside code it is put back as it was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MARK = re.compile("\ue000(\\d+)\ue001")

_FENCE = re.compile(r"^(?: {0,3}|(?:[ >]|[-*+] |\d+[.)] )*)(`{3,}|~{3,})([^\n]*)$")
_TOKENS = re.compile(
    r"""
      (?P<private>[\ue000\ue001])
    | (?P<escape>\\(?:\$|\[\[|\{\{|\\))
    | (?P<code>`+)
    | (?P<link>\[\[(?!\^)[^\[\]\n]+\]\](?![(\[]))
    | (?P<live>\{\{(?P<call>(?:
          "(?:[^"\\\n]|\\.){0,500}" | '(?:[^'\\\n]|\\.){0,500}' | \}(?!\}) | \n(?!\s*\n) | [^}"'\n]
      ){0,500})\}\})
    | (?P<open>\{\{)
    | (?P<block>\$\$(?P<blocktex>(?:[^$\\]|\\[\s\S])+?)\$\$)
    | (?P<math>(?<![\w$])\$(?![\s$])(?P<tex>(?:[^$\\`\n]|\\.|\n(?!\s*\n))*?(?:[^\s$\\`]|\\[^\s]))\$(?![\d$]))
    """,
    re.X,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What a mark stands for: `raw` as written, `text` without its delimiters.

    `line` is 1-based in the body, `column` 1-based in that line, 0 where it is not known. A piece of kind
    "open" is two braces that are never closed.
    """

    kind: Literal["link", "math", "block", "literal", "live", "open"]
    raw: str
    text: str
    line: int
    column: int = 0


def scan(body: str) -> tuple[str, list[Piece]]:
    """The body with marks, and the pieces by number. Fenced code and code spans stay as they are."""
    pieces: list[Piece] = []
    result: list[str] = []
    text, line, fence = "", 1, ""
    for number, source in enumerate(body.split("\n"), 1):
        found = _FENCE.match(source)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
            result.append(_hide(source, pieces, number))
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            result += [_mark(text, line, pieces)] if text else []
            text, fence = "", found[1]
            result.append(_hide(source, pieces, number))
        else:
            if not text:
                line = number
            text += source + "\n"
            continue
    if text:
        result.append(_mark(text, line, pieces))
    return "\n".join(part.removesuffix("\n") for part in result), pieces


def _hide(source: str, pieces: list[Piece], line: int) -> str:
    """Code as it is, but for characters that look like a mark."""

    def literal(found: re.Match[str]) -> str:
        pieces.append(Piece("literal", found[0], found[0], line))
        return f"\ue000{len(pieces) - 1}\ue001"

    return re.sub("[\ue000\ue001]", literal, source)


def _mark(text: str, first: int, pieces: list[Piece]) -> str:
    result: list[str] = []
    at = 0
    while found := _TOKENS.search(text, at):
        result.append(text[at : found.start()])
        at = found.end()
        line = first + text.count("\n", 0, found.start())
        column = found.start() - text.rfind("\n", 0, found.start())
        if found["code"]:
            end = _code_end(text, found)
            result.append(_hide(text[found.start() : end], pieces, line))
            at = end
            continue
        piece = _piece(found, line, column)
        if piece is None:
            result.append(found[0])
            continue
        pieces.append(piece)
        result.append(f"\ue000{len(pieces) - 1}\ue001")
    result.append(text[at:])
    return "".join(result)


def _piece(found: re.Match[str], line: int, column: int) -> Piece | None:
    raw = found[0]
    if found["live"]:
        return Piece("live", raw, found["call"], line, column)
    if found["open"]:
        return Piece("open", raw, raw, line, column)
    if found["private"]:
        return Piece("literal", raw, raw, line)
    if found["escape"]:
        # Markdown knows \\ itself; it is only matched so that \\$ does not count as an escaped dollar.
        return Piece("literal", raw, raw[1:], line) if raw != "\\\\" else None
    if found["link"]:
        return Piece("link", raw, raw[2:-2], line)
    if found["block"]:
        return Piece("block", raw, found["blocktex"], line) if "\n\n" not in raw else None
    return Piece("math", raw, found["tex"], line)


def _code_end(text: str, opening: re.Match[str]) -> int:
    """Where a code span ends; just behind its opening backticks when it is never closed."""
    size = len(opening[0])
    for run in re.finditer(r"`+", text[opening.end() :]):
        if len(run[0]) == size:
            return opening.end() + run.end()
    return opening.end()
