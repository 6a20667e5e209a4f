"""Find the tokens that a reader means: a word of the text, a token as it is shown, or `#12`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from attention_gallery.errors import UserError, did_you_mean
from attention_gallery.manifest.blocks.words import occurrences
from attention_gallery.records import Tokens

_NUMBERED = re.compile(r"(.+)#([1-9]\d{0,4})", re.S)
_AROUND = 12


def find_word(text: str, tokens: Tokens, wanted: str) -> list[int]:
    """The tokens of one word, such as `cat`; of one that stands several times, those of `the#2`.

    Tokens are found as by `find_token`. Raises `UserError` where there is none, or several to choose from.
    """
    found = _numbered(text, tokens, wanted)
    if found is not None:
        return found
    places = _places(text, tokens, wanted)
    if len(places) > 1:
        shown = _in_context(text, tokens, places)
        listed = "; ".join(f"{wanted}#{number} {said}" for number, said in enumerate(shown, 1))
        raise UserError(f'"{wanted}" stands in the text {len(places)} times', mend=f"say which: {listed}")
    return places[0] if places else find_token(text, tokens, wanted)


def _numbered(text: str, tokens: Tokens, wanted: str) -> list[int] | None:
    """The tokens of `the#2`, the second one; None for a word that has no number."""
    match = _NUMBERED.fullmatch(wanted)
    if match is None or occurrences(text, wanted):
        return None
    word, number = match[1], int(match[2])
    places = _places(text, tokens, word)
    if not places:
        find_token(text, tokens, word)  # raises the error that says what there is
    if number > len(places):
        times = "once" if len(places) == 1 else f"{len(places)} times"
        raise UserError(f'there is no "{wanted}": "{word}" stands in the text {times}', mend="count from 1")
    return places[number - 1]


def _places(text: str, tokens: Tokens, wanted: str) -> list[list[int]]:
    """The tokens of each place where a word stands in the text; else each token that is shown like it."""
    found = [_overlapping(tokens, [place]) for place in occurrences(text, wanted)]
    found = [place for place in found if place]
    labels = [label.strip() for label in tokens.texts]
    found = found or [[index] for index, label in enumerate(labels) if label == wanted.strip()]
    return found or [[i] for i, label in enumerate(labels) if label.lower() == wanted.strip().lower() != ""]


def _in_context(text: str, tokens: Tokens, places: list[list[int]]) -> list[str]:
    """Each place with the words around it, or with the number of its token where the text is not known."""
    if tokens.offsets is None:
        return [f"(token #{place[0]})" for place in places]
    shown = []
    for place in places:
        start, end = int(tokens.offsets[place[0], 0]), int(tokens.offsets[place[-1], 1])
        around = " ".join(text[max(0, start - _AROUND) : end + _AROUND].split())
        shown.append(f"in “…{around}…”" if end > start else f"(token #{place[0]})")
    return shown


def find_token(text: str, tokens: Tokens, wanted: str) -> list[int]:
    """The tokens that a word of `text` consists of, each time it occurs; or the one token `#INDEX`.

    Raises `UserError` when there is none.
    """
    if wanted.startswith("#") and wanted[1:].isdecimal():
        if int(wanted[1:]) >= len(tokens):
            raise UserError(f"there is no token {wanted}", mend=f"the last one is #{len(tokens) - 1}")
        return [int(wanted[1:])]
    found = _overlapping(tokens, occurrences(text, wanted))
    labels = [label.strip() for label in tokens.texts]
    found = found or [index for index, label in enumerate(labels) if label == wanted.strip()]
    found = found or [index for index, label in enumerate(labels) if label.lower() == wanted.strip().lower()]
    if not found and tokens.offsets is not None and occurrences(text, wanted):
        reason = f'"{wanted}" stands in the text, but not in what the model was given of it to read'
        raise UserError(reason, mend="name a word that it read: its page marks what it did not")
    if not found:
        shown = (label or repr(text) for label, text in zip(labels, tokens.texts, strict=True))
        listed = "the tokens are: " + " ".join(shown)
        mend = did_you_mean(wanted, labels) if get_close_matches(wanted, labels) else listed
        raise UserError(f'there is no token "{wanted}" in the text', mend=mend)
    return found


def _overlapping(tokens: Tokens, places: Sequence[tuple[int, int]]) -> list[int]:
    """The tokens that cover one of these places in the text."""
    if tokens.offsets is None:
        return []
    return [
        index
        for index, (start, end) in enumerate(tokens.offsets.tolist())
        if not tokens.special[index] and any(start < last and first < end for first, last in places)
    ]
