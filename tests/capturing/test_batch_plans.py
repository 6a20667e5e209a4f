"""Sentences run together without wasting room, and every one of them runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.capturing.batches import halves, plan_batches


@given(st.lists(st.integers(1, 600), max_size=200), st.integers(1, 4096), st.integers(1, 64))
def test_every_sentence_runs_once_and_within_the_budget(lengths: list[int], budget: int, most: int) -> None:
    batches = plan_batches(lengths, budget, most)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
        assert len(batch) <= most
    order = [lengths[index] for batch in batches for index in batch]
    assert order == sorted(order, reverse=True)


@given(st.integers(1, 64), st.integers(1, 300))
def test_equal_sentences_fill_their_batches(length: int, count: int) -> None:
    batches = plan_batches([length] * count, 1024)
    full = min(64, 1024 // length)
    assert [len(batch) for batch in batches[:-1]] == [full] * (len(batches) - 1)


@given(st.lists(st.integers(), min_size=2, max_size=65))
def test_halves_are_smaller_and_whole(batch: list[int]) -> None:
    first, second = halves(batch)
    assert first + second == batch
    assert 0 <= len(first) - len(second) <= 1
