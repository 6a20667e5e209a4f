"""Tokens read well, and know their places in the text."""

from __future__ import annotations

import copy
import functools
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import make_tokenizer
from tokenizer_kinds import byte_level, sentence_piece
from tokenizers import pre_tokenizers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast

from attention_gallery import analysis
from attention_gallery.capturing import tokenise
from attention_gallery.capturing.reading.marks import plain_vocabulary
from attention_gallery.records import TextInput, Tokens
from attention_gallery.texts.readable import readable


def words_of(tokens: Tokens, text: str) -> list[str]:
    """The stretches of text that the tokens' words cover."""
    assert tokens.words is not None
    assert tokens.offsets is not None
    found: dict[int, list[int]] = {}
    for word, (start, end) in zip(tokens.words.tolist(), tokens.offsets.tolist(), strict=True):
        if word >= 0:
            low, high = found.get(word, [start, end])
            found[word] = [min(low, start), max(high, end)]
    return [text[low:high].strip() for low, high in found.values()]


@pytest.mark.model
def test_word_pieces(minilm_tokenizer: Any) -> None:
    text = "The Suitcases weren't   unfoldable, 中文 🙂!\n\tif x1:"
    tokens = tokenise(minilm_tokenizer, TextInput(text))
    assert tokens.texts[:6] == ("[CLS]", "The", "Suitcase", "s", "weren", "'")
    assert tokens.texts[-6:] == ("!", "if", "x", "1", ":", "[SEP]")
    assert "[UNK]" in tokens.texts  # an emoji that the vocabulary lacks is not shown as if it had been read
    assert tokens.special.tolist() == [True] + [False] * (len(tokens) - 2) + [True]
    assert tokens.continues[[3, 5]].all()  # "Suitcase" "s", and "weren" "'" of one word
    assert not tokens.continues[[1, 2, 4]].any()
    assert tokens.offsets is not None
    assert tokens.words is not None
    assert text[slice(*tokens.offsets[3])] == "s"
    assert tokens.offsets[-1].tolist() == [len(text), len(text)]
    assert tokens.words[0] == tokens.words[-1] == -1
    words = words_of(tokens, text)
    assert words == ["The", "Suitcases", "weren't", "unfoldable", ",", "中", "文", "🙂", "!", "if", "x1", ":"]


@pytest.mark.model
def test_bytes_of_emoji_blanks_and_code(smollm_tokenizer: Any) -> None:
    text = "The trophy  didn't 🙂👩\u200d👧 中文\n\tif x1:"
    tokens = tokenise(smollm_tokenizer, TextInput(text))
    assert tokens.texts[:6] == ("The", "trophy", "␣", "didn", "'t", "🙂")
    assert tokens.texts[6:14] == ("👩₁", "👩₂", "👩₃", "‹U+200D›₁", "‹U+200D›₂", "👧₁", "👧₂", "👧₃")
    assert tokens.texts[14:] == ("␣", "中", "文", "⏎", "⇥", "if", "x", "1", ":")
    assert not tokens.special.any()
    assert not tokens.continues[[0, 1, 2, 3, 5]].any()
    assert tokens.continues[7:14].all()
    assert tokens.continues[4]
    assert words_of(tokens, text) == ["The", "trophy", "didn't", "🙂", "👩\u200d👧", "中文", "if", "x1", ":"]
    assert tokens.offsets is not None
    assert text[slice(*tokens.offsets[6])] == "👩"


@settings(max_examples=80)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_text_keeps_its_characters(text: str) -> None:
    tokens = tokenise(make_tokenizer_once(), TextInput(text))
    assert tokens.offsets is not None
    assert tokens.words is not None
    assert len(tokens) == len(tokens.ids) == len(tokens.special) == len(tokens.continues) == len(tokens.words)
    covered = {place for start, end in tokens.offsets.tolist() for place in range(start, end)}
    assert covered == set(range(len(text)))
    assert [start for start, _ in tokens.offsets.tolist()] == sorted(s for s, _ in tokens.offsets.tolist())
    assert all(shown.isprintable() and shown.strip() for shown in tokens.texts)
    assert sorted(set(tokens.words.tolist()) - {-1}) == list(range(tokens.words.max() + 1))


@functools.cache
def make_tokenizer_once() -> PreTrainedTokenizerFast:
    return make_tokenizer()


def test_sentence_piece_without_splits() -> None:
    text = "it fits, 🙂"
    tokens = tokenise(sentence_piece(), TextInput(text))
    assert tokens.texts == ("␣", "i", "t", "␣", "f", "i", "t", "s", ",", "␣", "🙂₁", "🙂₂", "🙂₃", "🙂₄")
    assert words_of(tokens, text) == ["it", "fits", ",", "🙂"]
    assert tokens.continues.astype(int).tolist() == [0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]


def test_tokenizers_without_offsets_still_read_well() -> None:
    tokens = tokenise(ByT5Tokenizer(), TextInput("a b"))
    assert tokens.offsets is None
    assert tokens.words is None
    assert tokens.texts == ("a", "␣", "b", "</s>")
    assert tokens.special.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        ("cat", "cat"),
        ("   ", "␣␣␣"),
        ("a b", "a b"),
        ("a ", "a␣"),
        ("\n\n", "⏎⏎"),
        ("\t", "⇥"),
        ("\r\n", "␍⏎"),
        (",\n", ",⏎"),
        ("\u00a0", "⍽"),
        ("\u200b", "‹U+200B›"),
        ("\u202eabc", "‹U+202E›abc"),
        ("\u0301", "◌\u0301"),
        ("\x00", "‹U+0000›"),
        ("\u3000", "‹U+3000›"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d", "👩‹U+200D›"),
        ("\u200d👧", "‹U+200D›👧"),
        ("a\u200d\u200db", "a‹U+200D›‹U+200D›b"),
        ("a\u200d\nb", "a‹U+200D›⏎b"),
    ],
)
def test_nothing_stays_invisible(piece: str, shown: str) -> None:
    assert readable(piece) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ġtrophy", "trophy"),
        ("##ing", "ing"),
        ("▁The", "The"),
        ("Ã©", "é"),
        ("é", "é"),
        ("Ġ", "␣"),
        ("", "␣"),
    ],
)
def test_vocabulary_names_lose_their_marks(name: str, shown: str) -> None:
    assert plain_vocabulary(name) == shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("a cafe\u0301 here", ["a", "cafe\u0301", "here"]),
        ("in 2024 again", ["in", "2024", "again"]),
        ("the cat's well-known toy", ["the", "cat's", "well", "-", "known", "toy"]),
    ],
    ids=["vowel signs", "decomposed", "digits", "possessive and hyphen"],
)
def test_no_tokenizer_cuts_a_word_of_the_text_in_two(text: str, words: list[str]) -> None:
    tokenizer = copy.deepcopy(byte_level())
    # Digits one by one and letters apart from marks, as the pre-splits of GPT-2 to 4 and Llama have them.
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokens = tokenise(tokenizer, TextInput(text))
    assert words_of(tokens, text) == words


def test_a_thai_word_is_not_cut_at_a_vowel_sign() -> None:
    """No rule tells where words of Thai begin, but none begins with a sign above or below a letter."""
    text = "ที่นี่มีน้ำดื่ม"
    tokens = tokenise(byte_level(), TextInput(text))
    assert "".join(words := words_of(tokens, text)) == text
    assert [word for word in words if unicodedata.category(word[0]) == "Mn"] == []


def test_labels_of_words_are_as_readable_as_those_of_tokens() -> None:
    text = "a \u202eb\u200bc d"
    tokens = tokenise(byte_level(), TextInput(text))
    assert all(label.isprintable() for label in (*tokens.texts, *analysis.words_of(tokens, text).texts))
