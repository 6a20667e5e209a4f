"""Two readings side by side: which words stand for which, and how far the same heads are apart."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hand_made import HandMade, hand_crossed, hand_made, marked
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import to_words
from attention_gallery.analysis.contrast.alignment import (
    Frame,
    align,
    frame_of,
    text_units,
    token_units,
    word_units,
)
from attention_gallery.analysis.contrast.contrast_codec import COUNTERPARTS, HEAD_CONTRAST
from attention_gallery.analysis.contrast.counterparts import find_counterparts
from attention_gallery.analysis.contrast.head_contrast import compare, contrast_heads, divergence, normalised
from attention_gallery.errors import DamagedEntry
from attention_gallery.records import Tokens

TEXTS = ("", "")


def softmax(seed: int, layers: int, heads: int, count: int, *, causal: bool = False) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(layers, heads, count, count)) * 2
    if causal:
        scores = np.where(np.tri(count, dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def pairs(left: list[str], right: list[str], special: tuple[int, ...] = ()) -> list[tuple[str, str, bool]]:
    left_tokens, right_tokens = (marked("t", len(texts), special, texts) for texts in (left, right))
    alignment = align(token_units(left_tokens), token_units(right_tokens))
    return [
        (left[a] if a >= 0 else "", right[b] if b >= 0 else "", bool(changed))
        for a, b, changed in zip(alignment.left, alignment.right, alignment.changed, strict=True)
    ]


def read(text: str, pieces: list[tuple[int, int]], words: list[int]) -> Tokens:
    """Tokens that stand at these places of a text."""
    spans = np.array(pieces, np.int32)
    texts = tuple(text[start:end] for start, end in pieces)
    count = len(pieces)
    flags = np.zeros(count, bool)
    return Tokens(np.arange(count), texts, flags, flags, spans, np.array(words, np.int32))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("it is too big .", "it is too small .", ["it=it", "is=is", "too=too", "big~small", ".=."]),
        ("a b", "a x y b", ["a=a", "+x", "+y", "b=b"]),
        ("a x b", "a b", ["a=a", "-x", "b=b"]),
        ("a x b", "a y z b", ["a=a", "-x", "+y", "+z", "b=b"]),
        ("a x y b", "a v w b", ["a=a", "x~v", "y~w", "b=b"]),
        ("a b", "c", ["-a", "-b", "+c"]),
    ],
)
def test_words_stand_for_each_other(left: str, right: str, expected: list[str]) -> None:
    signs = []
    for old, new, changed in pairs(left.split(), right.split()):
        sign = "~" if changed else "=" if old and new else ""
        signs.append(f"{old}{sign}{new}" if sign else f"-{old}" if old else f"+{new}")
    assert signs == expected


def test_a_special_token_stands_for_no_word() -> None:
    left, right = marked("t", 2, (1,), ("a", "[SEP]")), marked("t", 2, (), ("a", "b"))
    alignment = align(token_units(left), token_units(right))
    assert alignment.left.tolist() == [0, 1, -1]
    assert alignment.right.tolist() == [0, -1, 1]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_every_word_has_one_place_and_order_is_kept(left: list[str], right: list[str]) -> None:
    aligned = pairs(left, right)
    assert [old for old, _, _ in aligned if old] == left
    assert [new for _, new, _ in aligned if new] == right
    assert all(old != new for old, new, changed in aligned if changed)


def test_two_tokenizers_meet_at_the_words_of_the_text() -> None:
    text = "a suitcase, yes"
    whole = read(text, [(0, 1), (2, 10), (10, 11), (12, 15)], [0, 1, 2, 3])
    cut = read(text, [(0, 1), (2, 6), (6, 10), (10, 11), (12, 15)], [0, 1, 1, 1, 2])
    left, right = text_units(whole, text), text_units(cut, text)
    assert left.names == right.names
    assert right.groups.tolist() == [0, 1, 1, 2, 3]
    assert right.tokens.texts == ("a", "suitcase", ",", "yes")


def test_words_are_told_as_they_are_written() -> None:
    text = "I love 🍕"
    unknown = replace(read(text, [(0, 1), (2, 6), (7, 8)], [0, 1, 2]), texts=("i", "love", "[UNK]"))
    assert text_units(unknown, text).tokens.texts == ("I", "love", "🍕")


def test_in_one_text_no_word_is_exchanged_for_another() -> None:
    text = "f): g"
    attention = hand_made(softmax(1, 1, 1, 4))
    tokens = read(text, [(0, 1), (1, 2), (2, 3), (4, 5)], [0, 1, 2, 3])
    joined = read(text, [(0, 1), (1, 3), (3, 4), (4, 5)], [0, 1, 2, 3])
    sides = (replace(attention, tokens=tokens, text=text), replace(attention, tokens=joined, text=text))
    rows = frame_of(*sides, (text, text), one_model=False).rows
    assert not rows.changed.any()
    assert (rows.left.tolist(), rows.right.tolist()) == ([0, 1, 2, -1, 3], [0, 1, -1, 2, 3])


def test_a_token_without_words_stands_by_itself() -> None:
    text = "go\n\non"
    tokens = read(text, [(0, 2), (2, 4), (4, 6)], [0, 1, 2])
    items = text_units(tokens, text)
    assert items.groups.tolist() == [0, 1, 2]
    assert items.names[1] == (False, "")


def test_without_places_words_are_those_of_the_tokenizer() -> None:
    tokens = replace(read("ab c", [(0, 1), (1, 2), (3, 4)], [0, 0, 1]), offsets=None)
    assert text_units(tokens, "ab c").groups.tolist() == [0, 0, 1]
    assert word_units(replace(tokens, words=None), None).groups.tolist() == [0, 1, 2]


def test_the_same_tokens_are_compared_cell_by_cell() -> None:
    left, right = hand_made(softmax(1, 1, 2, 4)), hand_made(softmax(2, 1, 2, 4))
    frame = frame_of(left, right, TEXTS, one_model=False)
    assert not frame.by_words
    weights = left.layer(0).weights
    np.testing.assert_array_equal(frame.spread(frame.left, weights), weights)


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=7),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=7),
)
def test_a_frame_loses_no_attention(left: list[str], right: list[str]) -> None:
    before = hand_made(softmax(3, 1, 2, len(left)), texts=left)
    after = hand_made(softmax(4, 1, 2, len(right)), texts=right)
    frame = frame_of(before, after, TEXTS, one_model=True)
    for side, attention, units in (
        (frame.left, before, frame.rows.left),
        (frame.right, after, frame.rows.right),
    ):
        spread = frame.spread(side, attention.layer(0).weights)
        np.testing.assert_allclose(spread.sum(axis=-1), np.tile(units >= 0, (2, 1)), atol=1e-5)


def test_words_are_summed_and_averaged_in_a_frame() -> None:
    tokens = Tokens(
        np.arange(3),
        ("a", "b", "c"),
        np.zeros(3, bool),
        np.zeros(3, bool),
        None,
        np.array([0, 0, 1], np.int32),
    )
    weights = softmax(5, 1, 1, 3)
    left = HandMade(weights, tokens, hand_made(weights).facts)
    right = hand_made(softmax(6, 1, 1, 2), texts=("ab", "c"))
    frame = frame_of(left, right, TEXTS, one_model=True)
    assert frame.by_words
    groups = np.array([0, 0, 1], np.int32)
    np.testing.assert_allclose(frame.spread(frame.left, weights[0]), to_words(weights[0], groups, groups))
    assert frame.rows.differs.tolist() == [False, False]


def test_a_head_that_changes_is_found_with_what_it_loses_and_gains() -> None:
    before = np.full((2, 2, 3, 3), 1 / 3, np.float32)
    after = before.copy()
    before[1, 0, 2], after[1, 0, 2] = [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]
    left, right = (
        hand_made(weights, texts=("it", "cat", word)) for weights, word in ((before, "big"), (after, "old"))
    )
    frame = frame_of(left, right, TEXTS, one_model=True)
    contrast = contrast_heads(left, right, frame)
    assert contrast.ranked()[0] == (1, 0)
    assert contrast.distance[0].tolist() == [0, 0]
    assert contrast.distance[1, 1] == 0
    p, q = np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.1, 0.8])
    m = (p + q) / 2
    expected = ((p * np.log2(p / m)).sum() + (q * np.log2(q / m)).sum()) / 2 / 3
    assert contrast.distance[1, 0] == pytest.approx(expected, abs=1e-6)
    lost, gained = contrast.change(1, 0) or pytest.fail("no change")
    assert (lost.row, lost.column, gained.column) == (2, 0, 2)
    assert [lost.left, lost.right, gained.left, gained.right] == pytest.approx([0.8, 0.1, 0.1, 0.8])
    assert {(change.row, change.column) for change in contrast.strongest(1, 0)} == {(2, 0), (2, 2)}
    assert contrast.strongest(0, 0) == []
    np.testing.assert_allclose(contrast.average[0], before.mean(axis=(0, 1)), atol=1e-6)


def test_what_one_side_does_not_have_counts_as_not_looked_at() -> None:
    left = np.zeros((1, 1, 2, 2), np.float32)
    left[..., 0] = 1
    right = np.zeros((1, 1, 3, 3), np.float32)
    right[..., 1] = 1  # all look at the new word
    before, after = hand_made(left, texts=("a", "b")), hand_made(right, texts=("a", "x", "b"))
    frame = frame_of(before, after, TEXTS, one_model=True)
    assert frame.rows.left.tolist() == [0, -1, 1]
    assert frame.compared.tolist() == [0, 2]
    assert contrast_heads(before, after, frame).distance.item() == 1


def test_a_causal_model_is_compared_from_the_first_difference_on() -> None:
    weights = softmax(7, 1, 2, 5, causal=True)
    texts = ["a", "b", "c", "d", "e"]
    left = hand_made(weights, causal=True, texts=texts)
    right = hand_made(softmax(8, 1, 2, 5, causal=True), causal=True, texts=[*texts[:3], "x", "e"])
    assert frame_of(left, right, TEXTS, one_model=True).compared.tolist() == [3, 4]
    # Two models may differ anywhere, but for the first token, which has no choice.
    elsewhere = replace(right, text="another text")
    assert frame_of(left, elsewhere, TEXTS, one_model=False).compared.tolist() == [1, 2, 3, 4]
    assert frame_of(left, left, TEXTS, one_model=True).compared.tolist() == [1, 2, 3, 4]


def test_nothing_can_be_compared_where_nothing_can_be_chosen() -> None:
    left, right = (hand_made(np.ones((2, 2, 1, 1)), causal=True, texts=(text,)) for text in "ab")
    frame = frame_of(left, right, TEXTS, one_model=True)
    contrast = contrast_heads(left, right, frame)
    assert np.isnan(contrast.distance).all()
    assert np.isnan(contrast.shuffled).all()
    assert contrast.change(0, 0) is None
    assert contrast.strongest(1, 1) == []
    lone = find_counterparts(left, right, frame)
    assert lone.mutual() == []
    assert np.isnan(lone.typical)
    np.testing.assert_array_equal(
        COUNTERPARTS.load(COUNTERPARTS.dump(lone), None).left_distance, lone.left_distance
    )


@given(st.integers(0, 1000), st.booleans())
def test_distances_lie_between_0_and_1_whichever_side_is_first(seed: int, causal: bool) -> None:
    left, right = (
        hand_made(softmax(seed + n, 2, 2, 5, causal=causal), causal=causal, texts=("a", "b", "c", word, "e"))
        for n, word in enumerate("xy")
    )
    contrast = contrast_heads(left, right, frame_of(left, right, TEXTS, one_model=True))
    back = contrast_heads(right, left, frame_of(right, left, TEXTS, one_model=True))
    assert ((contrast.distance >= 0) & (contrast.distance <= 1)).all()
    assert ((contrast.shuffled >= 0) & (contrast.shuffled <= 1)).all()
    np.testing.assert_allclose(contrast.distance, back.distance, atol=1e-6)


def test_the_divergence_of_one_hot_rows_is_all_or_nothing() -> None:
    rows = np.eye(3)
    assert divergence(rows, rows).tolist() == [0, 0, 0]
    assert divergence(rows, rows[[1, 2, 0]]).tolist() == [1, 1, 1]
    assert normalised(np.zeros((1, 2), np.float32)).tolist() == [[0, 0]]


def test_rows_in_random_order_keep_what_cannot_be_seen() -> None:
    even = np.tril(np.ones((6, 6), np.float32))
    even /= even.sum(axis=1, keepdims=True)
    sharp = np.tile(np.eye(6, dtype=np.float32), (1, 1, 1, 1))
    texts = tuple("abcdef")
    other_texts = tuple("xbcdef")
    left, changed = (
        hand_made(even[None, None], causal=True, texts=texts),
        hand_made(even[None, None], causal=True, texts=other_texts),
    )
    # Even attention stays even in any order, and no weight moves to where it cannot be.
    assert contrast_heads(left, changed, frame_of(left, changed, TEXTS, one_model=True)).shuffled.item() == 0
    left, changed = (
        hand_made(sharp, causal=True, texts=texts),
        hand_made(sharp, causal=True, texts=other_texts),
    )
    shuffled = contrast_heads(left, changed, frame_of(left, changed, TEXTS, one_model=True)).shuffled.item()
    assert 0.5 < shuffled < 1


def test_counterparts_of_shuffled_heads_are_found() -> None:
    weights = softmax(9, 2, 3, 6)
    order = [4, 2, 0, 5, 1, 3]
    moved = weights.reshape(6, 6, 6)[order].reshape(3, 2, 6, 6)
    left, right = hand_made(weights), hand_made(moved)
    frame = frame_of(left, right, TEXTS, one_model=False)
    counterparts = find_counterparts(left, right, frame)
    assert counterparts.left_nearest.ravel().tolist() == [order.index(n) for n in range(6)]
    assert counterparts.left_distance.max() == 0
    assert len(counterparts.mutual()) == 6
    assert counterparts.mutual()[0] == ((0, 0), divmod(order.index(0), 2), 0.0)
    assert (counterparts.left_chance > 0.05).all()
    assert 0 < counterparts.typical < 1


def test_counterparts_are_compared_on_all_rows_however_few_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, right = hand_made(softmax(10, 2, 3, 300)), hand_made(softmax(11, 3, 2, 300))
    frame = frame_of(left, right, TEXTS, one_model=False)
    counterparts = find_counterparts(left, right, frame)
    assert counterparts.rows == (300, 300)
    apart = np.array(
        [
            [divergence(a.astype(float), b.astype(float)).mean() for b in layer_of_all(right)]
            for a in layer_of_all(left)
        ]
    )
    np.testing.assert_array_equal(counterparts.left_nearest.ravel(), apart.argmin(axis=1))
    np.testing.assert_allclose(counterparts.left_distance.ravel(), apart.min(axis=1), atol=1e-5)
    np.testing.assert_allclose(counterparts.right_distance.ravel(), apart.min(axis=0), atol=1e-5)
    assert counterparts.typical == pytest.approx(np.median(apart), abs=1e-5)
    assert (counterparts.left_error.max(), counterparts.typical_error) == (0, 0)
    monkeypatch.setattr("attention_gallery.analysis.contrast.counterparts._HELD", 2**17)
    by_blocks = find_counterparts(left, right, frame)
    for name in ("left_distance", "left_chance", "left_chance_error", "right_nearest", "average"):
        np.testing.assert_allclose(getattr(by_blocks, name), getattr(counterparts, name), rtol=1e-5)


def layer_of_all(attention: HandMade) -> np.ndarray:
    """All heads in one count: float32[head, query, key]."""
    return np.concatenate([attention.layer(index).weights for index in range(attention.facts.layers)])


def test_where_some_rows_stand_for_all_distances_know_their_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = hand_made(softmax(10, 2, 3, 40)), hand_made(softmax(11, 3, 2, 40))
    frame = frame_of(left, right, TEXTS, one_model=False)
    whole = find_counterparts(left, right, frame)
    monkeypatch.setattr("attention_gallery.analysis.contrast.counterparts.LOGARITHMS", 36 * 40 * 16)
    some = find_counterparts(left, right, frame)
    assert (whole.rows, some.rows) == ((40, 40), (16, 40))
    for side in ("left", "right"):
        error = getattr(some, f"{side}_error")
        assert (error > 0).all()
        off = getattr(some, f"{side}_distance") - getattr(whole, f"{side}_distance")
        assert (np.abs(off) < 4 * error).all()
    assert 0 < abs(some.typical - whole.typical) < 4 * some.typical_error


def test_what_random_order_gives_is_estimated_with_its_error() -> None:
    weights = softmax(12, 1, 4, 120)
    left, right = hand_made(weights), hand_made(softmax(13, 1, 4, 120))
    contrast = contrast_heads(left, right, frame_of(left, right, TEXTS, one_model=True))
    assert (contrast.shuffled_error > 0).all()
    random = np.random.default_rng(5)
    expected = np.zeros(4)
    for _ in range(40):  # orders of all rows
        for head in range(4):
            rows = weights[0, head].astype(np.float64)
            expected[head] += divergence(rows, random.permuted(rows, axis=1)).mean() / 40
    off = np.abs(contrast.shuffled[0] - expected) / contrast.shuffled_error[0]
    assert off.max() < 4
    assert contrast.shuffled_error.max() < 0.05


def test_a_few_heads_at_a_time_give_what_all_give(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = (
        hand_made(softmax(n, 2, 4, 6), texts=("a", "b", "c", "d", "e", word))
        for n, word in ((1, "x"), (2, "y"))
    )
    frame = frame_of(left, right, TEXTS, one_model=True)
    whole = contrast_heads(left, right, frame)
    monkeypatch.setattr("attention_gallery.analysis.contrast.head_contrast._CHUNK", 1)
    some = contrast_heads(left, right, frame)
    np.testing.assert_array_equal(whole.cells, some.cells)
    np.testing.assert_array_equal(whole.distance, some.distance)
    np.testing.assert_allclose(whole.average, some.average, atol=1e-6)


def test_memory_does_not_grow_with_the_layers() -> None:
    def peak(layers: int) -> int:
        left = hand_made(softmax(1, 1, 8, 64).repeat(layers, axis=0))
        right = hand_made(softmax(2, 1, 8, 64).repeat(layers, axis=0))
        frame = frame_of(left, right, TEXTS, one_model=True)
        tracemalloc.start()
        contrast_heads(left, right, frame)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    assert peak(24) < 1.2 * peak(3)


def test_layers_are_read_one_by_one() -> None:
    reading: list[int] = []

    class Watched(HandMade):
        def layer(self, index: int):  # type: ignore[no-untyped-def]
            reading.append(index)
            return super().layer(index)

    plain = hand_made(softmax(12, 3, 2, 4))
    left, right = (Watched(plain.weights, plain.tokens, plain.facts) for _ in range(2))
    contrast_heads(left, right, frame_of(left, right, TEXTS, one_model=True))
    assert reading == [0, 0, 1, 1, 2, 2]


def test_cross_attention_aligns_both_texts() -> None:
    left = hand_crossed(softmax(13, 1, 1, 4)[:, :, :3])
    right = HandMade(
        left.weights[:, :, :, [0, 2, 3]] / left.weights[:, :, :, [0, 2, 3]].sum(axis=-1, keepdims=True),
        left.tokens,
        left.facts,
        marked("s", 3, (), ("s0", "s2", "s3")),
    )
    frame = frame_of(left, right, ("s0 s1 s2 s3", "s0 s2 s3"), one_model=True)
    assert (len(frame.rows), len(frame.columns)) == (3, 4)
    assert frame.columns.right.tolist() == [0, -1, 1, 2]
    assert 0 < contrast_heads(left, right, frame).distance.item() < 1


def test_one_pair_of_heads_is_compared_as_all_are() -> None:
    attention = hand_made(softmax(14, 1, 2, 5))
    frame = frame_of(attention, attention, TEXTS, one_model=True)
    a, b = attention.layer(0).weights
    contrast = compare(a, b, frame)
    expected = divergence(normalised(a), normalised(b)).mean()
    assert contrast.distance.item() == pytest.approx(expected, abs=1e-6)
    first = contrast.strongest(0, 0)[0]
    assert abs(first.right - first.left) == pytest.approx(np.abs(b - a).max())


@pytest.fixture
def framed() -> tuple[HandMade, HandMade, Frame]:
    left, right = (
        hand_made(softmax(n, 2, 3, 4), texts=("a", "b", "c", word)) for n, word in ((1, "x"), (2, "y"))
    )
    return left, right, frame_of(left, right, TEXTS, one_model=True)


def test_contrasts_are_cached_as_they_are(framed: tuple[HandMade, HandMade, Frame]) -> None:
    contrast = contrast_heads(*framed)
    again = HEAD_CONTRAST.load(HEAD_CONTRAST.dump(contrast), None)
    for name in ("distance", "shuffled", "row", "moved", "moved_weights", "cells", "weights", "average"):
        np.testing.assert_array_equal(getattr(contrast, name), getattr(again, name))
    counterparts = find_counterparts(*framed)
    content = COUNTERPARTS.dump(counterparts)
    assert COUNTERPARTS.dump(COUNTERPARTS.load(content, None)) == content
    with pytest.raises(DamagedEntry):
        HEAD_CONTRAST.load(COUNTERPARTS.dump(counterparts), None)
    with pytest.raises(DamagedEntry):
        COUNTERPARTS.load(COUNTERPARTS.dump(counterparts)[:-1], None)
