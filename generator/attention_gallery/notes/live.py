"""The live values of one note: read, asked, and put into its HTML, or told as mistakes with their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attention_gallery.errors import Problem
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.scan import Piece
from attention_gallery.notes.questions.asks import Ask, AskError
from attention_gallery.notes.questions.literals import CallError
from attention_gallery.notes.questions.shortcodes import Live, parse_live


@dataclass(frozen=True, slots=True)
class Answer:
    """A live value as safe HTML, and as the plain text that stands for it in headings and attributes."""

    html: str
    text: str


Answerer = Callable[[Live], Answer]


def unanswered(live: Live) -> Answer:
    """For notes without captures. Raises `AskError` for every live value."""
    raise AskError("there are no captures that could answer this", "build the gallery", "target")


class LiveValues:
    """Answers the live values of a note. `asked` are the questions so far."""

    def __init__(self, note: Note, answer: Answerer) -> None:
        self._note, self._answer = note, answer
        self._source = note.body.split("\n")
        self.asked: list[Ask] = []

    def answered(self, piece: Piece, inline: bool) -> tuple[str, str, bool] | Problem:
        """HTML, text, and whether it is a table or figure, which cannot stand `inline`; or what is wrong."""
        if piece.kind == "open":
            mend = "end the live value with `}}`, and its texts with the quotation mark that begins them"
            return self._problem(piece, 0, "`{{` is not closed", f"{mend}; two braces are written `\\{{{{`")
        try:
            live = parse_live(piece.text, self._note.target)
        except CallError as error:
            return self._problem(piece, 2 + error.at, error.reason, error.mend)
        if live.block and inline:
            return self.misplaced(piece)
        try:
            answer = self._answer(live)
        except AskError as error:
            at = live.positions.get(error.part, live.positions["target"])
            return self._problem(piece, 2 + at, error.reason, error.mend)
        self.asked.append(live.ask)
        return answer.html, answer.text, live.block

    def misplaced(self, piece: Piece) -> Problem:
        """A table or figure inside a line of text."""
        mend = "give it a line of its own, with an empty line before and after it"
        return self._problem(piece, 0, "a table or figure stands inside a paragraph", mend)

    def _problem(self, piece: Piece, at: int, reason: str, mend: str) -> Problem:
        """A problem at a place inside of a piece."""
        before = piece.raw[:at]
        line = piece.line + before.count("\n")
        column = at - before.rfind("\n") if "\n" in before else piece.column + at
        quote = self._source[line - 1]
        return Problem(reason, mend, self._note.path, self._note.line + line - 1, column, quote)
