"""Any text in any script, under any kind of tokenizer, keeps its characters and reads well."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_kinds import KINDS, TEXTS
from transformers import ByT5Tokenizer, CanineTokenizer

from attention_gallery.capturing import tokenise
from attention_gallery.capturing.reading.tokenise import _shared
from attention_gallery.records import TextInput, Tokens

JOINERS = str.maketrans("", "", "\u200c\u200d")
MANY = settings(max_examples=60)


def gaps(tokens: Tokens, text: str) -> str:
    """The characters that no token covers, in order."""
    assert tokens.offsets is not None
    covered = {place for start, end in tokens.offsets.tolist() for place in range(start, end)}
    return "".join(mark for place, mark in enumerate(text) if place not in covered)


def unseen(mark: str) -> bool:
    """Whether a tokenizer may drop a character without reading it: blanks, marks, invisible signs."""
    return mark.isspace() or unicodedata.category(mark) in ("Mn", "Cf", "Cc", "Mc", "Zs")


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(text=TEXTS)
def test_offsets_give_back_the_text(kind: str, text: str) -> None:
    tokens = tokenise(KINDS[kind](), TextInput(text))
    assert tokens.offsets is not None
    starts = [start for start, _ in tokens.offsets.tolist()]
    assert starts == sorted(starts)
    assert all(0 <= start <= end <= len(text) for start, end in tokens.offsets.tolist())
    missing = gaps(tokens, text)
    if kind == "byte-level":
        assert missing == ""
    assert all(unseen(mark) for mark in missing)


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(text=TEXTS)
def test_every_token_can_be_read(kind: str, text: str) -> None:
    tokens = tokenise(KINDS[kind](), TextInput(text))
    assert all(shown.translate(JOINERS).isprintable() and shown.strip() for shown in tokens.texts)
    for sign in "Ġ▁Ċ":
        assert sign in text or not any(sign in shown for shown in tokens.texts)
    assert "#" in text or not any("#" in shown for shown in tokens.texts)
    assert tokens.words is not None
    own = tokens.words[tokens.words >= 0]
    assert tokens.offsets is not None
    seen = [any(map(str.isalnum, text[start:end])) for start, end in tokens.offsets.tolist()]
    assert (tokens.words[tokens.special] < 0).all()
    assert (tokens.words[np.array(seen, bool) & ~tokens.special] >= 0).all()
    assert sorted(set(own.tolist())) == list(range(int(own.max(initial=-1)) + 1))


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(first=TEXTS, second=TEXTS)
def test_pairs_keep_both_texts_apart(kind: str, first: str, second: str) -> None:
    tokenizer = KINDS[kind]()
    given_pair = TextInput(first, second)
    tokens = tokenise(tokenizer, given_pair)
    assert tokens.ids.tolist() == tokenizer(first, second)["input_ids"]
    assert tokens.segment_names == ("first", "second")
    assert tokens.segments is not None
    assert tokens.offsets is not None
    assert ((tokens.segments < 0) == tokens.special).all()
    for segment, text in enumerate((first, second)):
        alone = tokenise(tokenizer, TextInput(text))
        mine = tokens.segments == segment
        assert tokens.ids[mine].tolist() == alone.ids[~alone.special].tolist()
        base = segment * (len(first) + 1)
        for (start, end), (at, to) in zip(
            tokens.offsets[mine].tolist(),
            [] if alone.offsets is None else alone.offsets[~alone.special].tolist(),
            strict=True,
        ):
            if start < end:
                assert given_pair.joined[start:end] == text[at:to]
                assert base <= start < end <= base + len(text)


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(first=TEXTS, second=st.none() | TEXTS, limit=st.integers(3, 20))
def test_a_cut_is_the_tokenizers_own(kind: str, first: str, second: str | None, limit: int) -> None:
    tokenizer = KINDS[kind]()
    whole = tokenise(tokenizer, TextInput(first, second), limit)
    cut = tokenise(tokenizer, TextInput(first, second, truncate=True), limit)
    own = tokenizer(first, second, truncation="longest_first", max_length=limit)["input_ids"]
    assert cut.ids.tolist() == own
    assert whole.left_out == 0
    assert cut.left_out == len(whole) - len(cut)
    assert cut.special.sum() == whole.special.sum()


@given(first=st.integers(0, 40), second=st.integers(0, 40), room=st.integers(-3, 60))
def test_two_texts_share_the_room(first: int, second: int, room: int) -> None:
    kept = _shared(first, second, room)
    if first + second > room:
        assert sum(kept) == max(0, room)
        assert all(0 <= left <= had for left, had in zip(kept, (first, second), strict=True))


@MANY
@given(text=TEXTS)
def test_bytes_without_offsets_become_characters(text: str) -> None:
    tokens = tokenise(ByT5Tokenizer(), TextInput(text))
    assert tokens.offsets is None
    assert all(shown.translate(JOINERS).isprintable() and shown.strip() for shown in tokens.texts)
    assert len(tokens) == len(text.encode()) + 1


def test_a_character_of_several_bytes_is_numbered() -> None:
    tokens = tokenise(ByT5Tokenizer(), TextInput("né\n"))
    assert tokens.texts == ("n", "é₁", "é₂", "⏎", "</s>")


def test_slow_pairs_have_segments() -> None:
    tokens = tokenise(ByT5Tokenizer(), TextInput("ab", "cde"))
    assert tokens.segments is not None
    assert tokens.segments.tolist() == [0, 0, -1, 1, 1, 1, -1]
    short = tokenise(ByT5Tokenizer(), TextInput("abcd", "cde", truncate=True), 6)
    assert short.texts == ("a", "b", "</s>", "c", "d", "</s>")
    assert short.left_out == 3


def test_code_points_as_tokens() -> None:
    tokens = tokenise(CanineTokenizer(), TextInput("né ש"))
    assert tokens.texts[1:-1] == ("n", "é", "␣", "ש")
    assert tokens.special.tolist() == [True, False, False, False, False, True]
