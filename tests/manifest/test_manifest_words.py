"""Where words stand: what is found, and that nothing but blanks is lost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.texts.words import text_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat didn't sleep.", ["The", "cat", "didn't", "sleep", "."]),
        ("well-known, “so”", ["well", "-", "known", ",", "“", "so", "”"]),
        ("猫在睡", ["猫在睡"]),
        ("हिन्दी है।", ["हिन्दी", "है", "।"]),
        ("'tis 2-3", ["'", "tis", "2", "-", "3"]),
        ("🍕 and 3.5", ["🍕", "and", "3.5"]),
        ("", []),
    ],
)
def test_words_and_marks(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in text_words(text)] == words


def test_a_cut_divides_a_word() -> None:
    assert text_words("猫在睡", [1, 2]) == ((0, 1), (1, 2), (2, 3))
    assert text_words("a cat", [2, 5, 1]) == ((0, 1), (2, 5))


@given(text=st.text(), cuts=st.lists(st.integers(0, 20)))
def test_words_are_in_order_and_hold_all_but_blanks(text: str, cuts: list[int]) -> None:
    words = text_words(text, cuts)
    assert all(start < end for start, end in words)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(words))
    held = "".join(text[start:end] for start, end in words)
    assert "".join(held.split()) == "".join(text.split())
