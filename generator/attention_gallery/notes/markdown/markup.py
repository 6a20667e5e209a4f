"""From a note's body to sanitised HTML, with marks for links, mathematics and live values.

Markdown takes the square or the cube of a text's length to read some texts of a few thousand brackets. A note
that could be one of them is read in a process of its own, under limits of time and memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import markdown

from attention_gallery.errors import NoteError, Problem
from attention_gallery.notes.markdown.sanitize import sanitize
from attention_gallery.notes.markdown.scan import MARK, Piece, scan, without_address_marks
from attention_gallery.workers import LimitedProcess, Limits, LimitsExceededError, TaskFailedError

LIMITS = Limits()
_EXTENSIONS = ("tables", "footnotes", "fenced_code", "def_list", "abbr", "sane_lists", "md_in_html")
# What a note may have at most to be read at once: characters, definitions, and the sum over its paragraphs of
# their length times the marks in them.
_LENGTH, _DEFINITIONS, _PRODUCTS = 50_000, 200, 4_000_000
_MARKS = re.compile(r"[][()*_<>`{}$\\]")
_NESTING = re.compile(
    r"^(?:[ \t]{40}|[ ]{0,3}(?:>[ ]?){12}|[ \t]*(?:(?:[-+*]|\d+[.)])[ \t]+){8})", re.MULTILINE
)
_DEFINES = re.compile(r"^[ ]{0,3}(?:\*?\[|:[ ])", re.MULTILINE)
_PRIVATE = re.compile("[\ue000\ue001]")
_TOO_DEEP = "the note nests too deeply to be read"


def marked_up(body: str) -> tuple[list[Piece], str]:
    """The pieces of a note by number, and its HTML, sanitised, with a mark for each of them.

    Raises `NoteError` without a file for a note that nests too deeply or would take too long to read.
    """
    try:
        if is_quick(body):
            return converted(body)
        process = LimitedProcess("attention_gallery.notes.markdown.markup:converter", LIMITS)
        try:
            pieces, html = process.ask(body=body)
        finally:
            process.close()
        return [Piece(*piece) for piece in pieces], html
    except LimitsExceededError as error:
        mend = "look for hundreds of brackets, quotes or stars that nothing closes, or divide the note"
        raise NoteError(Problem(f"the note cannot be read: {error}", mend)) from None
    except (RecursionError, TaskFailedError) as error:
        if isinstance(error, TaskFailedError) and "recursion" not in str(error):
            raise NoteError(Problem(f"the note cannot be read: {error}")) from None
        mend = "use fewer levels of quotes, lists or brackets"
        raise NoteError(Problem(_TOO_DEEP, mend)) from None


def is_quick(body: str) -> bool:
    """Whether a note is read in a moment, whatever it says."""
    if len(body) > _LENGTH or _NESTING.search(body) or len(_DEFINES.findall(body)) > _DEFINITIONS:
        return False
    paragraphs = re.split(r"\n[ \t]*\n", body)
    return sum(len(paragraph) * len(_MARKS.findall(paragraph)) for paragraph in paragraphs) <= _PRODUCTS


def converted(body: str) -> tuple[list[Piece], str]:
    """As `marked_up`, at once."""
    text, pieces = scan(body)
    html = _markdown(text)
    if _PRIVATE.search(MARK.sub("", html)):
        # Markdown took a mark for text of the note and cut it in two, as in `[]("1. ](`.
        html = _markdown(without_address_marks(text, pieces))
    return pieces, sanitize(html)


def converter() -> Callable[..., tuple[list[Any], str]]:
    """What does the same in another process."""

    def convert(body: str) -> tuple[list[Any], str]:
        pieces, html = converted(body)
        return [astuple(piece) for piece in pieces], html

    return convert


def _markdown(text: str) -> str:
    # Python-Markdown keeps state between conversions, so each note gets a converter of its own.
    return markdown.markdown(
        text,
        extensions=_EXTENSIONS,
        extension_configs={
            "tables": {"use_align_attribute": True},
            "footnotes": {"BACKLINK_TITLE": "Back to the text (footnote {})"},
        },
        output_format="html",
    )
