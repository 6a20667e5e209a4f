"""What pages say of what a model was given: texts, segments, and what was left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.evidence.wording import focus_token
from attention_gallery.manifest.settings import MessageSpec, SentenceSpec
from attention_gallery.pages.sections.model_inputs import (
    left_out,
    opened_segments,
    quoted_spans,
    reading_gaps,
    texts_of,
)
from attention_gallery.records import Tokens

SAID = (MessageSpec(role="system", content="Be brief."), MessageSpec(role="user", content="Who?"))


def sentence(**fields: Any) -> SentenceSpec:
    return SentenceSpec(slug="s", title="S", **fields)


def tokens(*segments: int, names: tuple[str, ...] = ("first", "second")) -> Tokens:
    number = len(segments)
    return Tokens(
        np.arange(number),
        ("x",) * number,
        np.array(segments) < 0,
        np.zeros(number, bool),
        segments=np.array(segments, np.int32),
        segment_names=names,
    )


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({"text": "a"}, [("", "a")]),
        ({"text": "a", "pair": "b"}, [("First text", "a"), ("Second text", "b")]),
        ({"text": "a", "target": "b"}, [("Text", "a"), ("Target", "b")]),
        ({"chat": SAID}, [("System", "Be brief."), ("User", "Who?")]),
    ],
)
def test_each_text_has_a_name(fields: dict[str, Any], texts: list[tuple[str, str]]) -> None:
    assert [(part.name, part.text) for part in texts_of(sentence(**fields))] == texts


@pytest.mark.parametrize(
    ("cut", "context", "fields", "said"),
    [
        (0, 512, {"text": "a"}, ""),
        (1, 512, {"text": "a"}, "The last token of the text was left out: the model reads 512."),
        (213, 512, {"text": "a"}, "The last 213 tokens of the text were left out: the model reads 512."),
        (2, 2048, {"chat": SAID}, "The last 2 tokens of the chat were left out: the model reads 2,048."),
        (
            3,
            512,
            {"text": "a", "pair": "b"},
            "3 tokens at the ends of the texts were left out: the model reads 512.",
        ),
        (3, None, {"text": "a"}, "The last 3 tokens of the text were left out."),
    ],
)
def test_what_was_left_out_is_said(cut: int, context: int | None, fields: dict[str, Any], said: str) -> None:
    assert left_out(replace(tokens(0), left_out=cut), sentence(**fields), context) == said


def test_texts_come_in_stretches_that_were_read_or_not() -> None:
    system, user = texts_of(sentence(chat=SAID), [(3, 8), (10, 12)])
    assert system.pieces == (("Be ", True), ("brief", False), (".", True))
    assert user.pieces == (("Wh", False), ("o?", True))
    assert not user.is_read
    (whole,) = texts_of(sentence(text="ab"), [(0, 2)])
    assert (whole.pieces, whole.is_read) == ((("ab", False),), False)
    (whole,) = texts_of(sentence(text="ab"))
    assert (whole.pieces, whole.is_read) == ((("ab", True),), True)
    text, target = texts_of(sentence(text="ab", target="cd"), [(0, 1)], [(1, 2)])
    assert (text.pieces[0], target.pieces[1]) == (("a", False), ("d", False))


@given(text=st.text(min_size=1, max_size=20), cuts=st.lists(st.integers(0, 20), max_size=8))
def test_stretches_make_up_their_text(text: str, cuts: list[int]) -> None:
    edges = sorted({min(cut, len(text)) for cut in cuts})
    unread = [(start, end) for start, end in zip(edges[0::2], edges[1::2], strict=False)]
    (part,) = texts_of(sentence(text=text), unread)
    assert "".join(piece for piece, _ in part.pieces) == text
    assert "".join(piece for piece, read in part.pieces if not read) == "".join(text[a:b] for a, b in unread)


def test_what_was_not_read_is_quoted_and_explained() -> None:
    said = replace(tokens(0), unread=((3, 8),))
    assert reading_gaps(said, "Be brief.\nWho?", sentence(chat=SAID), None) == (
        "Not read: “brief”. The model's chat template leaves it out or writes it otherwise."
    )
    text = "a b c d e"
    assert reading_gaps(replace(tokens(0), unread=((0, 1),)), text, sentence(text=text), None) == (
        "Not read: “a”. The model's tokenizer has no token for it."
    )
    assert quoted_spans(text, [(n, n + 1) for n in range(0, 9, 2)]) == "“a”, “b”, “c” and 2 more"
    cut = replace(
        tokens(0), left_out=2, unread=((4, 9),), offsets=np.array([(0, 3)], np.int32), segments=None
    )
    assert "Not read" not in reading_gaps(cut, text, sentence(text=text), 1)


def test_segments_open_where_they_begin() -> None:
    assert opened_segments(tokens(-1, 0, 0, -1, 1, 1, -1)) == ("first", "", "", "", "second", "", "")
    assert opened_segments(tokens(0, 0, 1)) == ("first", "", "second")
    assert opened_segments(tokens(-1, 1)) == ("second", "")
    assert opened_segments(tokens(-1, -1)) == ("", "")
    assert opened_segments(replace(tokens(0, 1), segments=None)) == ("", "")
    # A message that the template puts inside of another opens it again afterwards.
    assert opened_segments(tokens(0, 1, 0)) == ("first", "second", "first")


def test_a_message_opens_with_the_mark_that_opens_the_first() -> None:
    talk = tokens(-1, -1, 0, -1, -1, -1, 1, -1, 2, names=("system", "user", "assistant"))
    marks = np.array([1, 8, 50, 9, 1, 7, 51, 9, 52])
    assert opened_segments(replace(talk, ids=marks)) == (
        "system",
        "",
        "",
        "",
        "user",
        "",
        "",
        "",
        "assistant",
    )
    # What stands before the whole chat only, such as <s>, opens no message.
    marks = np.array([1, 8, 50, 9, 8, 7, 51, 8, 52])
    assert opened_segments(replace(talk, ids=marks)) == (
        "system",
        "",
        "",
        "",
        "user",
        "",
        "",
        "assistant",
        "",
    )


def test_a_focus_is_found_in_the_second_text() -> None:
    pair = sentence(text="A man sat.", pair="It sat.", focus="It")
    offsets = [[0, 1], [2, 5], [6, 9], [9, 10], [11, 13], [14, 17]]
    assert focus_token(pair, offsets, [False] * 6, causal=False) == 4
    chat = sentence(chat=SAID, focus="Who")
    assert focus_token(chat, [[0, 2], [3, 9], [10, 13], [13, 14]], [False] * 4, causal=True) == 2
