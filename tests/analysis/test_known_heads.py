"""Heads built by hand on a repeated sequence: each detector finds its own and leaves the others alone."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import analyse
from attention_gallery.manifest.settings import AnalysisSettings

SETTINGS = AnalysisSettings()
PERIOD = 10
# A first token, ten words with a comma and a full stop, and the same ten again.
ONCE = ["the", "old", "cat", ",", "tired", "of", "rain", "slept", "here", "."]
TEXTS = ["<s>", *ONCE, *ONCE]
T = len(TEXTS)
SIGNS = [index for index, text in enumerate(TEXTS) if text in (",", ".")]


def head(keys, share, causal):
    """Each query gives `share` to its key, or the first token where it has none in view; the rest evenly."""
    weights = np.zeros((T, T))
    for query in range(T):
        seen = query + 1 if causal else T
        key = keys(query)
        key = key if key is not None and 0 <= key < seen else 0
        weights[query, :seen] = (1 - share) / seen
        weights[query, key] += share
    return weights


def last_sign(query):
    return max((sign for sign in SIGNS if sign < query), default=SIGNS[0])


def back(steps):
    """So many tokens earlier, in the second half only."""
    return lambda query: query - steps if query > PERIOD else None


HEADS = {
    "previous": lambda query: query - 1,
    "next": lambda query: query + 1,
    "self": lambda query: query,
    "first": lambda query: 0,
    "punctuation": last_sign,
    "duplicate": back(PERIOD),
    "induction": back(PERIOD - 1),
    "other": back(PERIOD - 4),
}
TYPES = {
    "previous": "previous-token",
    "next": "next-token",
    "self": "self",
    "first": "first-token",
    "punctuation": "punctuation",
    "duplicate": "duplicate-token",
    "induction": "induction",
    "uniform": "broad",
    "block": "local",
}


def model(causal):
    """One layer with a head of each pattern; (stored weights, names)."""
    patterns = {
        name: head(keys, 0.9, causal) for name, keys in HEADS.items() if not (causal and name == "next")
    }
    seen = np.tril(np.ones((T, T))) if causal else np.ones((T, T))
    patterns["uniform"] = seen / seen.sum(axis=1, keepdims=True)
    block = np.kron(np.eye(5), np.ones((5, 5)))[:T, :T] * seen
    patterns["block"] = block / block.sum(axis=1, keepdims=True)
    return np.stack(list(patterns.values()))[None], list(patterns)


@pytest.mark.parametrize("causal", [False, True])
def test_each_measure_finds_its_own_head_and_leaves_the_others_alone(stored, causal):
    weights, names = model(causal)
    analysis = analyse(stored(weights, causal=causal, special=[0], texts=TEXTS), SETTINGS)
    for measure in ("previous", "next", "self", "punctuation", "duplicate", "induction"):
        if measure not in analysis.values:
            continue
        values = dict(zip(names, analysis.values[measure][0].tolist(), strict=True))
        own = values.pop(measure)
        # An encoder's first half has equal tokens after it, which the hand-made head does not look at.
        assert own > (0.45 if measure == "duplicate" and not causal else 0.7), measure
        assert max(values.values()) < 0.5, measure


@pytest.mark.parametrize("causal", [False, True])
def test_each_head_is_called_what_it_is(stored, causal):
    weights, names = model(causal)
    analysis = analyse(stored(weights, causal=causal, special=[0], texts=TEXTS), SETTINGS)
    types = {name: analysis.type_name(0, index) for index, name in enumerate(names)}
    expected = {name: TYPES[name] for name in names if name != "other"}
    if not causal:
        # Both depend on one direction in time, which an encoder does not have.
        for name in ("duplicate", "induction"):
            expected.pop(name)
    assert {name: types[name] for name in expected} == expected
    assert types["other"] in ("first-token", "focused", "mixed")


def test_an_encoder_head_that_looks_at_its_equals_is_found(stored):
    equals = head(
        lambda query: None if query == 0 else (query + PERIOD if query <= PERIOD else query - PERIOD),
        0.9,
        False,
    )
    analysis = analyse(stored(equals[None, None], special=[0], texts=TEXTS), SETTINGS)
    kind = analysis.head_type(0, 0)
    assert (kind.name, kind.family) == ("duplicate-token", "repeat")
    assert kind.evidence == (
        "0.90 of the attention of tokens that occur elsewhere goes to their equals "
        "(threshold 0.52; spread evenly it would be 0.05; measured on 20 tokens)"
    )


@pytest.mark.parametrize("name", ["duplicate", "induction", "punctuation"])
def test_few_tokens_make_no_type(stored, name):
    weights, names = model(True)
    alone = weights[:, [names.index(name)]]
    if name != "punctuation":
        few = [*TEXTS[:13], *(f"word{index}" for index in range(13, T))]
    else:
        few = [f"word{index}" for index in range(T - 3)] + [".", "one", "two"]
    analysis = analyse(stored(alone, causal=True, special=[0], texts=few), SETTINGS)
    assert 0 < analysis.queries[name] < 4
    assert analysis.type_name(0, 0) != TYPES[name]


def test_a_previous_token_head_stays_one_where_words_stammer(stored):
    stammer = ["<s>", *["no", ",", "no", ",", "no", ",", "very", "very", "very", "good", "good", "."]]
    count = len(stammer)
    weights = np.eye(count)[np.maximum(np.arange(count) - 1, 0)]
    analysis = analyse(stored(weights[None, None], causal=True, special=[0], texts=stammer), SETTINGS)
    assert analysis.type_name(0, 0) == "previous-token"
    assert analysis.values["induction"][0, 0] == 0
    assert analysis.values["duplicate"][0, 0] == 0


def test_cross_attention_finds_equal_tokens_of_the_source(crossed):
    weights = np.full((1, 1, 5, 5), 0.025)
    weights[0, 0, np.arange(5), np.arange(5)[::-1]] = 0.9
    attention = crossed(weights)
    tokens = attention.tokens
    source = type(tokens)(tokens.ids[::-1].copy(), tokens.texts[::-1], tokens.special, tokens.continues)
    analysis = analyse(type(attention)(weights[0:1], tokens, attention.facts, source), SETTINGS)
    assert analysis.values["duplicate"][0, 0] == pytest.approx(0.9)
    assert analysis.type_name(0, 0) == "duplicate-token"
    other = type(tokens)(source.ids, tuple("vwxyz"), tokens.special, tokens.continues)
    analysis = analyse(type(attention)(weights, tokens, attention.facts, other), SETTINGS)
    assert np.isnan(analysis.values["duplicate"][0, 0])  # the numbers of another vocabulary mean nothing
