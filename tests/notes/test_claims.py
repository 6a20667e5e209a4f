"""Claims in front matter: what they ask and expect, and how mistakes are told."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.errors import NoteError
from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.questions.asks import (
    AccuracyOf,
    HeadsOfType,
    MeasureOf,
    ReceivedBy,
    Subject,
    TypeOf,
    WeightOf,
)
from attention_gallery.notes.questions.claims import Claim
from attention_gallery.notes.questions.expectations import Bounds, about, at_least, at_most, between
from sample_notes import load_notes


def loaded(folder: Path, claims: str, name: str = "minilm/cat/L3H1.md") -> Note:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"---\nclaims:\n{claims}\n---\nText.\n", encoding="utf-8")
    (note,) = load_notes(folder, ["minilm"], ["cat", "dog"])
    return note


def claim(folder: Path, text: str, name: str = "minilm/cat/L3H1.md") -> Claim:
    (one,) = loaded(folder, f"  - {{{text}}}", name).claims
    return one


def problem(folder: Path, text: str, name: str = "minilm/cat/L3H1.md") -> tuple[int | None, int | None, str]:
    with pytest.raises(NoteError) as caught:
        loaded(folder, f"  - {{{text}}}", name)
    (one,) = caught.value.problems
    assert one.quote is not None
    assert text in one.quote
    return one.line, one.column, one.reason


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("from: it, to: cat, at_least: 0.3", WeightOf(Subject("minilm", "cat", 3, 1), "it", "cat")),
        ("head: L2H8, from: it, to: cat, at_least: 1", WeightOf(Subject("minilm", "cat", 2, 8), "it", "cat")),
        ("layer: dog/L2, from: it, to: dog, at_least: 1", WeightOf(Subject("minilm", "dog", 2), "it", "dog")),
        ('of: minilm/cat, received_by: "[CLS]", at_least: 0', ReceivedBy(Subject("minilm", "cat"), "[CLS]")),
        ("measure: previous, at_least: 0.9", MeasureOf(Subject("minilm", "cat", 3, 1), "previous")),
        (
            "head: models/minilm/L0H2, measure: previous, which: lowest, at_least: 0.9",
            MeasureOf(Subject("minilm", None, 0, 2), "previous", "lowest"),
        ),
        ("head: L0H2, type: previous-token", TypeOf(Subject("minilm", "cat", 0, 2))),
        (
            "head: models/minilm/L2H3, relation: nsubj, at_least: 0.5",
            AccuracyOf(Subject("minilm", None, 2, 3), "nsubj"),
        ),
        (
            "of: models/minilm, relation: entity/employer, at_most: 1",
            AccuracyOf(Subject("minilm"), "entity/employer"),
        ),
        ("of: models/minilm, count: mixed, at_most: 40", HeadsOfType(Subject("minilm"), "mixed")),
    ],
)
def test_what_a_claim_asks(tmp_path: Path, text: str, ask: object) -> None:
    assert claim(tmp_path, text).ask == ask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at_least: 0.3", at_least(0.3)),
        ("at_most: 0", at_most(0)),
        ("between: [0.2, 0.4]", between(0.2, 0.4)),
        ("about: 0.76", about(0.76, 0.01)),
        ("about: 0.76, within: 0.1", about(0.76, 0.1)),
    ],
)
def test_what_a_claim_expects(tmp_path: Path, text: str, expected: Bounds) -> None:
    assert claim(tmp_path, f"from: it, to: cat, {text}").expected == expected


def test_a_note_about_a_model_claims_something_of_every_sentence(tmp_path: Path) -> None:
    found = claim(tmp_path, "head: L0H2, measure: previous, at_least: 0.9", "models/minilm.md")
    assert found.ask == MeasureOf(Subject("minilm", None, 0, 2), "previous")


@pytest.mark.parametrize(
    ("text", "spot", "reason"),
    [
        ("at_least: 0.3", "{", "the claim says nothing of the attention"),
        ("from: it, at_least: 0.3", "it", "the claim needs `to`"),
        ('from: it, to: "", at_least: 0.3', '""', "`to` is empty"),
        ("from: it, to: cat", "{", "the claim has no limit"),
        ("from: it, to: cat, at_least: 0, at_most: 1", "1", "the claim has two limits"),
        ("from: it, to: cat, between: [0.4, 0.2]", "between", "`between` ends before it begins"),
        ("from: it, to: cat, between: [0.4]", "between", "`between` needs two numbers"),
        ("from: it, to: cat, at_least: 0, within: 1", "1", "`within` belongs to `about`"),
        ("from: it, to: cat, which: lowest, at_least: 0", "lowest", "`which` belongs to a measure"),
        ("from: it, to: cat, measure: self, at_least: 0", "self", "the claim says several things"),
        ("relation: nsubj, from: it, to: cat, at_least: 0", "nsubj", "the claim says several things"),
        ("relation: nsubj", "{", "the claim has no limit"),
        ('relation: " ", at_least: 0', '" "', "`relation` is empty"),
        ("type: mixed, at_least: 0", "0", "`at_least` is of no use beside `type`"),
        ("head: L3, type: mixed", "L3", '"L3" does not name a head, as L3H1 does'),
        ("of: L3H1, type: mixed", "L3H1", '"L3H1" does not name a page of all heads'),
        ("head: L3H1, of: minilm/cat, type: mixed", "minilm", "the claim has two targets"),
        ("from: it, to: cat, at_last: 0.3", "at_last", 'unknown key "at_last"'),
        ("from: it, to: cat, at_least: often", "often", '`at_least` must be a number, not the text "often"'),
        ("from: no, to: cat, at_least: 0.3", "no", "YAML reads `no` as the boolean false, not as text"),
        ("measure: self, which: least, at_least: 0", "least", '`which` cannot be "least"'),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path: Path, text: str, spot: str, reason: str) -> None:
    column = f"  - {{{text}}}".index(spot) + 1
    assert problem(tmp_path, text) == (3, column, reason)


def test_a_claim_of_the_home_page_needs_a_target(tmp_path: Path) -> None:
    told = problem(tmp_path, "from: it, to: cat, at_least: 0.3", "gallery.md")
    assert told == (3, 5, "the claim does not say whose attention it is about")


def test_all_claims_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(NoteError) as caught:
        loaded(tmp_path, "  - {type: mixed, about: 1}\n  - from: it\n    to: cat\n")
    assert [one.line for one in caught.value.problems] == [3, 4]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_bounds_hold_what_they_say(value: float, first: float, second: float) -> None:
    least, most = sorted((first, second))
    assert between(least, most).hold(value) == (least <= value <= most)
    assert at_least(least).hold(value) == (value >= least)
    assert at_most(most).hold(value) == (value <= most)
    assert about(value, least).hold(value)


def test_a_number_that_is_not_defined_holds_no_claim() -> None:
    assert not any(one.hold(math.nan) for one in (at_least(0), at_most(1), between(0, 1), about(0, 9)))


def test_a_tolerance_reaches_to_its_ends() -> None:
    assert about(0.76, 0.01).hold(0.77)
    assert about(0.3, 0.1).hold(0.4)
    assert not about(0.76, 0.01).hold(0.7701)
