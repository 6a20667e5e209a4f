"""Where words stand in a text."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]

# Over classes of characters (see `_class`): a word with the joiners inside it, or one other sign; both with
# the marks that belong to them.
_WORD = re.compile(r"w[wm]*(?:jw[wm]*)*|[xjm]m*")


def occurrences(text: str, word: str) -> tuple[Span, ...]:
    """Half-open code-point ranges at which `word` stands in `text`, in order.

    Whole words come first ("it" is not found in "with"). Only where there is none, as in a script without
    spaces, any place counts. An empty word stands nowhere.
    """
    places = tuple(_places(text, word))
    return tuple(place for place in places if _whole(text, *place)) or places


def span_of(side: str | Span, text: str) -> Span:
    """Where one side of a relation stands in `text`, which was checked: a half-open range of code points."""
    if not isinstance(side, str):
        return side
    # The first of the occurrences; most are near the beginning of a long text.
    whole = (place for place in _places(text, side) if _whole(text, *place))
    return next(whole, None) or next(_places(text, side))


def _places(text: str, word: str) -> Iterator[Span]:
    """Where `word` stands in `text`, as a part of a word or by itself."""
    start = text.find(word) if word else -1
    while start >= 0:
        yield start, start + len(word)
        start = text.find(word, start + 1)


def text_words(text: str, cuts: Iterable[int] = ()) -> tuple[Span, ...]:
    """The words and marks of a text as half-open code-point ranges, in order, blanks left out.

    Letters and digits make a word, with apostrophes and hyphens between them; any other sign stands alone.
    At `cuts` (places in the text) a word is divided, which tells words apart in a script without spaces.
    """
    places = sorted(set(cuts))
    found: list[Span] = []
    for match in _WORD.finditer("".join(map(_class, text))):
        start, end = match.span()
        inside = places[bisect_right(places, start) : bisect_left(places, end)]
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
