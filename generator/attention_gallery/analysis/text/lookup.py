"""Find the tokens that a reader means: a word of the text, a token as it is shown, or `#12`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from attention_gallery.errors import UserError, did_you_mean
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.records import Tokens

_NUMBERED = re.compile(r"(.+)#([1-9]\d{0,4})", re.S)
_AROUND = 12


def find_word(text: str, tokens: Tokens, word: str) -> list[int]:
    """The tokens of one word, such as `cat`; of one that stands several times, those of `the#2`.

    Tokens are found as by `find_token`. Raises `UserError` where there is none, or several to choose from.
    """
    if (numbered := _numbered(text, tokens, word)) is not None:
        return numbered
    by_occurrence = _by_occurrence(text, tokens, word)
    if len(by_occurrence) > 1:
        contexts = _in_context(text, tokens, by_occurrence)
        listed = "; ".join(f"{word}#{number} {context}" for number, context in enumerate(contexts, 1))
        raise UserError(
            f'"{word}" stands in the text {len(by_occurrence)} times', mend=f"say which: {listed}"
        )
    return by_occurrence[0] if by_occurrence else find_token(text, tokens, word)


def _numbered(text: str, tokens: Tokens, word: str) -> list[int] | None:
    """The tokens of `the#2`, the second one; None for a word that has no number."""
    match = _NUMBERED.fullmatch(word)
    # A text may hold “C#2” itself.
    if match is None or occurrences(text, word):
        return None
    bare, number = match[1], int(match[2])
    by_occurrence = _by_occurrence(text, tokens, bare)
    if not by_occurrence:
        find_token(text, tokens, bare)  # raises the error that says what there is
    if number > len(by_occurrence):
        times = "once" if len(by_occurrence) == 1 else f"{len(by_occurrence)} times"
        raise UserError(f'there is no "{word}": "{bare}" stands in the text {times}', mend="count from 1")
    return by_occurrence[number - 1]


def _by_occurrence(text: str, tokens: Tokens, word: str) -> list[list[int]]:
    """The tokens of a word each time that it stands in the text; else each token that is shown like it."""
    by_occurrence = (_overlapping(tokens, [span]) for span in occurrences(text, word))
    return list(filter(None, by_occurrence)) or [[index] for index in _labelled(tokens, word)]


def _labelled(tokens: Tokens, word: str) -> list[int]:
    """The tokens that are shown like a word, or else like it but for case."""
    labels, label = [text.strip() for text in tokens.texts], word.strip()
    same = [index for index, other in enumerate(labels) if other == label]
    return same or [index for index, other in enumerate(labels) if other.lower() == label.lower()]


def _in_context(text: str, tokens: Tokens, by_occurrence: list[list[int]]) -> list[str]:
    """Each occurrence with the words around it, or the number of its token in a text without offsets."""
    if tokens.offsets is None:
        return [f"(token #{indices[0]})" for indices in by_occurrence]
    contexts = []
    for indices in by_occurrence:
        start, end = int(tokens.offsets[indices[0], 0]), int(tokens.offsets[indices[-1], 1])
        around = " ".join(text[max(0, start - _AROUND) : end + _AROUND].split())
        contexts.append(f"in “…{around}…”" if end > start else f"(token #{indices[0]})")
    return contexts


def find_token(text: str, tokens: Tokens, word: str) -> list[int]:
    """The tokens that a word of `text` consists of, each time it occurs; or the one token `#INDEX`.

    Raises `UserError` when there is none.
    """
    if word.startswith("#") and word[1:].isdecimal():
        if int(word[1:]) >= len(tokens):
            raise UserError(f"there is no token {word}", mend=f"the last one is #{len(tokens) - 1}")
        return [int(word[1:])]
    if indices := _overlapping(tokens, occurrences(text, word)) or _labelled(tokens, word):
        return indices
    # Cut off, or left out by a chat template.
    if tokens.offsets is not None and occurrences(text, word):
        reason = f'"{word}" stands in the text, but not in what the model was given of it to read'
        raise UserError(reason, mend="name a word that it read: its page marks what it did not")
    labels = [text.strip() for text in tokens.texts]
    listed = " ".join(label or repr(text) for label, text in zip(labels, tokens.texts, strict=True))
    mend = did_you_mean(word, labels) if get_close_matches(word, labels) else f"the tokens are: {listed}"
    raise UserError(f'there is no token "{word}" in the text', mend=mend)


def _overlapping(tokens: Tokens, spans: Sequence[tuple[int, int]]) -> list[int]:
    """The tokens that cover one of these ranges of the text."""
    if tokens.offsets is None:
        return []
    return [
        index
        for index, (start, end) in enumerate(tokens.offsets.tolist())
        if not tokens.special[index] and any(start < last and first < end for first, last in spans)
    ]
