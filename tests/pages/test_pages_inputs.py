"""What pages say of what a model was given: texts, segments, and what was left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_gallery.manifest.settings import MessageSpec, SentenceSpec
from attention_gallery.pages.inputs import left_out, opened_segments, texts_of
from attention_gallery.pages.words import focus_token
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
