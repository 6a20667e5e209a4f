"""Types of heads: known patterns, thresholds, and the evidence that is printed."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import KINDS, Across, analyse
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.measures.analysis_codec import load, save
from attention_gallery.analysis.measures.head_types import Thresholds, decide_types, names_of
from attention_gallery.manifest.settings import AnalysisSettings

UNIFORM = {"local": 0.3}
T = 16


def towards(keys, strength=0.9):
    """Each query gives `strength` to its key and spreads the rest over the others."""
    weights = np.full((T, T), (1 - strength) / (T - 1))
    weights[np.arange(T), keys] = strength
    return weights


def shifted(offset):
    return np.clip(np.arange(T) + offset, 0, T - 1)


def kind_of(numbers, thresholds=None, uniform=UNIFORM, queries=None):
    values = {"entropy": 0.5, **numbers}
    arrays = {name: np.array([[value]], dtype=np.float32) for name, value in values.items()}
    types, _ = decide_types(
        arrays, uniform, thresholds or Thresholds(), {"duplicate": 4, "induction": 4, **(queries or {})}
    )
    return KINDS[int(types[0, 0])].name


BAND = np.where(np.abs(np.subtract.outer(np.arange(T), np.arange(T))) <= 2, 1.0, 0.0)
PATTERNS = {
    "previous-token": towards(shifted(-1)),
    "next-token": towards(shifted(1)),
    "self": towards(np.arange(T)),
    "separator": towards([T - 1] * T),
    "first-token": towards([0] * T),
    "local": BAND / BAND.sum(axis=1, keepdims=True),
    "focused": towards((np.arange(T) * 7 + 5) % T, 0.98),
    "broad": np.full((T, T), 1 / T),
    "mixed": towards((np.arange(T) * 7 + 5) % T, 0.6),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_is_recognised(stored, name):
    attention = stored(PATTERNS[name][None, None], special=[0, T - 1])
    assert analyse(attention, AnalysisSettings()).head_type(0, 0).name == name


def test_patterns_cover_every_kind():
    # A diagonal is one of cross attention only, induction one of causal models; see `test_known_heads`.
    assert {*PATTERNS, "diagonal", "duplicate-token", "induction", "punctuation"} == {k.name for k in KINDS}


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        (towards(shifted(-1), 1.0), "previous-token"),
        (towards([0] * T, 1.0), "first-token"),
        (towards(np.arange(T), 1.0), "self"),
        (np.tril(np.ones((T, T))) / np.arange(1, T + 1)[:, None], "broad"),
    ],
)
def test_causal_patterns_are_recognised(stored, weights, name):
    attention = stored(weights[None, None], causal=True)
    assert analyse(attention, AnalysisSettings()).head_type(0, 0).name == name


@pytest.mark.parametrize(
    ("measure", "name", "limit"),
    [
        ("previous", "previous-token", 0.5),
        ("next", "next-token", 0.5),
        ("self", "self", 0.5),
        ("separator", "separator", 0.6),
        ("first", "first-token", 0.6),
        ("local", "local", 0.8),
        ("entropy", "broad", 0.85),
    ],
)
def test_a_type_begins_beyond_its_threshold(measure, name, limit):
    assert kind_of({measure: limit - 0.001}) == "mixed"
    assert kind_of({measure: limit + 0.001}) == name


def test_a_focused_head_lies_below_its_threshold():
    assert kind_of({"entropy": 0.251}) == "mixed"
    assert kind_of({"entropy": 0.249}) == "focused"


def test_thresholds_can_be_moved():
    assert kind_of({"previous": 0.45}, Thresholds(previous=0.4)) == "previous-token"


def test_the_largest_share_decides():
    assert kind_of({"previous": 0.7, "first": 0.72}) == "first-token"
    assert kind_of({"previous": 0.72, "first": 0.7}) == "previous-token"


def test_a_share_decides_before_entropy_and_local_mass():
    assert kind_of({"self": 0.9, "local": 1.0, "entropy": 0.1}) == "self"


def test_in_a_short_sentence_local_mass_is_no_evidence():
    assert kind_of({"local": 0.85}, uniform={"local": 0.3}) == "local"
    assert kind_of({"local": 0.85}, uniform={"local": 0.8}) == "mixed"
    assert kind_of({"local": 1.0}, uniform={"local": 1.0}) == "mixed"


def test_absent_measures_decide_nothing():
    nan = float("nan")
    everything = dict.fromkeys(("entropy", "previous", "self", "first", "separator", "local"), nan)
    assert kind_of(everything) == "mixed"


@pytest.mark.parametrize("causal", [False, True])
def test_a_single_token_is_typed_without_a_claim(stored, causal):
    head_type = analyse(stored(np.ones((1, 1, 1, 1)), causal=causal), AnalysisSettings()).head_type(0, 0)
    assert (head_type.name, head_type.evidence) == ("mixed", "there is nothing to choose between")


def test_evidence_gives_the_number_and_the_threshold(stored):
    weights = np.stack([PATTERNS[name] for name in PATTERNS])[None]
    analysis = analyse(stored(weights, special=[0, T - 1]), AnalysisSettings())
    evidence = {name: analysis.head_type(0, head).evidence for head, name in enumerate(PATTERNS)}
    assert evidence["previous-token"] == "0.90 of its attention goes to the previous token (threshold 0.5)"
    assert evidence["first-token"] == "0.90 of its attention goes to the first token (threshold 0.6)"
    assert evidence["local"] == (
        "1.00 of its attention stays within 3 tokens (threshold 0.8; spread evenly it would be 0.39)"
    )
    assert evidence["broad"] == "1.00 of the largest possible entropy (threshold 0.85)"
    assert evidence["focused"].endswith("of the largest possible entropy (threshold: below 0.25)")
    assert "short of the threshold" in evidence["mixed"]


def test_evidence_shows_on_which_side_of_the_threshold_a_number_lies(stored):
    weights = towards(shifted(-1), 0.5)
    weights[1:, :] = towards(shifted(-1), 0.5004)[1:, :]
    head_type = analyse(stored(weights[None, None]), AnalysisSettings()).head_type(0, 0)
    assert head_type.name == "previous-token"
    assert head_type.evidence.startswith("0.5004 of")


def types_of(numbers, uniform, queries=None):
    values = {"entropy": 0.5, **numbers}
    arrays = {name: np.array([[value]], dtype=np.float32) for name, value in values.items()}
    evens = {name: np.array([value], dtype=np.float32) for name, value in uniform.items()}
    rests = {"punctuation": 4, "duplicate": 4, "induction": 4, **(queries or {})}
    rests = {name: np.array([value], dtype=np.int32) for name, value in rests.items()}
    first, second = decide_types(arrays, evens, Thresholds(), rests)
    return names_of(int(first[0, 0]), int(second[0, 0]))


EVENS = {"first": 0.25, "previous": 0.25, "induction": 0.1, "duplicate": 0.1}
EVENS |= {"random-induction": 0.0135, "random-duplicate": 0.0135}


def test_a_head_that_rests_where_nothing_comes_back_is_an_induction_head_and_a_sink():
    # L18H6 of SmolLM2, which rests on the first token on real texts.
    assert types_of({"first": 0.94, "random-induction": 0.86}, EVENS) == ("induction", "first-token")
    assert types_of({"first": 0.94, "random-induction": 0.49}, EVENS) == ("first-token",)
    assert types_of({"first": 0.59, "random-induction": 0.86}, EVENS) == ("induction",)


def test_evidence_is_weighed_and_not_taken_in_order():
    assert types_of({"first": 0.99, "duplicate": 0.56}, EVENS) == ("first-token", "duplicate-token")
    assert types_of({"first": 0.65, "duplicate": 0.95}, EVENS) == ("duplicate-token", "first-token")
    assert types_of({"first": 0.7, "previous": 0.9}, EVENS) == ("previous-token", "first-token")
    # As much is more where even attention gives less.
    assert types_of({"first": 0.7, "previous": 0.7}, {**EVENS, "first": 0.1}) == (
        "first-token",
        "previous-token",
    )


def test_a_score_on_random_tokens_counts_however_few_tokens_come_back_in_texts():
    numbers = {"induction": 0.9, "random-induction": 0.3}
    assert types_of(numbers, EVENS, {"induction": 3}) == ("mixed",)
    assert types_of(numbers, EVENS, {"induction": 4}) == ("induction",)
    assert types_of({"random-duplicate": 0.51}, EVENS) == ("duplicate-token",)


def test_a_head_has_two_types_at_most_and_what_follows_from_another_is_none():
    three = {"first": 0.7, "previous": 0.8, "random-induction": 0.9}
    assert types_of(three, EVENS) == ("induction", "previous-token")
    sharp = {"previous": 0.9, "local": 1.0, "entropy": 0.1}
    assert types_of(sharp, {**EVENS, "local": 0.3}) == ("previous-token",)


def test_a_head_of_two_types_says_both_and_is_counted_for_both(stored):
    weights = np.full((T, T), 0.02 / (T - 2))
    keys = np.arange(T) - 1
    weights[np.arange(T), np.maximum(keys, 0)] += 0.45
    weights[:, 0] += 0.45
    weights[1] = [0.98, *[0.02 / (T - 1)] * (T - 1)]
    weights /= weights.sum(axis=1, keepdims=True)
    thresholds = Thresholds(previous=0.4, first=0.4)
    analysis = analyse(stored(weights[None, None]), AnalysisSettings(), thresholds)
    assert set(analysis.type_names(0, 0)) == {"previous-token", "first-token"}
    kind = analysis.head_type(0, 0)
    assert kind.also is not None
    assert kind.titles in (
        "Previous-token head, also first-token sink",
        "First-token sink, also previous-token head",
    )
    assert kind.evidences == f"{kind.evidence}; {kind.also.evidence}"
    assert analysis.type_counts == (("previous-token", 1), ("first-token", 1))
    for name in ("previous-token", "first-token"):
        assert analysis.clearest(name) == (0, 0)
    assert analysis.clearest("separator") is None
    again = load(save(analysis))
    np.testing.assert_array_equal(again.also, analysis.also)
    assert again.head_type(0, 0) == kind


def scores(kind, induction, duplicate=0.0):
    values = np.array([induction, duplicate], np.float32).reshape(2, 1, 1)
    even = np.full((2, 1), 0.0135, np.float32)
    return RepeatScores(50, kind, values, even, values * 0, values * 0, np.full((2, 1), 50, np.int32))


def test_over_sentences_random_tokens_are_evidence_and_are_said_to_be(stored):
    weights = np.full((T, T), 0.02 / (T - 1))
    weights[:, 0] = 0.98
    causal = np.tril(weights) / np.tril(weights).sum(axis=1, keepdims=True)
    gathered = Across()
    for _ in range(2):
        gathered.add(analyse(stored(causal[None, None], causal=True), AnalysisSettings()))
    assert gathered.result().type_names(0, 0) == ("first-token",)
    heads = gathered.result(scores("decoder", 0.86))
    assert heads.type_names(0, 0) == ("induction", "first-token")
    kind = heads.head_type(0, 0)
    assert kind.evidence == (
        "0.86 of the attention of random tokens, read twice, goes to what came next then (threshold 0.5); "
        "of this type on 0 of 2 sentences"
    )
    assert kind.also is not None
    assert kind.also.evidence.endswith("mean over 2 sentences; of this type on 2 of them")


def test_an_encoder_does_no_induction_on_random_tokens(stored):
    gathered = Across()
    gathered.add(analyse(stored(PATTERNS["mixed"][None, None]), AnalysisSettings()))
    assert gathered.result(scores("encoder", 0.9)).type_names(0, 0) == ("mixed",)
    assert gathered.result(scores("encoder", 0.9, 0.8)).type_names(0, 0) == ("duplicate-token",)
