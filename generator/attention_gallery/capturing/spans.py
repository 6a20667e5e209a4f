"""Where tokens stand in a text, what people read for each, and which of them make up a word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attention_gallery.capturing.marks import numbered, plain_vocabulary, readable

_WORD_CHARACTER = re.compile(r"[\w'’]")
Span = tuple[int, int]


def placed(spans: list[Span], names: list[str], special: list[bool]) -> list[Span]:
    """Put tokens that stand for no text where they stand, as empty ranges.

    Tokenizers give special tokens the range (0, 0) wherever they are, and the blank that SentencePiece
    models put before a text the range of the character after it.
    """
    placed = []
    end = 0
    for here, (span, added) in enumerate(zip(spans, special, strict=True)):
        follows = here + 1 < len(spans) and not special[here + 1]
        invented = names[here].strip("▁") == "" and follows and spans[here + 1][0] < span[1]
        placed.append((end, end) if added or invented else span)
        end = placed[-1][1]
    return placed


def _trimmed(text: str, span: Span) -> Span:
    """A span without the one blank that byte-level tokenizers count to the word that follows it."""
    start, end = span
    return (start + 1, end) if end - start > 1 and text[start] == " " else span


def texts(
    text: str, spans: list[Span], names: list[str], special: list[bool], unknown: list[bool]
) -> tuple[str, ...]:
    trimmed = [_trimmed(text, span) for span in spans]
    parts = _part_numbers(trimmed, special, unknown)
    shown = []
    for (start, end), name, fixed, part in zip(
        trimmed, names, [a or b for a, b in zip(special, unknown, strict=True)], parts, strict=True
    ):
        if fixed:
            shown.append(name)
            continue
        piece = readable(text[start:end]) or plain_vocabulary(name)
        shown.append(numbered(piece, part) if part else piece)
    return tuple(shown)


def _part_numbers(spans: list[Span], special: list[bool], unknown: list[bool]) -> list[int]:
    """1, 2, … for tokens that share a character with a neighbour (bytes of an emoji), 0 for others."""
    numbers = [0] * len(spans)
    for here in range(1, len(spans)):
        if special[here] or special[here - 1] or unknown[here] or unknown[here - 1]:
            continue
        if spans[here][0] < spans[here - 1][1] and spans[here][1] > spans[here][0]:
            numbers[here - 1] = numbers[here - 1] or 1
            numbers[here] = numbers[here - 1] + 1
    return numbers


def words(text: str, spans: list[Span], special: list[bool], word_ids: Sequence[int | None]) -> list[int]:
    """The word of each token, counted from 0, -1 for special tokens.

    A word ends at a blank, where the tokenizer itself splits, and, when it splits nothing (some
    SentencePiece models), between letters and signs.
    """
    splits = len({number for number in word_ids if number is not None}) > 1
    words: list[int] = []
    last = -1
    for here, (span, added) in enumerate(zip(spans, special, strict=True)):
        if added:
            words.append(-1)
            continue
        before = here - 1
        same = (
            before >= 0
            and not special[before]
            and _touches(text, spans[before], span)
            and word_ids[before] == word_ids[here]
            and (splits or _same_kind(text, spans[before], span))
        )
        last = last if same else last + 1
        words.append(last)
    return words


def _touches(text: str, before: Span, here: Span) -> bool:
    """Whether nothing blank lies between two tokens, and neither is blank itself."""
    if here[0] < before[1]:
        return True
    blank_edge = text[before[1] - 1 : before[1]].isspace() or text[here[0] : here[0] + 1].isspace()
    return here[0] == before[1] and not blank_edge


def _same_kind(text: str, before: Span, here: Span) -> bool:
    if here[0] < before[1] or before[0] == before[1]:
        return True
    left, right = text[before[1] - 1 : before[1]], text[here[0] : here[0] + 1]
    return bool(_WORD_CHARACTER.match(left)) and bool(_WORD_CHARACTER.match(right))
