"""One reading for all that is measured: block by block, whatever the blocks, and honest about damage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import HandMade, hand_crossed, hand_made
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import analyse, analyse_with_targets, gold_of
from attention_gallery.analysis.measures import head_blocks
from attention_gallery.analysis.measures.analysis_codec import save
from attention_gallery.analysis.measures.head_blocks import Block, feed_blocks
from attention_gallery.analysis.measures.top_pairs import strongest_content, strongest_keys
from attention_gallery.analysis.probing.argmax_targets import find_argmax_targets, save_targets
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings, SentenceSpec
from attention_gallery.records import AttentionLayer

SETTINGS = AnalysisSettings()
COUNT = 9
TEXT = "a b a. c a b d"
SPEC = SentenceSpec.model_validate(
    {
        "slug": "one",
        "title": "One",
        "text": TEXT,
        "relations": ({"from": "c", "to": "d", "kind": "x"}, {"from": "b a", "to": "c", "kind": "y"}),
    },
    strict=False,
)


def softmax(seed: int, layers: int = 5, heads: int = 4, *, causal: bool = False) -> np.ndarray:
    scores = np.exp(np.random.default_rng(seed).normal(size=(layers, heads, COUNT, COUNT)) * 2)
    if causal:
        scores = np.tril(scores)
    return (scores / scores.sum(axis=-1, keepdims=True)).astype(np.float16).astype(np.float32)


def made(seed: int, *, causal: bool = False) -> HandMade:
    """Attention to the words of `SPEC`, between two special tokens."""
    attention = hand_made(softmax(seed, causal=causal), causal=causal, special=[0])
    spans = [(0, 0), *SPEC.word_spans()]
    assert len(spans) == COUNT
    tokens = replace(attention.tokens, offsets=np.array(spans, np.int32))
    facts = replace(attention.facts, windows=(4, None, 4, None, None)) if causal else attention.facts
    if causal:
        near = np.abs(np.subtract.outer(np.arange(COUNT), np.arange(COUNT))) < 4
        for layer in (0, 2):
            attention.weights[layer] *= near
            attention.weights[layer] /= attention.weights[layer].sum(axis=-1, keepdims=True)
    return replace(attention, tokens=tokens, facts=facts)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("weights", [1, 81, 200, 81 * 5, 81 * 9, 81 * 12])
def test_blocks_do_not_show(causal: bool, weights: int, monkeypatch: pytest.MonkeyPatch) -> None:
    attention = made(1, causal=causal)
    before = attention.weights.copy()
    whole = save(analyse(attention, SETTINGS)), save_targets(find_argmax_targets(attention, gold_of(SPEC)))
    monkeypatch.setattr(head_blocks, "BLOCK_WEIGHTS", weights)
    analysis, argmax_targets = analyse_with_targets(attention, SETTINGS, gold_of(SPEC))
    assert (save(analysis), save_targets(argmax_targets)) == whole
    np.testing.assert_array_equal(attention.weights, before)


def test_one_reading_gives_what_two_give_where_words_are_not_known() -> None:
    attention = replace(made(2), tokens=replace(made(2).tokens, offsets=None))
    analysis, argmax_targets = analyse_with_targets(attention, SETTINGS, gold_of(SPEC))
    assert argmax_targets is None
    assert save(analysis) == save(analyse(attention, SETTINGS))


class Spoiler:
    """Fails on one block."""

    def take(self, block: Block) -> None:
        if block.layer + block.layers > 1:
            raise ZeroDivisionError


class Damaged(HandMade):
    """Attention whose bytes turn out to be wrong."""

    def layer(self, index: int) -> AttentionLayer:
        raise DamagedEntry(f"layer {index} is damaged")


def test_damage_explains_the_mistake_that_it_led_to() -> None:
    attention = made(3)
    with pytest.raises(ZeroDivisionError):
        feed_blocks(attention, [Spoiler()])
    with pytest.raises(DamagedEntry, match="layer 0 is damaged"):
        feed_blocks(Damaged(attention.weights, attention.tokens, attention.facts), [Spoiler()])


@pytest.mark.parametrize("heads", [1, 3, 5])
def test_other_numbers_of_heads_are_damage(heads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    attention = made(4)
    other = replace(attention, weights=softmax(4, heads=heads))
    for weights in (1, 2**18):
        monkeypatch.setattr(head_blocks, "BLOCK_WEIGHTS", weights)
        with pytest.raises(DamagedEntry, match="layer 0"):
            analyse(other, SETTINGS)


def test_cross_attention_is_read_in_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = softmax(5)[:, :, :4]
    attention = hand_crossed(weights, special=[0], keys=[8])
    whole = save(analyse(attention, SETTINGS))
    monkeypatch.setattr(head_blocks, "BLOCK_WEIGHTS", 1)
    assert save(analyse(attention, SETTINGS)) == whole


@given(
    st.integers(1, 6),
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**7 - 1),
)
def test_the_strongest_keys_are_those_of_each_by_itself(rows, keys, count, seed, chosen):
    random = np.random.default_rng(seed)
    average = (random.integers(0, 4, (2, rows, keys)) / 8).astype(np.float32)
    content = np.array([bool(chosen >> key & 1) for key in range(keys)])
    strongest = strongest_content(average, content, count)
    expected = strongest_keys(average, count), strongest_keys(average * content, count)
    for arrays, expected_arrays in zip(strongest, expected, strict=True):
        assert [array.tolist() for array in arrays] == [array.tolist() for array in expected_arrays]
        assert [array.dtype for array in arrays] == [array.dtype for array in expected_arrays]
