"""Random tokens read twice: which they are, what stands around them, and when there is no room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_gallery.capturing.reading.repeated import drawn, ordinary_ids, read_repeated
from attention_gallery.errors import ModelError, Problem
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.records import RepeatedTokens
from attention_gallery.store import capture_key


def with_facts(loaded: LoadedModel, **changes: Any) -> LoadedModel:
    return replace(loaded, parts={"self": replace(loaded.facts, **changes)})


def test_lots_are_the_same_on_every_machine() -> None:
    assert drawn(list(range(1000)), 5, 2022).tolist() == drawn(list(range(1000)), 9, 2022)[:5].tolist()
    assert len(set(drawn(list(range(40)), 40, 1).tolist())) == 40
    assert drawn(list(range(100, 200)), 4, 2022).tolist() == [127, 172, 154, 126]


def test_only_pieces_of_text_are_drawn(minilm_tokenizer: Any) -> None:
    names = minilm_tokenizer.convert_ids_to_tokens(ordinary_ids(minilm_tokenizer, 10**6))
    assert "cat" in names
    assert not {"[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "[unused7]"}.intersection(names)
    assert max(ordinary_ids(minilm_tokenizer, 2000)) < 2000


def test_two_copies_stand_between_what_the_tokenizer_adds(
    tiny_loaded: LoadedModel, minilm_tokenizer: Any
) -> None:
    loaded = replace(with_facts(tiny_loaded, vocabulary=30000, context=512), tokenizer=minilm_tokenizer)
    tokens = read_repeated(loaded, RepeatedTokens(), "m", Problem).tokens
    assert len(tokens) == 102
    assert (tokens.texts[0], tokens.texts[-1]) == ("[CLS]", "[SEP]")
    assert np.flatnonzero(tokens.special).tolist() == [0, 101]
    np.testing.assert_array_equal(tokens.ids[1:51], tokens.ids[51:101])
    assert len(set(tokens.ids[1:51].tolist())) == 50


def test_a_small_context_takes_fewer_and_a_tiny_one_is_told(tiny_loaded: LoadedModel) -> None:
    loaded = with_facts(tiny_loaded, context=17)
    assert len(read_repeated(loaded, RepeatedTokens(), "m", Problem).tokens) == 16
    loaded = with_facts(tiny_loaded, context=7)
    with pytest.raises(ModelError, match="repeated_tokens: false"):
        read_repeated(loaded, RepeatedTokens(), "m", Problem)


def test_their_key_is_that_of_no_text() -> None:
    def key(given: RepeatedTokens) -> str:
        return capture_key(weights="w", tokenizer="t", given=given, dtype="float32", precision="float32")

    assert key(RepeatedTokens()) != key(RepeatedTokens(count=20))
    assert key(RepeatedTokens()) != key(RepeatedTokens(seed=1))
