"""What a model cannot read is told with its name; what it may read in part is cut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tokenizer_kinds import byte_level, word_piece

from attention_gallery.capturing.reading.model_reading import read_tokens
from attention_gallery.errors import ModelError, Problem
from attention_gallery.records import TextInput

TEXT = "The trophy does not fit in the brown suitcase."


def reader(tokenizer: Any, context: int | None) -> Any:
    """As much of a loaded model as reading needs."""
    return SimpleNamespace(
        is_encoder_decoder=False, tokenizer=tokenizer, facts=SimpleNamespace(context=context, vocabulary=1000)
    )


def refused(given: TextInput, context: int | None = 8, tokenizer: Any = None) -> Problem:
    with pytest.raises(ModelError) as caught:
        read_tokens(reader(tokenizer or word_piece(), context), given, "Tiny", Problem)
    (problem,) = caught.value.problems
    return problem


def test_a_text_beyond_the_context_is_an_error_that_names_the_way_out() -> None:
    problem = refused(TextInput(TEXT))
    assert 'tokens for the model "Tiny", which can read 8' in problem.reason
    assert "`truncate: true`" in problem.mend


def test_or_is_cut_where_the_author_says_so() -> None:
    tokens = read_tokens(reader(word_piece(), 8), TextInput(TEXT, truncate=True), "Tiny", Problem)
    assert len(tokens) == 8
    assert tokens.left_out > 0
    assert tokens.special.tolist() == [True, *[False] * 6, True]


def test_a_cut_leaves_room_for_what_the_model_adds() -> None:
    tokens = read_tokens(reader(word_piece(), 8), TextInput(TEXT, truncate=True, generate=3), "Tiny", Problem)
    assert len(tokens) == 5


def test_nothing_is_cut_without_need() -> None:
    for context in (None, 512):
        tokens = read_tokens(reader(word_piece(), context), TextInput(TEXT, truncate=True), "Tiny", Problem)
        assert tokens.left_out == 0


def test_a_context_without_room_for_text_is_an_error() -> None:
    assert "no tokens" in refused(TextInput(TEXT, truncate=True), context=2).reason


def test_half_a_surrogate_pair_is_found_in_either_text() -> None:
    assert "U+D800" in refused(TextInput("a", pair="b\ud800")).reason


def test_a_chat_without_a_template_names_the_model() -> None:
    problem = refused(TextInput("", chat=(("user", "Who?"),)), tokenizer=byte_level())
    assert problem.reason == 'the model "Tiny" cannot read this: its tokenizer has no chat template'
