"""Probes on attention made by hand: one head follows a relation, others do not, and it is found."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis.probing.argmax_targets import NOTHING, UNREAD, load_looks, look, save_looks
from attention_gallery.analysis.probing.examples import Examples
from attention_gallery.analysis.probing.gold_relations import (
    GoldSentence,
    gold_of,
    group_of,
    kind_title,
    text_key,
)
from attention_gallery.analysis.probing.head_relations import head_relations
from attention_gallery.analysis.probing.probe import (
    LEAST_EXAMPLES,
    LEAST_SENTENCES,
    Probe,
    RelationScore,
)
from attention_gallery.analysis.probing.tallies import half_of
from attention_gallery.analysis.text.word_attention import Groups, tokens_of_words
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.records import Tokens

LAYERS, HEADS = 2, 3
# What the gold head of these tests is: it looks from the verb at the subject.
GOLD_HEAD = (1, 2)


def spec(slug: str, text: str, relations: list[tuple[str, str, str]]) -> SentenceSpec:
    given = [{"from": source, "to": target, "kind": kind} for source, target, kind in relations]
    return SentenceSpec.model_validate(
        {"slug": slug, "title": slug, "text": text, "relations": tuple(given)}, strict=False
    )


def tokens_at(spans: list[tuple[int, int]], special: list[int] | None = None) -> Tokens:
    flags = np.zeros(len(spans), bool)
    flags[special or []] = True
    texts = tuple(str(index) for index in range(len(spans)))
    nothing = np.zeros(len(spans), bool)
    return Tokens(np.arange(len(spans)), texts, flags, nothing, np.array(spans, np.int32))


def sentences(count: int) -> list[SentenceSpec]:
    """Sentences whose subject stands one to four words before its verb, at no one place of the sentence."""
    found = []
    for number in range(count):
        fillers = " ".join(["very", "old", "grey"][: number % 4])
        opening, ending = ("Now and then "[: 4 * (number % 3)], "here too now"[: 5 * (number % 5 % 3)])
        text = " ".join(f"{opening} The s{number} {fillers} v{number} it {ending} .".split())
        found.append(spec(f"s-{number}", text, [(f"v{number}", f"s{number}", "nsubj")]))
    return found


def one_token_a_word(gold: GoldSentence) -> Tokens:
    end = gold.words[-1][1]
    return tokens_at([(0, 0), *gold.words, (end, end)], [0, len(gold.words) + 1])


def weights_of(gold: GoldSentence, causal: bool = False) -> np.ndarray:
    """Random attention, but for one head that puts all that matters on the subject."""
    random = np.random.default_rng(int(gold.slug.split("-")[-1]))
    count = len(gold.words) + 2
    weights = random.random((LAYERS, HEADS, count, count))
    relation = gold.relations[0]
    row = weights[GOLD_HEAD][relation.source + 1]
    row[:] = 0.01
    row[0] = 5  # a special token, which is dropped
    row[relation.source + 1] = 3  # the word itself, which does not count
    row[relation.target + 1] = 1
    if causal:
        weights *= np.tri(count)
    return weights / weights.sum(axis=-1, keepdims=True)


def probe(stored, specs: list[SentenceSpec], *, causal: bool = False, mode: str = "halves") -> Probe:
    found = Probe(causal, mode)  # type: ignore[arg-type]
    for sentence in specs:
        gold = gold_of(sentence)
        made = stored(weights_of(gold, causal), causal=causal)
        looks = look(replace(made, tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        found.add(gold, looks)
    return found


def scores(found: Probe) -> dict[str, RelationScore]:
    return {one.kind: one for one in found.result()}


def test_the_head_that_follows_a_relation_is_found_and_no_other(stored) -> None:
    found = scores(probe(stored, sentences(60)))["nsubj"]
    best = found.best
    assert best is not None
    assert (best.layer, best.head, best.direction) == (*GOLD_HEAD, 0)
    assert (best.accuracy.share, best.accuracy.high, best.stands_out) == (1, 1, True)
    assert best.accuracy.low is not None
    assert best.accuracy.low < 0.9  # thirty of thirty are no certainty
    assert best.baseline < 0.5
    assert (found.examples, found.sentences, found.seen) == (60, 60, (60, 60))
    assert found.chosen_on + found.scored_on == 60
    assert best.accuracy.examples == found.scored_on


def test_every_head_is_scored_in_the_direction_that_the_other_half_prefers(stored) -> None:
    specs = sentences(60)
    found = scores(probe(stored, specs))["nsubj"]
    assert found.heads is not None
    assert found.best is not None
    assert found.heads.shares[GOLD_HEAD] == found.best.accuracy.share == 1
    assert found.heads.directions[GOLD_HEAD] == 0
    chosen, scored = ([one for one in specs if half_of(one.joined) == half] for half in (0, 1))
    # With all of a half, "same" tells the shares of that half alone.
    on_chosen, on_scored = (probe(stored, half, mode="same").shares("nsubj") for half in (chosen, scored))
    for place in np.ndindex(LAYERS, HEADS):
        direction = int(on_chosen[1][place] > on_chosen[0][place])
        assert found.heads.directions[place] == direction
        assert found.heads.shares[place] == pytest.approx(on_scored[direction][place])


def test_a_direction_that_nobody_sees_scores_no_head(stored) -> None:
    found = scores(probe(stored, sentences(60), causal=True))["nsubj"]
    assert found.seen == (60, 0)  # the verb looks back at its subject
    assert found.heads is not None
    assert (found.heads.directions == 0).all()


def test_a_head_of_luck_is_found_out_on_the_other_half(stored) -> None:
    random = np.random.default_rng(0)
    found, flattered = Probe(False), Probe(False, "same")
    for number, sentence in enumerate(sentences(80)):
        gold = gold_of(sentence)
        count = len(gold.words) + 2
        weights = random.random((10, 12, count, count))
        looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert looks is not None, number
        found.add(gold, looks)
        flattered.add(gold, looks)
    honest, lucky = (scores(one)["nsubj"].best for one in (found, flattered))
    assert honest is not None
    assert lucky is not None
    assert lucky.accuracy.share > honest.accuracy.share
    assert honest.accuracy.low is not None
    assert honest.accuracy.high is not None
    assert honest.accuracy.low <= honest.accuracy.share <= honest.accuracy.high
    assert not honest.stands_out
    assert not lucky.stands_out  # where it was chosen, nothing is tested


def test_halves_are_told_by_the_text_alone() -> None:
    halves = [half_of(f"The cat number {number} sat.") for number in range(400)]
    assert 150 < sum(halves) < 250
    assert half_of("The  cat\u00a0sat.\n") == half_of("the cat sat.")
    assert text_key("ﬁnd  It") == text_key("find it ")
    assert text_key("find it") != text_key("find its")


def test_a_text_under_many_slugs_is_one_piece_of_evidence(stored) -> None:
    once = sentences(30)
    again = [
        one.model_copy(update={"slug": one.slug.replace("-", f"{copy}-")})
        for one in once
        for copy in range(4)
    ]
    assert scores(probe(stored, again)) == scores(probe(stored, once))
    few = scores(probe(stored, [one for one in again if int(one.slug.split("-")[1]) < 5]))["nsubj"]
    assert (few.examples, few.sentences, few.best) == (5, 5, None)


def test_texts_that_differ_in_case_or_space_stay_together(stored) -> None:
    found = Probe(False)
    for sentence in sentences(30):
        for text in (sentence.joined, sentence.joined.upper().replace(" ", "  ")):
            verb, subject, kind = (sentence.relations[0].from_, sentence.relations[0].to, "nsubj")
            upper = text != sentence.joined
            sides = (str(verb).upper(), str(subject).upper()) if upper else (str(verb), str(subject))
            gold = gold_of(spec(f"{sentence.slug}-{int(upper)}", text, [(*sides, kind)]))
            weights = weights_of(replace(gold, slug=sentence.slug))
            looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
            assert looks is not None
            found.add(gold, looks)
    score = scores(found)["nsubj"]
    assert (score.examples, score.sentences) == (60, 30)
    assert score.best is not None
    assert score.best.accuracy.sentences * 2 == score.scored_on


def test_another_relation_in_the_same_text_is_another_example(stored) -> None:
    found = Probe(False, "same")
    for slug, relations in (
        ("a", [("c", "b", "x")]),
        ("b", [("c", "b", "x"), ("b", "a", "x"), ("b", "a", "x")]),
    ):
        gold = gold_of(spec(slug, "a b c", relations))
        looks = look(replace(stored(np.full((1, 1, 5, 5), 0.2)), tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        found.add(gold, looks)
    told = {kind: (one.examples, one.sentences) for kind, one in scores(found).items()}
    assert told == {"x": (2, 1), "previous word": (2, 1), "next word": (2, 1)}


def test_the_order_of_sentences_changes_nothing(stored) -> None:
    specs = sentences(40)
    assert scores(probe(stored, specs)) == scores(probe(stored, specs[::-1]))


def test_chance_is_that_of_a_random_other_word_in_sight() -> None:
    gold = gold_of(spec("c", "a b c d e", [("b c", "d", "x"), ("c", "a", "y"), ("a", "b c", "z")]))
    examples = Examples.of(gold, np.ones(len(gold.units), bool))
    kinds = [kind for kind, _ in examples.kinds]
    free, causal = (dict(zip(kinds, examples.chance(one).T.tolist(), strict=True)) for one in (False, True))
    assert free["x"] == pytest.approx([1 / 3, 1 / 3])  # among a, d and e
    assert free["y"] == pytest.approx([1 / 4, 1 / 4])
    assert free["z"] == pytest.approx([2 / 4, 2 / 4])
    assert causal["x"] == pytest.approx([0, 1 / 2])  # d is ahead, and of c, d and e two are other words
    assert causal["y"] == pytest.approx([1 / 2, 0])
    assert causal["z"] == pytest.approx([0, 2 / 4])
    assert free["previous word"] == pytest.approx([1, 0])


def test_a_place_that_is_always_right_is_a_guess_like_an_offset(stored) -> None:
    specs = [
        spec(f"p-{number}", f"x{number} y " + "z " * (number % 4) + "w", [("w", "y", "obj")])
        for number in range(60)
    ]
    found = Probe(False)
    for sentence in specs:
        gold = gold_of(sentence)
        count = len(gold.words) + 2
        weights = np.full((1, 1, count, count), 0.01)
        weights[..., 2] = 1  # every word looks at the second one
        looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        found.add(gold, looks)
    best = scores(found)["obj"].best
    assert best is not None
    assert best.accuracy.share == 1 > best.baseline
    assert not best.stands_out
    assert (0, 0) not in head_relations(found)


def test_too_few_examples_are_no_result(stored) -> None:
    few = scores(probe(stored, sentences(LEAST_EXAMPLES)))["nsubj"]
    assert few.best is None
    assert not few.impossible
    assert few.chosen_on + few.scored_on == LEAST_EXAMPLES >= LEAST_SENTENCES


def test_what_lies_ahead_is_impossible_for_a_causal_model_and_not_zero(stored) -> None:
    found = scores(probe(stored, sentences(60), causal=True))
    # The verb comes after its subject: it can look back at it, and the subject cannot look ahead.
    assert found["nsubj"].seen == (60, 0)
    assert found["nsubj"].best is not None
    assert found["nsubj"].best.direction == 0
    assert found["next word"].impossible
    assert found["next word"].best is None
    assert found["previous word"].best is not None


def test_neighbours_are_relations_of_every_sentence(stored) -> None:
    found = Probe(False)
    for number in range(20):
        gold = gold_of(spec(f"n-{number}", f"a{number} b c d e", []))
        weights = np.tile(np.eye(7, k=-1) + 0.01, (1, 2, 1, 1))
        weights[0, 1] = np.eye(7, k=1) + 0.01
        looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        found.add(gold, looks)
    result = scores(found)
    heads = {kind: (one.best.head, one.best.direction) for kind, one in result.items() if one.best}
    assert heads == {"previous word": (0, 0), "next word": (1, 0)}
    assert [one.seen for one in result.values()] == [(80, 0), (80, 0)]
    assert {one.group for one in result.values()} == {"positional"}


def test_the_best_fixed_offset_is_the_baseline(stored) -> None:
    specs = [spec(f"o-{number}", f"a{number} b c d", [("c", f"a{number}", "nsubj")]) for number in range(40)]
    found = Probe(False)
    for sentence in specs:
        gold = gold_of(sentence)
        weights = np.full((1, 1, 6, 6), 1 / 6)
        looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        found.add(gold, looks)
    best = scores(found)["nsubj"].best
    assert best is not None
    # Even attention ties, and the first word is taken, which is two words back.
    assert (best.direction, best.accuracy.share, best.offset, best.baseline) == (0, 1, -2, 1)


def test_a_phrase_is_looked_from_as_a_whole_and_found_by_any_of_its_words(stored) -> None:
    gold = gold_of(spec("p", "the old cat saw it", [("the old cat", "it", "x"), ("saw", "the old cat", "y")]))
    assert gold.units[5:] == ((0, 1, 2),)
    weights = np.full((1, 1, 7, 7), 0.01)
    weights[0, 0, 1:4, 1:4] = 9  # a phrase's own words do not count
    weights[0, 0, 2, 5] = 0.5
    weights[0, 0, 3, 4] = 0.3
    weights[0, 0, 4, 2] = 1
    looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
    assert looks is not None
    assert looks[0, 0, 0].tolist()[5] == 4  # 0.5 once and 0.01 twice is more than 0.3 once
    assert looks[0, 0, 0, 3] == 1


def test_in_the_other_direction_the_word_is_found_that_looks_most(stored) -> None:
    found = Probe(False)
    for number in range(40):
        gold = gold_of(spec(f"t-{number}", f"cats{number} chase mice", [(f"cats{number}", "chase", "nsubj")]))
        weights = np.zeros((1, 1, 5, 5))
        weights[0, 0, 2, [1, 3]] = [0.4, 0.6]  # chase looks at mice more than at cats
        weights[0, 0, 3, [1, 2]] = [0.1, 0.9]
        weights[0, 0, 1, [2, 3]] = [0.3, 0.7]
        looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        assert looks[:, 0, 0].tolist() == [[2, 2, 1], [1, 2, 0]]
        found.add(gold, looks)
    best = scores(found)["nsubj"].best
    assert best is not None
    assert (best.direction, best.accuracy.share) == (1, 1)


def test_pieces_of_words_are_summed_and_averaged() -> None:
    tokens = tokens_at([(0, 0), (0, 2), (2, 4), (5, 8), (8, 8)], [0, 4])
    words = ((0, 4), (5, 6), (5, 8))
    member = tokens_of_words(tokens, words)
    assert member is not None
    assert member.tolist() == [[False, True, True, False, False], *[[False, False, False, True, False]] * 2]
    weights = np.arange(25, dtype=np.float32).reshape(1, 5, 5)
    found = Groups.of(member).between(weights)[0]
    assert found[0].tolist() == [(6 + 7 + 11 + 12) / 2, (8 + 13) / 2, (8 + 13) / 2]
    assert found[1].tolist() == [16 + 17, 18, 18]


def test_words_that_were_cut_off_are_unread_and_ask_nothing(stored) -> None:
    gold = gold_of(spec("c", "a b c", [("a", "b", "x"), ("a", "c", "x")]))
    tokens = tokens_at([gold.words[0], gold.words[1]])
    looks = look(replace(stored(np.full((1, 1, 2, 2), 0.5)), tokens=tokens), gold)
    assert looks is not None
    assert looks[:, 0, 0].tolist() == [[1, 0, UNREAD]] * 2
    found = Probe(False, "same")
    found.add(gold, looks)
    assert scores(found)["x"].examples == 1


def test_a_word_that_sees_no_other_looks_at_nothing(stored) -> None:
    gold = gold_of(spec("c", "a b", []))
    made = stored(np.array([[[[1, 0], [0.5, 0.5]]]]), causal=True)
    looks = look(replace(made, tokens=tokens_at(list(gold.words))), gold)
    assert looks is not None
    assert looks[:, 0, 0].tolist() == [[NOTHING, 0], [1, NOTHING]]


def test_without_offsets_there_is_no_probe(stored) -> None:
    assert look(stored(np.full((1, 1, 2, 2), 0.5)), gold_of(spec("c", "a b", []))) is None


def test_kept_looks_come_back_and_damage_is_noticed() -> None:
    looks = np.arange(12, dtype=np.int16).reshape(1, 3, 4)
    data = save_looks(looks)
    assert np.array_equal(load_looks(data), looks)
    assert save_looks(looks.copy()) == data
    for wrong in (data[:-1], data[:40], b"", data.replace(b"gallery", b"gullery")):
        with pytest.raises(DamagedEntry):
            load_looks(wrong)


@pytest.mark.parametrize(
    ("kind", "group", "title"),
    [
        ("nsubj", "syntactic", "nsubj"),
        ("Coreference", "semantic", "Coreference"),
        ("entity/employer", "entity", "employer"),
        ("entity", "entity", "entity"),
        ("either/or", "other", "either/or"),
        ("my own", "other", "my own"),
        ("semantic/", "semantic", "semantic/"),
        ("previous word", "positional", "previous word"),
    ],
)
def test_a_kind_decides_its_group(kind: str, group: str, title: str) -> None:
    assert (group_of(kind), kind_title(kind)) == (group, title)


@given(st.data())
def test_every_token_belongs_to_the_words_that_it_shares_a_character_with(data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="ab .-é🍕'", min_size=1, max_size=24))
    words = spec("w", text + "a", []).word_spans()
    edges = sorted(data.draw(st.sets(st.integers(0, len(text) + 1), min_size=2)))
    spans = list(itertools.pairwise(edges))
    special = data.draw(st.lists(st.integers(0, len(spans) - 1), max_size=2))
    member = tokens_of_words(tokens_at(spans, special), words)
    assert member is not None
    for row, (start, end) in enumerate(words):
        for column, (first, last) in enumerate(spans):
            shared = set(range(start, end)) & set(range(first, last))
            assert member[row, column] == (bool(shared) and column not in special)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_attention_between_words_that_divide_the_tokens_sums_to_one(words: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 4, words)
    member = np.repeat(np.eye(words, dtype=bool), sizes, axis=1)
    weights = random.random((2, sizes.sum(), sizes.sum())).astype(np.float32)
    weights /= weights.sum(axis=-1, keepdims=True)
    assert np.allclose(Groups.of(member).between(weights).sum(axis=-1), 1, atol=1e-5)


def test_each_head_has_the_relation_at_which_it_leads_the_offset(stored) -> None:
    found = probe(stored, sentences(60))
    related = head_relations(found)
    best = scores(found)["nsubj"].best
    assert best is not None
    own = related[GOLD_HEAD]
    assert (own.kind, own.best, own.right, own.examples) == (
        "nsubj",
        True,
        best.accuracy.right,
        best.accuracy.examples,
    )
    assert (own.share, own.baseline, own.direction) == (best.accuracy.share, best.baseline, best.direction)
    # Random heads are behind the fixed offset; of neighbours only the best heads are told.
    others = {place: one for place, one in related.items() if place != GOLD_HEAD}
    assert all(one.best and one.kind in ("previous word", "next word") for one in others.values())


def test_a_second_head_that_knows_the_relation_is_told_it_is_not_the_best(stored) -> None:
    found = Probe(False)
    second = (0, 1)
    for number, sentence in enumerate(sentences(60)):
        gold = gold_of(sentence)
        weights = weights_of(gold, number)
        if number % 10:  # right about nine of ten
            weights[second] = weights[GOLD_HEAD]
        looks = look(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert looks is not None
        found.add(gold, looks)
    own = head_relations(found)[second]
    assert (own.kind, own.best) == ("nsubj", False)
    assert 0.7 < own.share < 1
    assert own.share > own.baseline


def test_without_enough_examples_no_head_has_a_relation(stored) -> None:
    assert head_relations(probe(stored, sentences(4))) == {}
    assert head_relations(Probe(False)) == {}


def test_what_is_missing_in_a_half_cannot_be_halved(stored) -> None:
    found = probe(stored, sentences(1))
    with pytest.raises(ValueError, match="nsubj"):
        found.halved("nsubj")
    with pytest.raises(KeyError):
        found.halved("object")
    whole = probe(stored, sentences(1), mode="same").halved("nsubj")
    assert (whole.chosen == whole.scored).all()


def test_halves_add_up_to_all_hits(stored) -> None:
    found = probe(stored, sentences(60))
    halved = found.halved("nsubj")
    total = (halved.chosen + halved.scored) / 60
    assert np.allclose(total, found.shares("nsubj"))
