"""One word of a text: which of them, where it stands several times, and what it is when it is none."""

from __future__ import annotations

import re

import numpy as np
import pytest

from attention_gallery.analysis import find_word
from attention_gallery.errors import UserError
from attention_gallery.records import Tokens

TEXT = "The cat saw the other cats, and the C#2 key."
# As a tokenizer would: [CLS], words and pieces of them, [SEP].
PIECES = ["The", "cat", "saw", "the", "other", "cat", "s", ",", "and", "the", "C", "#2", "key", ".", "[SEP]"]


def tokens(*, offsets: bool = True) -> Tokens:
    spans, at = [(0, 0)], 0
    for piece in PIECES[:-1]:
        at = TEXT.index(piece, at)
        spans.append((at, at + len(piece)))
        at += len(piece)
    spans.append((0, 0))
    texts = ("[CLS]", *PIECES)
    special = np.array([text in ("[CLS]", "[SEP]") for text in texts])
    none = np.zeros(len(texts), bool)
    return Tokens(np.arange(len(texts)), texts, special, none, np.array(spans, np.int32) if offsets else None)


@pytest.mark.parametrize(
    ("word", "indices"),
    [
        ("cat", [2]),
        ("cats", [6, 7]),
        ("other cats", [5, 6, 7]),
        ("The", [1]),
        ("the#1", [4]),
        ("the#2", [10]),
        ("cat#1", [2]),
        ("C#2", [11, 12]),
        ("[SEP]", [15]),
        ("#3", [3]),
        ("SAW", [3]),
    ],
)
def test_words_and_their_tokens(word: str, indices: list[int]) -> None:
    assert find_word(TEXT, tokens(), word) == indices


@pytest.mark.parametrize(
    ("word", "reason", "mend"),
    [
        ("the", '"the" stands in the text 2 times', "say which: the#1 in “…The cat saw the other cats,…”"),
        ("the#3", 'there is no "the#3": "the" stands in the text 2 times', "count from 1"),
        ("saw#2", 'there is no "saw#2": "saw" stands in the text once', "count from 1"),
        ("kat", 'there is no token "kat" in the text', 'did you mean "cat"?'),
        ("kat#2", 'there is no token "kat" in the text', 'did you mean "cat"?'),
        ("#99", "there is no token #99", "the last one is #15"),
    ],
)
def test_what_is_not_one_word(word: str, reason: str, mend: str) -> None:
    with pytest.raises(UserError) as caught:
        find_word(TEXT, tokens(), word)
    (problem,) = caught.value.problems
    assert problem.reason == reason
    assert re.match(re.escape(mend), problem.mend)


def test_without_places_in_the_text_tokens_are_compared() -> None:
    assert find_word(TEXT, tokens(offsets=False), "the#2") == [10]
    with pytest.raises(UserError, match=r"cat#2 \(token #6\)"):
        find_word(TEXT, tokens(offsets=False), "cat")
