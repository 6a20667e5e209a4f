"""Text alternatives say what the exact numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from attention_gallery.analysis import analyse
from attention_gallery.figures.describe import (
    HeadDescriber,
    decimal,
    ordinal,
    quoted_tokens,
)
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import AttentionLayer, ModelFacts, Provenance, Tokens
from attention_gallery.store.memory_capture import MemoryCapture
from sample_environment import sample_environment

TEXTS = ("[CLS]", "the", "cat", "said", "it", "is", "the", "king", "[SEP]")
COUNT = len(TEXTS)


def hand_made(weights, tokens, facts, keys=None):
    origin = Provenance("m", "t", "hand", None, sample_environment(), 0.0)
    layers = tuple(AttentionLayer(index, facts.kind, one) for index, one in enumerate(weights))
    return MemoryCapture("0" * 64, "the cat said it is the king", tokens, facts, origin, layers, keys)


def tokens_of(texts, special=()):
    marks = np.zeros(len(texts), dtype=bool)
    marks[list(special)] = True
    return Tokens(np.arange(len(texts)), tuple(texts), marks, np.zeros(len(texts), dtype=bool))


def analysed(weights, *, causal=False, special=(0, COUNT - 1), texts=TEXTS):
    weights = np.asarray(weights, dtype=np.float32)
    layers, heads = weights.shape[:2]
    facts = ModelFacts("Hand", "hand", layers, heads, heads, causal, None, 8, 100, 1, "safetensors")
    tokens = tokens_of(texts, special)
    return tokens, analyse(hand_made(weights, tokens, facts), AnalysisSettings())


def looking_back():
    weights = np.full((COUNT, COUNT), 0.1 / (COUNT - 1))
    weights[np.arange(COUNT), np.maximum(np.arange(COUNT) - 1, 0)] = 0.9
    return weights


def with_pronoun(share):
    weights = np.full((COUNT, COUNT), 1 / COUNT)
    weights[4] = (1 - share) / (COUNT - 1)
    weights[4, 2] = share
    return weights


@pytest.fixture
def case():
    return analysed([[looking_back(), with_pronoun(0.6)], [with_pronoun(0.8), with_pronoun(0.7)]])


def test_a_head_is_described_by_type_evidence_and_pairs(case):
    describer = HeadDescriber(*case)
    assert describer.head(0, 0) == (
        "L0H0 is a previous-token head: 0.90 of its attention goes to the previous token (threshold 0.5). "
        "Strongest between words: “cat” → “the” (1st) 0.90; “said” → “cat” 0.90; “it” → “said” 0.90."
    )
    assert "“it” → “cat” 0.80" in describer.head(1, 0)
    assert describer.strongest(1, 0, limit=1) == ["“it” → “cat” 0.80"]


def test_cross_attention_is_described_from_the_target_to_the_source():
    weights = np.full((1, 2, 3, 4), 0.05, np.float32)
    weights[0, :, [0, 1, 2], [0, 2, 3]] = 0.85
    facts = ModelFacts("Hand", "hand", 1, 2, 2, False, None, 8, 100, 1, "safetensors", None, cross=True)
    target, source = tokens_of(["il", "dort", "</s>"], [2]), tokens_of(["the", "it", "sleeps", "</s>"], [3])
    found = analyse(hand_made(weights, target, facts, source), AnalysisSettings())
    describer = HeadDescriber(target, found, source)
    assert describer.strongest(0, 1) == ["“il” → “the” 0.85", "“dort” → “sleeps” 0.85"]
    assert describer.token(1) == (
        "Where “dort” looks most, heads averaged, special tokens left out: L0 “sleeps” 0.85."
    )
    assert describer.average().endswith("Tokens that receive most: “the” 0.32, “sleeps” 0.32, “</s>” 0.32.")


def test_a_grid_is_described_by_its_types(case):
    assert HeadDescriber(*case).grid() == (
        "The attention of 4 heads in 2 layers. By type: "
        "1 previous-token, L0H0, 0.90 of its attention goes to the previous token (threshold 0.5); "
        "3 broad, the clearest L0H1, 0.96 of the largest possible entropy (threshold 0.85)."
    )


def test_a_token_is_followed_through_the_layers(case):
    assert HeadDescriber(*case).token(4) == (
        "Where “it” looks most, heads averaged, special tokens left out: L0 “said” 0.47; L1 “cat” 0.75."
    )


def test_layers_that_agree_are_told_together():
    weights = np.array([[with_pronoun(0.6)], [with_pronoun(0.8)], [with_pronoun(0.7)]])
    assert HeadDescriber(*analysed(weights)).token(4).endswith("left out: L0 to L2 “cat” 0.60 to 0.80.")


def test_where_only_sinks_are_visible_they_are_described():
    tokens, analysis = analysed(np.tril(np.full((1, 1, 2, 2), 0.5)) + np.diag([0.5, 0]), causal=True,
                                special=(), texts=("a", "b"))  # fmt: skip
    describer = HeadDescriber(tokens, analysis)
    assert describer.token(0) == "Where “a” looks most, heads averaged: L0 “a” 1.00."
    assert "the first token left out: L0 “b” 0.50" in describer.token(1)


def test_the_average_names_the_tokens_that_receive_most():
    weights = np.full((COUNT, COUNT), 0.5 / (COUNT - 1))
    weights[:, 0] = 0.5
    text = HeadDescriber(*analysed([[weights]])).average()
    assert text == (
        "Attention averaged over all heads. "
        "Tokens that receive most: “[CLS]” 0.50, “the” (1st) 0.06, “cat” 0.06."
    )


def test_one_token_has_no_pairs_to_tell_beyond_itself():
    tokens, analysis = analysed(np.ones((1, 1, 1, 1)), special=(), texts=("hi",))
    describer = HeadDescriber(tokens, analysis)
    assert describer.head(0, 0) == (
        "L0H0 is a mixed head: there is nothing to choose between. Strongest between words: “hi” → “hi” 1.00."
    )
    assert describer.grid() == "The attention of 1 head in 1 layer. By type: 1 mixed."


@pytest.mark.parametrize(
    ("weight", "text"),
    [(0, "0"), (0.0099, "< 0.01"), (1e-9, "< 0.01"), (0.01, "0.01"), (0.414, "0.41"), (1, "1.00")],
)
def test_decimals(weight, text):
    assert decimal(weight) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd"), (113, "113th")],
)
def test_ordinals(number, text):
    assert ordinal(number) == text


def test_repeated_tokens_are_told_apart():
    assert quoted_tokens(tokens_of(["the", "cat", "the"])) == ("“the” (1st)", "“cat”", "“the” (2nd)")


def test_tokens_stay_on_one_line_and_short():
    names = quoted_tokens(tokens_of(["\n", " ", "a\tb", "x" * 90, "\x07", "", "🐈", "a\u202eb"]))
    assert names == (
        "a line break",
        "a space",
        "“a b”",
        "“" + "x" * 39 + "…”",
        "an unprintable token",
        "an empty token",
        "“🐈”",
        "“ab”",
    )


def test_right_to_left_tokens_do_not_turn_the_numbers_beside_them() -> None:
    names = quoted_tokens(tokens_of(["القط", "cat", "חתול", "👩\u200d👧"]))
    assert names == ("“\u2068القط\u2069”", "“cat”", "“\u2068חתול\u2069”", "“👩\u200d👧”")
