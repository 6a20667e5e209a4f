"""Words are where Unicode has them, and every token belongs to its word however tokens fall."""

from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_gallery.texts.words import Span, is_whole, text_words, words_of_tokens

WORDS = [
    ("I can't, O'Neill's cats' toy", ["I", "can't", ",", "O'Neill's", "cats", "'", "toy"]),
    ("don’t l’amour ’tis", ["don’t", "l’amour", "’", "tis"]),
    ("a well-known 2-3", ["a", "well", "-", "known", "2", "-", "3"]),
    ("In 2024 3.14 1,000 x_1", ["In", "2024", "3.14", "1,000", "x_1"]),
    ("cafe\u0301 nai\u0308ve", ["cafe\u0301", "nai\u0308ve"]),
    ("नमस्ते दुनिया, हिन्दी है।", ["नमस्ते", "दुनिया", ",", "हिन्दी", "है", "।"]),
    ("مرحبا بالعالم، می\u200cخواهم", ["مرحبا", "بالعالم", "،", "می\u200cخواهم"]),
    ("👩\u200d👩\u200d👧 🐈\u200d⬛ ❤️ 👍🏽", ["👩\u200d👩\u200d👧", "🐈\u200d⬛", "❤️", "👍🏽"]),
    ("🇳🇴🇸🇪🇩 x", ["🇳🇴", "🇸🇪", "🇩", "x"]),
    ("สวัสดีชาวโลก แมว", ["สวัสดีชาวโลก", "แมว"]),
    ("今天天气很好。iPhone手机", ["今天天气很好", "。", "iPhone", "手机"]),
    ("カタカナひらがな漢字", ["カタカナひらがな漢字"]),
    ("ខ្មែរ\u200bភាសា", ["ខ្មែរ", "ភាសា"]),
    ("한국어 단어", ["한국어", "단어"]),
    ("a  b\r\n\n\tc \u00a0 d", ["a", "b", "c", "d"]),
    (" ", []),
    ("", []),
]


def read(
    text: str, spans: list[Span], special: list[bool] | None = None, splits: list[bool] | None = None
) -> list[int]:
    offsets = np.array(spans, np.int32).reshape(-1, 2)
    nothing = [False] * len(spans)
    return words_of_tokens(text, offsets, special or nothing, splits or nothing).tolist()


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_words_are_those_of_unicode(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in text_words(text)] == words


@pytest.mark.parametrize(
    "text", ["🇳" * 40_000, "今" * 40_000, "a\u0301" * 40_000, "a'" * 40_000, "\u200d" * 40_000]
)
def test_a_long_run_is_no_burden(text: str) -> None:
    assert text_words(text)[-1][1] == len(text)


def test_whole_words() -> None:
    text = "It's cafe\u0301, isn't it?"
    assert is_whole(text, 0, 4)
    assert is_whole(text, 0, 12)
    assert not is_whole(text, 0, 2)
    assert not is_whole(text, 5, 9)


def test_a_token_belongs_to_the_word_of_its_first_character() -> None:
    text = "The cat's toy"
    assert read(text, [(0, 3), (3, 7), (7, 9), (9, 13)]) == [0, 1, 1, 2]
    assert read(text, [(0, 4), (4, 7), (7, 10), (10, 13)]) == [0, 1, 1, 2]


def test_a_token_that_reaches_over_a_boundary_joins_both_words() -> None:
    text = "(a) b.c"
    # "(a", ")", " b", ".c": the first reaches over "(" and "a"
    assert read(text, [(0, 2), (2, 3), (3, 5), (5, 7)]) == [0, 1, 2, 2]
    assert read("as well as", [(0, 7), (7, 10)]) == [0, 1]
    assert read("one two three", [(0, 2), (2, 5), (5, 13)]) == [0, 0, 0]


def test_blanks_and_special_tokens_belong_to_no_word() -> None:
    text = "a \n b"
    assert read(text, [(0, 0), (0, 1), (1, 2), (2, 3), (3, 5)], [True] + [False] * 4) == [-1, 0, -1, -1, 1]
    assert read("", [(0, 0)], [True]) == [-1]


def test_a_token_without_text_belongs_to_the_word_that_it_stands_in() -> None:
    assert read("abcd e", [(0, 0), (0, 2), (2, 2), (2, 4), (4, 4), (4, 6)]) == [-1, 0, 0, 0, -1, 1]


def test_parts_of_one_character_belong_together() -> None:
    assert read("a 🙂b", [(0, 1), (1, 3), (2, 3), (2, 3), (3, 4)]) == [0, 1, 1, 1, 2]


def test_scripts_without_spaces_are_divided_by_the_tokenizer() -> None:
    text = "今天很好 ok"
    spans = [(0, 2), (2, 4), (4, 7)]
    assert read(text, spans, splits=[True, True, True]) == [0, 1, 2]
    assert read(text, spans, splits=[True, False, True]) == [0, 0, 1]
    # elsewhere its divisions say nothing: "2024" in digits is one word
    assert read("2024", [(0, 1), (1, 2), (2, 3), (3, 4)], splits=[True] * 4) == [0, 0, 0, 0]


def test_a_tokenizer_that_divides_characters_is_not_followed() -> None:
    text = "สวัสดี แมว"
    letters = [(0, 2), (2, 3), (3, 5), (5, 6), (6, 10)]  # as "\\p{L}+" divides it, at every vowel sign
    assert read(text, letters, splits=[True] * 5) == [0, 0, 0, 0, 1]
    assert read(text, [(0, 3), (3, 6), (6, 10)], splits=[True] * 3) == [0, 1, 2]


_ALPHABET = st.sampled_from(
    [*"ab'’-. \n_12()", "\u0301", "é", "न", "म", "्", "ส", "ั", "今", "天", "🙂", "\u200d", "🇳"]
)
_TEXTS = st.lists(_ALPHABET, min_size=1, max_size=24).map("".join)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[Span], list[bool]]:
    """A text, the ranges of tokens that cover it, and where the tokenizer divides it."""
    text = draw(_TEXTS)
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=12))})
    spans = list(itertools.pairwise(cuts))
    return text, spans, draw(st.lists(st.booleans(), min_size=len(spans), max_size=len(spans)))


def is_visible(text: str) -> bool:
    return any(unicodedata.category(sign)[0] not in "CZ" for sign in text)


@settings(max_examples=400)
@given(cut=cut_texts())
def test_every_token_that_can_be_seen_has_a_word_and_words_are_in_order(
    cut: tuple[str, list[Span], list[bool]],
) -> None:
    text, spans, splits = cut
    words = read(text, spans, splits=splits)
    assert all(
        word >= 0 for word, (start, end) in zip(words, spans, strict=True) if is_visible(text[start:end])
    )
    assert all(
        word < 0 for word, (start, end) in zip(words, spans, strict=True) if not text[start:end].strip()
    )
    own = [word for word in words if word >= 0]
    assert own == sorted(own)
    assert sorted(set(own)) == list(range(len(set(own))))


@settings(max_examples=400)
@given(cut=cut_texts())
def test_words_begin_and_end_where_the_text_has_a_boundary_unless_a_token_reaches_over_it(
    cut: tuple[str, list[Span], list[bool]],
) -> None:
    text, spans, _ = cut
    words = read(text, spans)
    for start, end in text_words(text):
        held = {
            word for word, (a, b) in zip(words, spans, strict=True) if a < end and start < b and word >= 0
        }
        assert len(held) == 1  # no word is divided
    for here in range(1, len(spans)):
        if words[here] == words[here - 1] >= 0:
            edge = spans[here][0]
            inside = any(a < edge < b for a, b in text_words(text))
            over = [(a, b) for word, (a, b) in zip(words, spans, strict=True) if word == words[here]]
            assert inside or any(_crosses(text, span) for span in over)


def _crosses(text: str, span: Span) -> bool:
    return sum(start < span[1] and span[0] < end for start, end in text_words(text)) > 1


@settings(max_examples=200)
@given(text=_TEXTS, data=st.data())
def test_words_are_the_same_however_finely_tokens_are_cut(text: str, data: st.DataObject) -> None:
    words = text_words(text)
    edges = {0, len(text), *(edge for word in words for edge in word)}
    inner = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    spans = list(itertools.pairwise(sorted(edges | set(inner))))
    found: dict[int, list[Span]] = {}
    for word, span in zip(read(text, spans), spans, strict=True):
        found.setdefault(word, []).append(span)
    found.pop(-1, None)
    assert [(held[0][0], held[-1][1]) for _, held in sorted(found.items())] == list(words)
