"""Where a word that an author writes stands in a text."""

from __future__ import annotations

from collections.abc import Iterator

from attention_gallery.texts.words import Span, is_whole

__all__ = ["Span", "occurrences", "span_of"]


def occurrences(text: str, word: str) -> tuple[Span, ...]:
    """Half-open code-point ranges at which `word` stands in `text`, in order.

    Whole words come first ("it" is not found in "with"). Only where there is none, as in a script without
    spaces, any place counts. An empty word stands nowhere.
    """
    spans = tuple(_places(text, word))
    return tuple(span for span in spans if is_whole(text, *span)) or spans


def span_of(side: str | Span, text: str) -> Span:
    """Where one side of a relation stands in `text`, which was checked: a half-open range of code points."""
    if not isinstance(side, str):
        return side
    # The first of the occurrences; most are near the beginning of a long text.
    whole = (span for span in _places(text, side) if is_whole(text, *span))
    return next(whole, None) or next(_places(text, side))


def _places(text: str, word: str) -> Iterator[Span]:
    """Where `word` stands in `text`, as a part of a word or by itself."""
    start = text.find(word) if word else -1
    while start >= 0:
        yield start, start + len(word)
        start = text.find(word, start + 1)
