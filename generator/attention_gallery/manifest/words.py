"""Where a word stands in a text."""

from __future__ import annotations


def occurrences(text: str, word: str) -> tuple[tuple[int, int], ...]:
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


def _whole(text: str, start: int, end: int) -> bool:
    opens = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    closes = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
    return opens and closes
