"""Probes on attention made by hand: one head follows a relation, others do not, and it is found."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis.probing.argmax_targets import (
    NOTHING,
    UNREAD,
    find_argmax_targets,
    load_targets,
    save_targets,
)
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
    written = [{"from": source, "to": target, "kind": kind} for source, target, kind in relations]
    return SentenceSpec.model_validate(
        {"slug": slug, "title": slug, "text": text, "relations": tuple(written)}, strict=False
    )


def tokens_at(spans: list[tuple[int, int]], special: list[int] | None = None) -> Tokens:
    flags = np.zeros(len(spans), bool)
    flags[special or []] = True
    texts = tuple(str(index) for index in range(len(spans)))
    nothing = np.zeros(len(spans), bool)
    return Tokens(np.arange(len(spans)), texts, flags, nothing, np.array(spans, np.int32))


def sentences(count: int) -> list[SentenceSpec]:
    """Sentences whose subject stands one to four words before its verb, at no one place of the sentence."""
    specs = []
    for number in range(count):
        fillers = " ".join(["very", "old", "grey"][: number % 4])
        opening, ending = ("Now and then "[: 4 * (number % 3)], "here too now"[: 5 * (number % 5 % 3)])
        text = " ".join(f"{opening} The s{number} {fillers} v{number} it {ending} .".split())
        specs.append(spec(f"s-{number}", text, [(f"v{number}", f"s{number}", "nsubj")]))
    return specs


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
    gathered = Probe(causal, mode)  # type: ignore[arg-type]
    for sentence in specs:
        gold = gold_of(sentence)
        made = stored(weights_of(gold, causal), causal=causal)
        argmax_targets = find_argmax_targets(replace(made, tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None
        gathered.add(gold, argmax_targets)
    return gathered


def scores(gathered: Probe) -> dict[str, RelationScore]:
    return {score.kind: score for score in gathered.result()}


def test_the_head_that_follows_a_relation_is_found_and_no_other(stored) -> None:
    score = scores(probe(stored, sentences(60)))["nsubj"]
    best = score.best
    assert best is not None
    assert (best.layer, best.head, best.direction) == (*GOLD_HEAD, 0)
    assert (best.accuracy.share, best.accuracy.high, best.stands_out) == (1, 1, True)
    assert best.accuracy.low is not None
    assert best.accuracy.low < 0.9  # thirty of thirty are no certainty
    assert best.baseline < 0.5
    assert (score.examples, score.sentences, score.seen) == (60, 60, (60, 60))
    assert score.chosen_on + score.scored_on == 60
    assert best.accuracy.examples == score.scored_on


def test_every_head_is_scored_in_the_direction_that_the_other_half_prefers(stored) -> None:
    specs = sentences(60)
    score = scores(probe(stored, specs))["nsubj"]
    assert score.heads is not None
    assert score.best is not None
    assert score.heads.shares[GOLD_HEAD] == score.best.accuracy.share == 1
    assert score.heads.directions[GOLD_HEAD] == 0
    chosen, scored = ([sentence for sentence in specs if half_of(sentence.joined) == half] for half in (0, 1))
    # With all of a half, "same" tells the shares of that half alone.
    on_chosen, on_scored = (probe(stored, half, mode="same").shares("nsubj") for half in (chosen, scored))
    for head in np.ndindex(LAYERS, HEADS):
        direction = int(on_chosen[1][head] > on_chosen[0][head])
        assert score.heads.directions[head] == direction
        assert score.heads.shares[head] == pytest.approx(on_scored[direction][head])


def test_a_direction_that_nobody_sees_scores_no_head(stored) -> None:
    score = scores(probe(stored, sentences(60), causal=True))["nsubj"]
    assert score.seen == (60, 0)  # the verb looks back at its subject
    assert score.heads is not None
    assert (score.heads.directions == 0).all()


def test_a_head_of_luck_is_found_out_on_the_other_half(stored) -> None:
    random = np.random.default_rng(0)
    halves, flattered = Probe(False), Probe(False, "same")
    for number, sentence in enumerate(sentences(80)):
        gold = gold_of(sentence)
        count = len(gold.words) + 2
        weights = random.random((10, 12, count, count))
        argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None, number
        halves.add(gold, argmax_targets)
        flattered.add(gold, argmax_targets)
    honest, lucky = (scores(gathered)["nsubj"].best for gathered in (halves, flattered))
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
        sentence.model_copy(update={"slug": sentence.slug.replace("-", f"{copy}-")})
        for sentence in once
        for copy in range(4)
    ]
    assert scores(probe(stored, again)) == scores(probe(stored, once))
    first_five = [sentence for sentence in again if int(sentence.slug.split("-")[1]) < 5]
    few = scores(probe(stored, first_five))["nsubj"]
    assert (few.examples, few.sentences, few.best) == (5, 5, None)


def test_texts_that_differ_in_case_or_space_stay_together(stored) -> None:
    gathered = Probe(False)
    for sentence in sentences(30):
        for text in (sentence.joined, sentence.joined.upper().replace(" ", "  ")):
            verb, subject, kind = (sentence.relations[0].from_, sentence.relations[0].to, "nsubj")
            upper = text != sentence.joined
            sides = (str(verb).upper(), str(subject).upper()) if upper else (str(verb), str(subject))
            gold = gold_of(spec(f"{sentence.slug}-{int(upper)}", text, [(*sides, kind)]))
            weights = weights_of(replace(gold, slug=sentence.slug))
            argmax_targets = find_argmax_targets(
                replace(stored(weights), tokens=one_token_a_word(gold)), gold
            )
            assert argmax_targets is not None
            gathered.add(gold, argmax_targets)
    score = scores(gathered)["nsubj"]
    assert (score.examples, score.sentences) == (60, 30)
    assert score.best is not None
    assert score.best.accuracy.sentences * 2 == score.scored_on


def test_another_relation_in_the_same_text_is_another_example(stored) -> None:
    gathered = Probe(False, "same")
    for slug, relations in (
        ("a", [("c", "b", "x")]),
        ("b", [("c", "b", "x"), ("b", "a", "x"), ("b", "a", "x")]),
    ):
        gold = gold_of(spec(slug, "a b c", relations))
        argmax_targets = find_argmax_targets(
            replace(stored(np.full((1, 1, 5, 5), 0.2)), tokens=one_token_a_word(gold)), gold
        )
        assert argmax_targets is not None
        gathered.add(gold, argmax_targets)
    counts = {kind: (score.examples, score.sentences) for kind, score in scores(gathered).items()}
    assert counts == {"x": (2, 1), "previous word": (2, 1), "next word": (2, 1)}


def test_the_order_of_sentences_changes_nothing(stored) -> None:
    specs = sentences(40)
    assert scores(probe(stored, specs)) == scores(probe(stored, specs[::-1]))


def test_chance_is_that_of_a_random_other_word_in_sight() -> None:
    gold = gold_of(spec("c", "a b c d e", [("b c", "d", "x"), ("c", "a", "y"), ("a", "b c", "z")]))
    examples = Examples.from_gold(gold, np.ones(len(gold.units), bool))
    kinds = [kind for kind, _ in examples.kinds]
    free, causal = (
        dict(zip(kinds, examples.chance(is_causal).T.tolist(), strict=True)) for is_causal in (False, True)
    )
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
    gathered = Probe(False)
    for sentence in specs:
        gold = gold_of(sentence)
        count = len(gold.words) + 2
        weights = np.full((1, 1, count, count), 0.01)
        weights[..., 2] = 1  # every word looks at the second one
        argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None
        gathered.add(gold, argmax_targets)
    best = scores(gathered)["obj"].best
    assert best is not None
    assert best.accuracy.share == 1 > best.baseline
    assert not best.stands_out
    assert (0, 0) not in head_relations(gathered)


def test_too_few_examples_are_no_result(stored) -> None:
    few = scores(probe(stored, sentences(LEAST_EXAMPLES)))["nsubj"]
    assert few.best is None
    assert not few.impossible
    assert few.chosen_on + few.scored_on == LEAST_EXAMPLES >= LEAST_SENTENCES


def test_what_lies_ahead_is_impossible_for_a_causal_model_and_not_zero(stored) -> None:
    by_kind = scores(probe(stored, sentences(60), causal=True))
    # The verb comes after its subject: it can look back at it, and the subject cannot look ahead.
    assert by_kind["nsubj"].seen == (60, 0)
    assert by_kind["nsubj"].best is not None
    assert by_kind["nsubj"].best.direction == 0
    assert by_kind["next word"].impossible
    assert by_kind["next word"].best is None
    assert by_kind["previous word"].best is not None


def test_neighbours_are_relations_of_every_sentence(stored) -> None:
    gathered = Probe(False)
    for number in range(20):
        gold = gold_of(spec(f"n-{number}", f"a{number} b c d e", []))
        weights = np.tile(np.eye(7, k=-1) + 0.01, (1, 2, 1, 1))
        weights[0, 1] = np.eye(7, k=1) + 0.01
        argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None
        gathered.add(gold, argmax_targets)
    result = scores(gathered)
    heads = {kind: (score.best.head, score.best.direction) for kind, score in result.items() if score.best}
    assert heads == {"previous word": (0, 0), "next word": (1, 0)}
    assert [score.seen for score in result.values()] == [(80, 0), (80, 0)]
    assert {score.group for score in result.values()} == {"positional"}


def test_the_best_fixed_offset_is_the_baseline(stored) -> None:
    specs = [spec(f"o-{number}", f"a{number} b c d", [("c", f"a{number}", "nsubj")]) for number in range(40)]
    gathered = Probe(False)
    for sentence in specs:
        gold = gold_of(sentence)
        weights = np.full((1, 1, 6, 6), 1 / 6)
        argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None
        gathered.add(gold, argmax_targets)
    best = scores(gathered)["nsubj"].best
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
    argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
    assert argmax_targets is not None
    assert argmax_targets[0, 0, 0].tolist()[5] == 4  # 0.5 once and 0.01 twice is more than 0.3 once
    assert argmax_targets[0, 0, 0, 3] == 1


def test_in_the_other_direction_the_word_is_found_that_looks_most(stored) -> None:
    gathered = Probe(False)
    for number in range(40):
        gold = gold_of(spec(f"t-{number}", f"cats{number} chase mice", [(f"cats{number}", "chase", "nsubj")]))
        weights = np.zeros((1, 1, 5, 5))
        weights[0, 0, 2, [1, 3]] = [0.4, 0.6]  # chase looks at mice more than at cats
        weights[0, 0, 3, [1, 2]] = [0.1, 0.9]
        weights[0, 0, 1, [2, 3]] = [0.3, 0.7]
        argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None
        assert argmax_targets[:, 0, 0].tolist() == [[2, 2, 1], [1, 2, 0]]
        gathered.add(gold, argmax_targets)
    best = scores(gathered)["nsubj"].best
    assert best is not None
    assert (best.direction, best.accuracy.share) == (1, 1)


def test_pieces_of_words_are_summed_and_averaged() -> None:
    tokens = tokens_at([(0, 0), (0, 2), (2, 4), (5, 8), (8, 8)], [0, 4])
    words = ((0, 4), (5, 6), (5, 8))
    member = tokens_of_words(tokens, words)
    assert member is not None
    assert member.tolist() == [[False, True, True, False, False], *[[False, False, False, True, False]] * 2]
    weights = np.arange(25, dtype=np.float32).reshape(1, 5, 5)
    between = Groups.from_members(member).between(weights)[0]
    assert between[0].tolist() == [(6 + 7 + 11 + 12) / 2, (8 + 13) / 2, (8 + 13) / 2]
    assert between[1].tolist() == [16 + 17, 18, 18]


def test_words_that_were_cut_off_are_unread_and_ask_nothing(stored) -> None:
    gold = gold_of(spec("c", "a b c", [("a", "b", "x"), ("a", "c", "x")]))
    tokens = tokens_at([gold.words[0], gold.words[1]])
    argmax_targets = find_argmax_targets(replace(stored(np.full((1, 1, 2, 2), 0.5)), tokens=tokens), gold)
    assert argmax_targets is not None
    assert argmax_targets[:, 0, 0].tolist() == [[1, 0, UNREAD]] * 2
    gathered = Probe(False, "same")
    gathered.add(gold, argmax_targets)
    assert scores(gathered)["x"].examples == 1


def test_a_word_that_sees_no_other_looks_at_nothing(stored) -> None:
    gold = gold_of(spec("c", "a b", []))
    made = stored(np.array([[[[1, 0], [0.5, 0.5]]]]), causal=True)
    argmax_targets = find_argmax_targets(replace(made, tokens=tokens_at(list(gold.words))), gold)
    assert argmax_targets is not None
    assert argmax_targets[:, 0, 0].tolist() == [[NOTHING, 0], [1, NOTHING]]


def test_without_offsets_there_is_no_probe(stored) -> None:
    assert find_argmax_targets(stored(np.full((1, 1, 2, 2), 0.5)), gold_of(spec("c", "a b", []))) is None


def test_cached_targets_come_back_and_damage_is_noticed() -> None:
    argmax_targets = np.arange(12, dtype=np.int16).reshape(1, 3, 4)
    data = save_targets(argmax_targets)
    assert np.array_equal(load_targets(data), argmax_targets)
    assert save_targets(argmax_targets.copy()) == data
    for wrong in (data[:-1], data[:40], b"", data.replace(b"gallery", b"gullery")):
        with pytest.raises(DamagedEntry):
            load_targets(wrong)


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
    assert np.allclose(Groups.from_members(member).between(weights).sum(axis=-1), 1, atol=1e-5)


def test_each_head_has_the_relation_at_which_it_leads_the_offset(stored) -> None:
    gathered = probe(stored, sentences(60))
    related = head_relations(gathered)
    best = scores(gathered)["nsubj"].best
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
    others = {head: relation for head, relation in related.items() if head != GOLD_HEAD}
    assert all(
        relation.best and relation.kind in ("previous word", "next word") for relation in others.values()
    )


def test_a_second_head_that_knows_the_relation_is_told_it_is_not_the_best(stored) -> None:
    gathered = Probe(False)
    second = (0, 1)
    for number, sentence in enumerate(sentences(60)):
        gold = gold_of(sentence)
        weights = weights_of(gold, number)
        if number % 10:  # right about nine of ten
            weights[second] = weights[GOLD_HEAD]
        argmax_targets = find_argmax_targets(replace(stored(weights), tokens=one_token_a_word(gold)), gold)
        assert argmax_targets is not None
        gathered.add(gold, argmax_targets)
    own = head_relations(gathered)[second]
    assert (own.kind, own.best) == ("nsubj", False)
    assert 0.7 < own.share < 1
    assert own.share > own.baseline


def test_without_enough_examples_no_head_has_a_relation(stored) -> None:
    assert head_relations(probe(stored, sentences(4))) == {}
    assert head_relations(Probe(False)) == {}


def test_what_is_missing_in_a_half_cannot_be_halved(stored) -> None:
    gathered = probe(stored, sentences(1))
    with pytest.raises(ValueError, match="nsubj"):
        gathered.halved("nsubj")
    with pytest.raises(KeyError):
        gathered.halved("object")
    whole = probe(stored, sentences(1), mode="same").halved("nsubj")
    assert (whole.chosen == whole.scored).all()


def test_halves_add_up_to_all_hits(stored) -> None:
    gathered = probe(stored, sentences(60))
    halved = gathered.halved("nsubj")
    total = (halved.chosen + halved.scored) / 60
    assert np.allclose(total, gathered.shares("nsubj"))
