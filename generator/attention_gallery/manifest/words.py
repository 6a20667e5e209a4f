"""Where words stand in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

Span = tuple[int, int]

# Over classes of characters (see `_class`): a word with the joiners inside it, or one other sign; both with
# the marks that belong to them.
_WORD = re.compile(r"w[wm]*(?:jw[wm]*)*|[xjm]m*")


def occurrences(text: str, word: str) -> tuple[Span, ...]:
    """Half-open code-point ranges at which `word` stands in `text`, in order.

    Whole words come first ("it" is not found in "with"). Only where there is none, as in a script without
    spaces, any place counts. An empty word stands nowhere.
    """
    if not word:
        return ()
    places = []
    start = text.find(word)
    while start >= 0:
        places.append((start, start + len(word)))
        start = text.find(word, start + 1)
    whole = tuple(place for place in places if _whole(text, *place))
    return whole or tuple(places)


def span_of(side: str | Span, text: str) -> Span:
    """Where one side of a relation stands in `text`, which was checked: a half-open range of code points."""
    return occurrences(text, side)[0] if isinstance(side, str) else side


def text_words(text: str, cuts: Iterable[int] = ()) -> tuple[Span, ...]:
    """The words and marks of a text as half-open code-point ranges, in order, blanks left out.

    Letters and digits make a word, with apostrophes and hyphens between them; any other sign stands alone.
    At `cuts` (places in the text) a word is divided, which tells words apart in a script without spaces.
    """
    places = sorted(set(cuts))
    found: list[Span] = []
    for match in _WORD.finditer("".join(map(_class, text))):
        start, end = match.span()
        inside = [place for place in places if start < place < end]
        found += zip([start, *inside], [*inside, end], strict=True)
    return tuple(found)


def _class(character: str) -> str:
    """w for letters and digits, m for marks and emoji joiners, j for joiners of words, x for other signs."""
    if character.isspace():
        return " "
    if character.isalnum() or character == "_":
        return "w"
    if character == "\u200d" or unicodedata.category(character)[0] == "M":
        return "m"
    return "j" if character in "'’-" else "x"


def _whole(text: str, start: int, end: int) -> bool:
    opens = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    closes = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
    return opens and closes
