"""What pages say of relations: right or not, impossible, too few, cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attention_gallery.analysis import gold_of
from attention_gallery.analysis.probing.argmax_targets import NOTHING, UNREAD, Int16
from attention_gallery.analysis.probing.gold_relations import GoldSentence, Relation
from attention_gallery.analysis.probing.tallies import half_of
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.relation_tables import gold_rows, relation_groups

HEADS = 4
ALL_AT_SAT = np.full((2, 1, HEADS, 3), 2, np.int16)


def sentence(number: int) -> SentenceSpec:
    """“the cat … sat”, with words between and behind, so that no place or offset is always right."""
    words = [
        "the",
        "cat",
        *["so", "very", "much"][: number % 4],
        "sat",
        *["up", "here", f"x{number}"][number % 3 :],
    ]
    relations = ({"from": "cat", "to": "sat", "kind": "nsubj"}, {"from": "sat", "to": "the", "kind": "odd"})
    text = " ".join([*words[:-1], f"x{number}"])
    given = {"slug": f"s{number}", "title": "x", "text": text, "relations": relations[: 1 + (number == 0)]}
    return SentenceSpec.model_validate(given)


def looks_of(gold: GoldSentence, picked: Int16) -> Int16:
    """What heads pick for all words, from what they pick of “the”, “cat” and “sat” for these three."""
    text = [gold.text[slice(*span)] for span in gold.words]
    three = np.array([0, 1, text.index("sat")], np.int16)
    looks = np.full(
        (*picked.shape[:-1], len(gold.units)), UNREAD if (picked == UNREAD).all() else NOTHING, np.int16
    )
    looks[..., three] = np.where(picked >= 0, three[np.maximum(picked, 0)], picked)
    return looks


def probe_of(
    count: int, looks: Int16 | None, causal: bool = False, sinking: bool = False
) -> tuple[list[SentenceSpec], ModelProbe]:
    specs = [sentence(number) for number in range(count)]

    def read(key: str, gold: GoldSentence) -> Int16 | None:
        return None if looks is None else looks_of(gold, looks)

    return specs, ModelProbe(tuple((gold_of(one), "0") for one in specs), causal, read, sinking)


def all_look(*words: int) -> Int16:
    """Every head looks at the same words, but for head 0 of layer 0, which looks from “cat” at “sat”."""
    looks = np.tile(np.array(words, np.int16), (2, 1, HEADS, 1))
    looks[1] = NOTHING
    looks[0, 0, 0] = [1, 2, 1]
    return looks


def test_the_best_head_is_right_or_not() -> None:
    specs, probe = probe_of(60, all_look(1, 0, 0))
    scored = sum(half_of(one.joined) for one in specs)
    rows = gold_rows(specs[1], probe, lambda place: f"/l{place[0]}h{place[1]}")
    assert [(row.head, row.href, row.right) for row in rows] == [("L0H0", "/l0h0", True)]
    assert rows[0].verdict.replace("\u2068", "").replace("\u2069", "") == "“cat” looks most at “sat”: right"
    table = {row.title: row for group in relation_groups(probe, lambda _: "") for row in group.rows}
    assert (table["nsubj"].head, table["nsubj"].accuracy) == ("L0H0", "100.0\u00a0%")
    assert table["nsubj"].best
    low, high = table["nsubj"].interval.replace("\u00a0%", "").split(" to ")
    assert 80 < float(low) < 95
    assert high == "100.0"
    assert table["nsubj"].right == table["nsubj"].scored == f"{scored}"
    assert table["nsubj"].sentences == f"{scored} sentences"
    assert table["nsubj"].direction == "from → to"
    assert table["nsubj"].offset.endswith("on")
    assert table["nsubj"].lead.startswith("+")
    assert table["nsubj"].lead_interval.endswith("behind in 0")  # too few for an interval


def test_where_no_head_is_better_than_guessing_none_is_the_best() -> None:
    """Every head looks at the second word, and the relation leads to it in a third of the sentences."""
    specs, probe = probe_of(60, all_look(1, 1, 1))
    probe = ModelProbe(
        tuple((gold_of(one), "0") for one in specs),
        False,
        lambda key, gold: looks_of(gold, np.full((2, 1, HEADS, 3), 0, np.int16)),
    )
    row = {row.title: row for group in relation_groups(probe, lambda _: "") for row in group.rows}["nsubj"]
    assert not row.best
    assert (row.head, row.accuracy) == ("L0H0", "0.0\u00a0%")
    assert probe.best_at(0, 0) == ()
    (gold,) = gold_rows(specs[1], probe, lambda _: "")
    assert gold.head == ""
    assert gold.verdict.endswith("No head is better at relations of this kind than guessing.")


def test_few_sentences_have_counts_in_place_of_an_interval() -> None:
    specs = [sentence(number) for number in range(60)]
    golds = [gold_of(one) for one in specs]
    doubled = [
        replace(one, relations=(*one.relations, Relation("nsubj", 0, one.relations[0].target)))
        for one in golds
    ]
    probe = ModelProbe(
        tuple((one, "0") for one in doubled), False, lambda _, gold: looks_of(gold, ALL_AT_SAT)
    )
    row = {row.title: row for group in relation_groups(probe, lambda _: "") for row in group.rows}["nsubj"]
    assert row.interval == ""  # two examples of each sentence: 60 do not tell whether they hang together
    assert row.right == row.scored
    assert row.lead_interval.startswith("ahead in ")


def test_too_few_examples_are_counted_for_the_sentence_alone() -> None:
    specs, probe = probe_of(60, all_look(1, 0, 0))
    row = gold_rows(specs[0], probe, lambda _: "")[1]
    assert (row.head, row.right) == ("", None)
    # In three heads "sat" looks at "the", and in none does anything look at it.
    assert row.verdict.startswith("In 3 of 4 heads the first looks most at the second, in 0 of 4 heads it is")
    assert "too few examples" in row.verdict


def test_a_causal_model_is_not_asked_to_look_ahead() -> None:
    picked = np.array([[NOTHING, 0, 1], [1, 2, NOTHING]], np.int16)
    specs, probe = probe_of(60, np.tile(picked[:, None, None], (1, 1, HEADS, 1)), causal=True)
    table = {row.title: row for group in relation_groups(probe, lambda _: "") for row in group.rows}
    assert table["nsubj"].direction == "to → from"
    assert "Impossible" in table["next word"].reason
    assert table["next word"].accuracy == ""
    row = gold_rows(specs[0], probe, lambda _: "")[1]
    assert row.verdict.startswith("In 0 of 4 heads the first looks most at the second;")
    assert "the other way is ahead" in row.verdict


def test_a_relation_to_the_first_word_is_marked_where_attention_rests_on_it() -> None:
    picked = np.tile(np.array([NOTHING, 0, 0], np.int16), (2, 1, HEADS, 1))
    picked[1] = NOTHING
    specs, probe = probe_of(60, picked, causal=True, sinking=True)
    table = {row.title: row for group in relation_groups(probe, lambda _: "") for row in group.rows}
    scored = sum(half_of(one.joined) for one in specs)
    first = table["previous word"]  # "cat" looks back at "the", and so does "sat"
    assert first.caution == f"{scored} lead to the first word"
    assert table["nsubj"].caution == ""  # which leads from the second word to the third
    rows = gold_rows(specs[0], probe, lambda _: "")
    assert [bool(row.caution) for row in rows] == [False, True]
    assert "stands first in the text" in rows[1].caution
    _, safe = probe_of(60, picked, causal=True)
    table = {row.title: row for group in relation_groups(safe, lambda _: "") for row in group.rows}
    assert table["previous word"].caution == ""
    assert safe.digest != probe.digest


def test_what_was_not_read_is_told() -> None:
    specs, probe = probe_of(3, np.full((2, 1, HEADS, 3), UNREAD, np.int16))
    assert "did not read so far" in gold_rows(specs[1], probe, lambda _: "")[0].verdict
    specs, probe = probe_of(3, None)
    assert "does not tell where" in gold_rows(specs[1], probe, lambda _: "")[0].verdict
    assert gold_rows(specs[1], None, lambda _: "") == ()


def test_the_inputs_tell_relations_apart() -> None:
    one, other = probe_of(2, None)[1], probe_of(3, None)[1]
    assert one.digest == probe_of(2, None)[1].digest
    assert one.digest != other.digest
