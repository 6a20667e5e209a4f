"""Tokens of a text that a model wrote: from numbers to text, where a tokenizer goes from text to numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from attention_gallery.capturing.reading.limits import check_decoding, check_tokens
from attention_gallery.capturing.reading.marks import plain_vocabulary
from attention_gallery.capturing.reading.spans import labels, pieces_of
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import Tokens

# What decoders write for bytes that are not yet a whole character.
_UNFINISHED = "\ufffd"
_BEGINS = ("Ġ", "▁")


class PlainVocabulary:
    """What people read for a token of the vocabulary by itself, with "…" where it goes on with a word."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._special = set(tokenizer.all_special_ids)
        check_tokens(tokenizer, "a b")
        # Some mark the tokens that begin a word, others those that go on with one.
        self._marks_begin = any(str(name).startswith(_BEGINS) for name in tokenizer.tokenize("a b"))
        self._known: dict[int, str] = {}

    def texts(self, ids: Iterable[int]) -> tuple[str, ...]:
        """The text of each of these tokens."""
        return tuple(self._known.get(number) or self._named(number) for number in ids)

    def _named(self, number: int) -> str:
        name = self._tokenizer.convert_ids_to_tokens(number)
        text = f"‹{number}›" if name is None else str(name)
        if name is not None and number not in self._special:
            goes_on = text.startswith("##") or (self._marks_begin and not text.startswith(_BEGINS))
            text = plain_vocabulary(text)
            text = f"…{text}" if goes_on and text[0].isalnum() else text
        self._known[number] = text
        return text


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of these tokens, without the special ones."""
    check_decoding(tokenizer, ids)
    with quiet_libraries():
        return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def written_tokens(
    tokenizer: Any, before: Sequence[int], ids: Sequence[int], start: int = 0
) -> tuple[Tokens, str]:
    """The tokens that a model wrote after `before`, and their text, which begins at code point `start`.

    Offsets are found by decoding ever more of them; tokens that are parts of one character share its range.
    Where a token changes what was written before it, all offsets are None.
    """
    prompt = decode(tokenizer, before)
    texts = [decode(tokenizer, [*before, *ids[: count + 1]]) for count in range(len(ids))]
    whole = texts[-1] if texts else prompt
    special = [number in tokenizer.all_special_ids for number in ids]
    names = [str(name) for name in tokenizer.convert_ids_to_tokens(list(ids))]
    lengths = [len(prompt), *(len(text.rstrip(_UNFINISHED)) for text in texts)]
    steady = all(whole.startswith(text.rstrip(_UNFINISHED)) for text in (prompt, *texts))
    written = whole[len(prompt) :] if whole.startswith(prompt) else whole
    ids_array, flags, nothing = np.array(ids, np.int64), np.array(special, bool), np.zeros(len(ids), bool)
    if not steady:
        shown_names = tuple(
            name if added else plain_vocabulary(name) for name, added in zip(names, special, strict=True)
        )
        return Tokens(ids_array, shown_names, flags, nothing), written
    spans = _spans(lengths, special)
    pieces = pieces_of(tokenizer, names, special, nothing.tolist())
    offsets = np.array(spans, np.int32).reshape(-1, 2)
    # What a model writes goes through no tokenizer that would divide it.
    tokens = Tokens(ids_array, labels(whole, spans, pieces), flags, nothing, offsets=offsets, splits=nothing)
    return replace(tokens.worded(whole), offsets=offsets - len(prompt) + start), written


def _spans(lengths: list[int], special: list[bool]) -> list[tuple[int, int]]:
    """The range of each token, given how long the text was before the first and after each."""
    spans = [(lengths[n], lengths[n + 1]) for n in range(len(special))]
    for n in range(len(spans) - 2, -1, -1):
        # A token that finished nothing is the first part of what the next one finished.
        if spans[n][0] == spans[n][1] and not special[n] and not special[n + 1]:
            spans[n] = spans[n + 1]
    return spans
