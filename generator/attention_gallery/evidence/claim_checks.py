"""The claims of a note, held to the attention: how each is shown, and what is wrong with those that fail."""

from __future__ import annotations

import math
from dataclasses import dataclass

from attention_gallery.addresses import routes
from attention_gallery.errors import Problem
from attention_gallery.evidence import wording
from attention_gallery.evidence.answers import NotCaptured, Numbers, known_type
from attention_gallery.evidence.note_blocks import ClaimView
from attention_gallery.evidence.phrasing import question, type_title
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.questions.asks import AskError, HeadsOfType
from attention_gallery.notes.questions.claims import Claim
from attention_gallery.notes.questions.expectations import Bounds
from attention_gallery.records import joined_titles

_MEND = "mend what the note says, or the claim"


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim beside what is true: `text` asks, `expected` and `actual` are texts, `page` is a route."""

    claim: Claim
    text: str
    page: str
    expected: str
    actual: str
    holds: bool

    def view(self, route: str) -> ClaimView:
        """The claim for the page at `route`."""
        return ClaimView(self.text, routes.href(route, self.page), self.expected, self.actual, self.holds)

    @property
    def failure(self) -> Problem:
        """The problem of a claim that does not hold."""
        reason = f"the claim does not hold: {self.text} is {self.actual}, and should be {self.expected}"
        return self.claim.problem(reason, _MEND, "limit")


def check_claims(note: Note, numbers: Numbers) -> tuple[tuple[Checked, ...], list[Problem]]:
    """The claims of a note that could be held to the attention, and the mistakes in others.

    A claim about what was not captured yet, which only happens where nothing is built, is passed over.
    """
    checked: list[Checked] = []
    problems: list[Problem] = []
    for claim in note.claims:
        try:
            checked.append(_checked(claim, numbers))
        except AskError as error:
            problems.append(claim.problem(error.reason, error.mend, error.part))
        except NotCaptured:
            continue
    return tuple(checked), problems


def _checked(claim: Claim, numbers: Numbers) -> Checked:
    expected = claim.expected
    page, _ = numbers.page(claim.ask.subject)
    if isinstance(expected, str):
        # A type that there is not is a mistake whatever was captured.
        known_type(expected)
    value = numbers.answer(claim.ask)
    text = question(claim.ask, numbers.links, numbers.texts, numbers.measures)
    if isinstance(expected, Bounds):
        holds, actual = expected.hold(float(value)), rounded_to_tell(expected, float(value))
        if isinstance(claim.ask, HeadsOfType):
            # Heads are counted, so that their number has no decimals.
            actual = str(round(float(value)))
        return Checked(claim, text, page, expected.words, actual, holds)
    # A head may have two types, and is of either.
    names = numbers.types(claim.ask.subject)
    title = wording.uncapitalised(type_title(expected))
    actual = wording.uncapitalised(joined_titles(*map(type_title, names)))
    return Checked(claim, text, page, title, actual, expected in names)


def rounded_to_tell(bounds: Bounds, value: float) -> str:
    """A number with two decimals, or as many as it takes to see that it is not 0 and where the bounds are."""
    if math.isnan(value):
        return "not defined"
    holds = bounds.hold(value)
    for digits in range(2, 7):
        text = f"{value:.{digits}f}"
        if bounds.hold(float(text)) == holds and (float(text) != 0 or value == 0):
            return text
    return f"{value:.7g}"
