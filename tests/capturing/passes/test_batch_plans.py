"""Sentences of equal length run together, and every one of them runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.capturing.passes.batches import FEWEST_TOKENS, fewest_rows, halves, plan_batches

SHAPES = st.one_of(st.tuples(st.integers(1, 600)), st.tuples(st.integers(1, 600), st.integers(1, 60)))


@given(st.lists(SHAPES, max_size=200), st.integers(1, 4096), st.integers(1, 64))
def test_every_sentence_runs_once_and_within_the_budget(
    shapes: list[tuple[int, ...]], budget: int, most: int
) -> None:
    batches = plan_batches(shapes, budget, most)
    assert sorted(index for batch in batches for index in batch) == list(range(len(shapes)))
    for batch in batches:
        (shape,) = {shapes[index] for index in batch}
        assert len(batch) == 1 or len(batch) * sum(shape) <= budget
        assert len(batch) <= most
    order = [sum(shapes[index]) for batch in batches for index in batch]
    assert order == sorted(order, reverse=True)


@given(st.integers(1, 64), st.integers(1, 300))
def test_equal_sentences_fill_their_batches(length: int, count: int) -> None:
    batches = plan_batches([(length,)] * count, 1024)
    full = min(64, 1024 // length)
    assert [len(batch) for batch in batches[:-1]] == [full] * (len(batches) - 1)


@given(st.lists(st.integers(), min_size=2, max_size=65))
def test_halves_are_smaller_and_whole(batch: list[int]) -> None:
    first, second = halves(batch)
    assert first + second == batch
    assert 0 <= len(first) - len(second) <= 1


@given(SHAPES)
def test_only_short_sentences_are_filled_up_and_only_as_far_as_needed(shape: tuple[int, ...]) -> None:
    rows, shortest = fewest_rows(shape), min(shape)
    assert rows * shortest >= FEWEST_TOKENS
    assert rows == 1 or (rows - 1) * shortest < FEWEST_TOKENS
