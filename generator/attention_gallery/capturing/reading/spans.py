"""Where tokens stand in a text, checked against what each token says, and what people read for each."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attention_gallery.capturing.reading.marks import is_bytewise, own_bytes, plain_vocabulary
from attention_gallery.texts.readable import numbered, readable
from attention_gallery.texts.words import Span


@dataclass(frozen=True, slots=True)
class Piece:
    """What the vocabulary says of one token: its name there, and `text`, what it stands for by itself.

    `text` has the blanks that the token has and is None where it is only a part of a character, whose bytes
    are `data`. `added` tells that the tokenizer put the token there, `unknown` that it stands for what the
    vocabulary lacks.
    """

    name: str
    text: str | None
    data: bytes
    added: bool
    unknown: bool

    @classmethod
    def from_name(cls, name: str, data: bytes, *, added: bool = False, unknown: bool = False) -> Piece:
        """The token with this name in a vocabulary, which stands for `data`."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        return cls(name, text, data, added, unknown)

    @property
    def blank(self) -> bool:
        """Whether it stands for blanks alone."""
        return self.text is not None and not self.text.strip()


def pieces_of(
    tokenizer: Any, names: Sequence[str], added: Sequence[bool], unknown: Sequence[bool]
) -> list[Piece]:
    """The tokens with these names in the vocabulary of a tokenizer."""
    # Tokens that were added to a vocabulary are written as they are, whatever marks the others have.
    verbatim = set(tokenizer.get_added_vocab())
    bytewise = is_bytewise(tokenizer)
    return [
        Piece.from_name(
            name,
            name.encode("utf-8", "replace") if name in verbatim else own_bytes(name, bytewise=bytewise),
            added=extra,
            unknown=missing,
        )
        for name, extra, missing in zip(names, added, unknown, strict=True)
    ]


def placed(text: str, spans: Sequence[Span], pieces: Sequence[Piece]) -> list[Span]:
    """Where each token stands in `text`: the ranges of the tokenizer, each held to what its token says.

    Tokenizers give special tokens the range (0, 0) wherever they are, and the blank that they put before a
    text the range of the character after it: these stand for no text, which is an empty range. Where they
    take such a blank for one of the text, the range begins a character late.
    """
    placed_spans: list[Span] = []
    end = 0
    for here, (span, piece) in enumerate(zip(spans, pieces, strict=True)):
        follows = here + 1 < len(spans) and not pieces[here + 1].added
        invented = piece.blank and follows and spans[here + 1][0] < span[1]
        if piece.added or invented:
            placed_spans.append((end, end))
            continue
        limit = spans[here + 1][0] if follows else len(text)
        placed_spans.append(span if piece.unknown else _held(text, span, piece, (end, limit)))
        end = placed_spans[-1][1]
    return placed_spans


def _held(text: str, span: Span, piece: Piece, limits: Span) -> Span:
    """The range, wider by the characters on either side that belong to the token and to no neighbour.

    It stays as it is where a token agrees with it, or where no wider range does.
    """
    start, end = span
    if piece.text is None:
        # A part of a character may share it with the token before.
        around = ((start, end), (start - 1, end), (start, end + 1))
        data = piece.data.lstrip(b" ")
        fits = (wide for wide in around if wide[0] >= 0 and _holds(text[slice(*wide)], data))
        return next(fits, span)
    if piece.blank and start == end:
        first = max(limits[0], start - len(piece.text))
        return start - len(text[first:start]) + len(text[first:start].rstrip()), end
    folded, covered = _folded(piece.text), _folded(text[start:end])
    if folded == covered:
        return span
    for first in range(start - 1, limits[0] - 1, -1):
        covered = _folded(text[first:end])
        if folded == covered:
            return first, end
        if not folded.endswith(covered):
            break
    for last in range(end + 1, limits[1] + 1):
        covered = _folded(text[start:last])
        if folded == covered:
            return start, last
        if not folded.startswith(covered):
            break
    return span


def _holds(text: str, data: bytes) -> bool:
    """Whether bytes are some of a text's, as it stands or as a normalizer may have left it."""
    forms = [text, unicodedata.normalize("NFKC", text), _unmarked(text)]
    forms += [form.lower() for form in forms]
    return any(data in form.encode("utf-8", "replace") for form in forms)


def _unmarked(text: str) -> str:
    signs = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in signs if unicodedata.category(sign)[0] != "M")


def _folded(text: str) -> str:
    """What remains of a text whatever a normalizer did: no case, marks or blanks, one form of each sign."""
    plain = unicodedata.normalize("NFKD", text.casefold()).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "MCZ")


def labels(text: str, spans: Sequence[Span], pieces: Sequence[Piece]) -> tuple[str, ...]:
    """What people read for each token: what stands in `text` at its place, whatever the model sees of it."""
    trimmed = [_trimmed(text, span, piece) for span, piece in zip(spans, pieces, strict=True)]
    numbers = _part_numbers(trimmed, [piece.added or piece.unknown for piece in pieces])
    texts = []
    for (start, end), piece, number in zip(trimmed, pieces, numbers, strict=True):
        if piece.added or piece.unknown:
            texts.append(piece.name)
            continue
        label = readable(text[start:end]) or plain_vocabulary(piece.name)
        texts.append(numbered(label, number) if number else label)
    return tuple(texts)


def _trimmed(text: str, span: Span, piece: Piece) -> Span:
    """A range without the one blank that belongs to the word after it, and without blanks that are not read.

    A tokenizer may read several blanks as one, or count those around a token of its own to it.
    """
    start, end = span
    covered = text[start:end]
    own = covered if piece.text is None else piece.text
    if not covered.strip():
        unread = len(covered) - max(1, len(own)) if covered.strip(" ") == own.strip(" ") == "" else 0
        return start + max(0, unread), end
    (before, after), (read_before, read_after) = _outer_blanks(covered), _outer_blanks(own)
    return start + before - max(0, min(before, read_before) - 1), end - after + min(after, read_after)


def _outer_blanks(text: str) -> tuple[int, int]:
    """How many blanks a text begins and ends with."""
    return len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))


def _part_numbers(spans: list[Span], fixed: list[bool]) -> list[int]:
    """1, 2, … for tokens that share a character with a neighbour (bytes of an emoji), 0 for others."""
    numbers = [0] * len(spans)
    for here in range(1, len(spans)):
        if fixed[here] or fixed[here - 1]:
            continue
        if spans[here][0] < spans[here - 1][1] and spans[here][1] > spans[here][0]:
            numbers[here - 1] = numbers[here - 1] or 1
            numbers[here] = numbers[here - 1] + 1
    return numbers


def uncovered(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """What can be seen of a text outside of these ranges, as half-open ranges with the blanks inside them."""
    covered = bytearray(len(text))
    for start, end in spans:
        covered[start:end] = b"\1" * (min(end, len(text)) - start)
    ranges: list[Span] = []
    goes_on = False
    for index, sign in enumerate(text):
        if covered[index]:
            goes_on = False
        elif unicodedata.category(sign)[0] not in "MZC":
            if goes_on:
                ranges[-1] = (ranges[-1][0], index + 1)
            else:
                ranges.append((index, index + 1))
            goes_on = True
    return tuple(ranges)
