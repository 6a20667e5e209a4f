"""Where words stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable

Span = tuple[int, int]

# A word with the apostrophes and hyphens inside it, or one mark that is no blank.
_WORD = re.compile(r"\w+(?:['’\-]\w+)*|[^\w\s]")


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


def text_words(text: str, cuts: Iterable[int] = ()) -> tuple[Span, ...]:
    """The words and marks of a text as half-open code-point ranges, in order, blanks left out.

    Letters and digits make a word, with apostrophes and hyphens between them; any other mark stands alone.
    At `cuts` (places in the text) a word is divided, which tells words apart in a script without spaces.
    """
    places = sorted(set(cuts))
    found = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        inside = [place for place in places if start < place < end]
        found += zip([start, *inside], [*inside, end], strict=True)
    return tuple((start, end) for start, end in found if text[start:end].strip())


def _whole(text: str, start: int, end: int) -> bool:
    opens = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    closes = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
    return opens and closes
