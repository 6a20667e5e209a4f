"""Numbers and names as readers see them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.evidence import wording
from attention_gallery.manifest.settings import SentenceSpec


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (0.0004, "< 0.001"), (0.0005, "0.001"), (0.41251, "0.413"), (1.0, "1.000")],
)
def test_weights_have_three_decimals(value: float, text: str) -> None:
    assert wording.weight(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "+0.250"),
        (-0.0042, "−0.004"),
        (0.0015, "+0.002"),
        (0.00113, "+0.0011"),
        (-0.00034, "−0.00034"),
        (0.00002, "+0.00002"),
        (0.000999, "+0.001"),
        (0.0, "+0.000"),
    ],
)
def test_tiny_differences_have_two_digits_and_no_exponent(value: float, text: str) -> None:
    assert wording.difference(value) == text


def test_measures_are_told_in_their_unit() -> None:
    assert wording.measure(3.26, "tokens") == "3.3"
    assert wording.measure(0.326, "share") == "0.33"
    assert wording.measure(0.001, "share") == "< 0.01"
    assert wording.measure(math.nan, "share") == wording.measure(math.nan, "tokens") == "–"


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1 token"), (0, "0 tokens"), (2, "2 tokens"), (1024, "1,024 tokens")]
)
def test_counts(number: int, text: str) -> None:
    assert wording.count(number, "token") == text


@pytest.mark.parametrize(
    ("number", "text"), [(999, "999"), (22_713_216, "22.7 million"), (1_235_000_000, "1.24 billion")]
)
def test_numbers_of_parameters(number: int, text: str) -> None:
    assert wording.million(number) == text


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_is_a_beginning_on_one_line(text: str, longest: int) -> None:
    short = wording.shortened(text, longest)
    assert len(short) <= longest + 1
    assert "\n" not in short
    line = " ".join(text.split())
    assert short == line or (short.endswith("…") and line.startswith(short[:-1]))


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists(items: list[str], text: str) -> None:
    assert wording.listed(items) == text


SPANS = [[0, 0], [0, 2], [3, 6], [7, 9], [9, 12], [12, 12]]
SPECIAL = [True, False, False, False, False, True]


@pytest.mark.parametrize(
    ("focus", "token"),
    [(None, 1), ("cat", 2), ("it", 3), ("its", 3), ("self", 4), ("t", 1), ("gone", 1)],
)
def test_the_focus_is_the_first_token_of_its_word(focus: str | None, token: int) -> None:
    sentence = SentenceSpec(slug="x", title="x", text="It cat itself", focus=focus)
    assert wording.focus_token(sentence, SPANS, SPECIAL, causal=False) == token


@pytest.mark.parametrize(("focus", "token"), [(None, 4), ("cat", 2), ("gone", 4)])
def test_a_causal_model_opens_at_the_token_that_sees_most(focus: str | None, token: int) -> None:
    sentence = SentenceSpec(slug="x", title="x", text="It cat itself", focus=focus)
    assert wording.focus_token(sentence, SPANS, SPECIAL, causal=True) == token


def test_without_offsets_the_focus_is_the_first_word() -> None:
    sentence = SentenceSpec(slug="x", title="x", text="It cat", focus="cat")
    assert wording.focus_token(sentence, None, [True, False, False], causal=False) == 1
    assert wording.focus_token(sentence, None, [True, True], causal=False) == 0


@pytest.mark.parametrize(("text", "token"), [("itself saw it", 4), ("itself", 0)])
def test_a_whole_word_is_preferred(text: str, token: int) -> None:
    sentence = SentenceSpec(slug="x", title="x", text=text, focus="it")
    spans = [[0, 2], [2, 6], [7, 8], [8, 10], [11, 13]]
    assert wording.focus_token(sentence, spans, [False] * 5, causal=False) == token


@pytest.mark.parametrize(
    ("counts", "crossing", "told"),
    [
        ((1, 1), False, "1 token"),
        ((9, 9), False, "9 tokens"),
        ((7, 7), True, "7 target tokens looking at 7 source tokens"),
        ((1, 12), True, "1 target token looking at 12 source tokens"),
    ],
)
def test_how_much_is_read(counts: tuple[int, int], crossing: bool, told: str) -> None:
    assert wording.length(*counts, crossing) == told


@pytest.mark.parametrize(
    ("value", "error", "decimals", "said"),
    [
        (0.4321, 0.2, 3, "0.4 ± 0.2"),
        (0.4321, 0.0234, 3, "0.43 ± 0.02"),
        (0.4321, 0.0961, 3, "0.4 ± 0.1"),
        (0.4321, 0.004, 3, "0.432 ± 0.004"),
        (0.4321, 0.0004, 3, "0.432"),
        (0.4321, 0.004, 2, "0.43"),
        (0.4321, 0.0, 3, "0.432"),
        (0.0001, 0.0, 3, "< 0.001"),
        (12.3, 3.0, 3, "12 ± 3"),
        (float("nan"), 0.1, 3, "–"),
        (0.4321, float("nan"), 3, "0.432"),
    ],
)
def test_an_estimate_has_no_digit_beyond_its_error(
    value: float, error: float, decimals: int, said: str
) -> None:
    assert wording.estimate(value, error, decimals) == said


def test_differences_are_told_in_points_with_their_sign() -> None:
    told = [wording.points(value) for value in (0.125, -0.03, 0.0, -0.0001, 1.0)]
    assert told == ["+12.5", "−3.0", "0.0", "0.0", "+100.0"]
