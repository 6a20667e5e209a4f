"""What a model is given to read as one text: every range of code points that is told counts in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def texts_read(text: str, pair: str | None, messages: Sequence[str]) -> tuple[str, ...]:
    """The messages of a chat, or a text and what is read with it."""
    return tuple(messages) or ((text,) if pair is None else (text, pair))


def joined_texts(texts: Sequence[str]) -> str:
    """One text or message a line."""
    return "\n".join(texts)


def text_starts(texts: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Each text with the place at which it begins in all of them joined."""
    start = 0
    for text in texts:
        yield start, text
        start += len(text) + 1
