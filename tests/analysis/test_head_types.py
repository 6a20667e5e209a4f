"""Types of heads: known patterns, thresholds, and the evidence that is printed."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import KINDS, Thresholds, analyse, classify
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
    found = classify(
        arrays, uniform, thresholds or Thresholds(), {"duplicate": 4, "induction": 4, **(queries or {})}
    )
    return KINDS[int(found[0, 0])].name


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
    found = analyse(stored(np.ones((1, 1, 1, 1)), causal=causal), AnalysisSettings()).head_type(0, 0)
    assert (found.name, found.evidence) == ("mixed", "there is nothing to choose between")


def test_evidence_gives_the_number_and_the_threshold(stored):
    weights = np.stack([PATTERNS[name] for name in PATTERNS])[None]
    found = analyse(stored(weights, special=[0, T - 1]), AnalysisSettings())
    evidence = {name: found.head_type(0, head).evidence for head, name in enumerate(PATTERNS)}
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
    found = analyse(stored(weights[None, None]), AnalysisSettings()).head_type(0, 0)
    assert found.name == "previous-token"
    assert found.evidence.startswith("0.5004 of")
