"""Heads against guessing: bounds that hold, the correction, and random looks that know nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, poisson_binom

from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.analysis.probing.gold_relations import GoldSentence, gold_of
from attention_gallery.analysis.probing.head_relations import head_relations
from attention_gallery.analysis.probing.probe import Probe
from attention_gallery.analysis.probing.relation_tests import LEVEL, _bounds, _holm, adjusted_values
from attention_gallery.analysis.probing.tallies import TextTallies
from attention_gallery.manifest.settings import SentenceSpec

HEADS = 72


@given(st.integers(5, 40), st.floats(0.02, 0.9), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_no_bound_is_below_the_chance_of_independent_texts(texts: int, rate: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    right = int(random.integers(0, texts + 1))
    bound = float(_bounds(np.array(right), np.ones(texts, np.int64), rate * texts))
    assert bound >= binom.sf(right - 1, texts, rate) - 1e-12
    rates = random.uniform(0, 1, texts)
    bound = float(_bounds(np.array(right), np.ones(texts, np.int64), rates.sum()))
    if right > rates.sum():
        assert bound >= poisson_binom.sf(right - 1, rates) - 1e-12


@pytest.mark.parametrize("sizes", [[1, 1, 4], [2, 3, 5, 1], [6, 1, 1, 1, 1]])
def test_no_bound_is_below_what_texts_of_one_mind_can_do(sizes: list[int]) -> None:
    examples = np.array(sizes)
    for rates in itertools.product((0.1, 0.3, 0.8), repeat=len(sizes)):
        chances = np.array(
            [
                np.prod(np.where(answers, rates, 1 - np.array(rates)))
                for answers in itertools.product((False, True), repeat=len(sizes))
            ]
        )
        sums = np.array([np.dot(answers, sizes) for answers in itertools.product((0, 1), repeat=len(sizes))])
        expected = float(np.dot(rates, sizes))
        for right in range(int(expected) + 1, sum(sizes) + 1):
            bound = float(_bounds(np.array(right), examples, expected))
            assert bound >= chances[sums >= right].sum() * (1 - 1e-9)


def test_a_head_that_is_always_right_has_the_chance_of_that() -> None:
    bound = float(_bounds(np.array(27), np.ones(27, np.int64), 15.0))
    assert bound == pytest.approx((15 / 27) ** 27, rel=0.01)


def test_the_correction_is_that_of_holm() -> None:
    assert _holm(np.array([0.01, 0.04, 0.001])).tolist() == pytest.approx([0.02, 0.04, 0.003])
    assert _holm(np.array([0.02, 0.02])).tolist() == pytest.approx([0.04, 0.04])


def tallied(
    right: int, *, texts: int = 40, guess: int = 0, chance: float = 0.1, heads: int = 1
) -> TextTallies:
    hits = np.zeros((texts, 2, 1, heads), np.int64)
    hits[:right, 0, 0, 0] = 1
    guesses = np.zeros((texts, 2), np.int64)
    guesses[texts - guess :, 1] = 1
    return TextTallies(np.ones(texts, np.int64), hits, guesses, np.full((texts, 2), chance), (1, 0))


def test_a_head_is_held_against_the_larger_of_guess_and_chance() -> None:
    alone, with_guess, with_chance = (
        adjusted_values([texts])[0][0, 0, 0]
        for texts in (tallied(24), tallied(24, guess=20), tallied(24, chance=0.5))
    )
    assert alone < 1e-6
    assert with_guess == with_chance > 0.05
    assert adjusted_values([tallied(20, guess=20)])[0][0, 0, 0] == 1


def test_what_was_not_asked_is_no_part_of_the_correction() -> None:
    values = adjusted_values([tallied(24)])[0]
    assert (values[1] == 1).all()
    several = adjusted_values([tallied(24, heads=50), tallied(0, heads=50)])[0]
    assert several[0, 0, 0] == pytest.approx(100 * values[0, 0, 0])
    assert adjusted_values([]) == []


def sentences(count: int) -> list[GoldSentence]:
    """Sentences of 4 to 12 words whose relations lead from and to all places, but most to the second word."""
    random = np.random.default_rng(5)
    gold = []
    for number in range(count):
        words = [f"w{number}x{position}" for position in range(random.integers(4, 13))]
        relations = []
        for kind in ("nsubj", "obj", "antonym"):
            for _ in range(random.integers(1, 3)):
                source, target = random.choice(len(words), 2, replace=False)
                target = 1 if random.random() < 0.4 and source != 1 else target
                relations.append({"from": words[source], "to": words[target], "kind": kind})
        spec = {"slug": f"s{number}", "title": "x", "text": " ".join(words), "relations": tuple(relations)}
        gold.append(gold_of(SentenceSpec.model_validate(spec, strict=False)))
    return gold


def random_looks(random: np.random.Generator, gold: GoldSentence, styles: np.ndarray) -> Int16:
    """Heads that look anywhere, at an offset, at a place, or from all words at one word of the text."""
    words = len(gold.words)
    own = np.arange(len(gold.units))
    argmax_targets = np.empty((2, 1, HEADS, len(gold.units)), np.int16)
    for head, (style, number) in enumerate(styles):
        for direction in (0, 1):
            targets = (
                random.integers(0, words, len(own)),
                own + number,
                np.full(len(own), number % words),
                np.full(len(own), random.integers(0, words)),
            )[style]
            argmax_targets[direction, 0, head] = np.clip(targets, 0, words - 1)
    return argmax_targets


def test_random_looks_know_no_relation() -> None:
    random = np.random.default_rng(11)
    gold = sentences(60)
    models_with_a_find = 0
    for _ in range(10):
        styles = np.stack([random.integers(0, 4, HEADS), random.integers(-5, 6, HEADS)], axis=1)
        probe = Probe(False)
        for sentence in gold:
            probe.add(sentence, random_looks(random, sentence, styles))
        named = [score.kind for score in probe.result() if score.best is not None and score.best.stands_out]
        followed = [relation.kind for relation in head_relations(probe).values()]
        models_with_a_find += bool({*named, *followed} - {"previous word", "next word"})
    assert models_with_a_find == 0


def test_a_head_that_knows_a_relation_is_found_among_many_that_do_not() -> None:
    random = np.random.default_rng(12)
    probe = Probe(False)
    for sentence in sentences(60):
        styles = np.stack([np.zeros(HEADS, int), np.zeros(HEADS, int)], axis=1)
        argmax_targets = random_looks(random, sentence, styles)
        for relation in sentence.relations:
            if relation.kind == "obj":
                argmax_targets[0, 0, 9, relation.source] = relation.target
        probe.add(sentence, argmax_targets)
    relations = head_relations(probe)
    assert {
        head: (relation.kind, relation.direction, relation.best) for head, relation in relations.items()
    } == {(0, 9): ("obj", 0, True)}
    assert relations[0, 9].adjusted < LEVEL
