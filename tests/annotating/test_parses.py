"""What is taken of a parse: arcs and entities by their places in the text. A stand-in for spaCy's objects."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis.probing.parses import (
    PARSE,
    Arc,
    Entity,
    Parse,
    Parser,
    ParserError,
    Pipeline,
    TextToParse,
    joined_parse,
    load_parse,
    parse_of,
    save_parse,
)
from attention_gallery.analysis.result import Subject
from attention_gallery.errors import DamagedEntry
from attention_gallery.manifest.settings import AnalysisSettings


@dataclass
class Word:
    i: int
    text: str
    idx: int
    dep_: str = ""
    head: Word = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.head = self

    @property
    def is_space(self) -> bool:
        return self.text.isspace()

    @property
    def is_punct(self) -> bool:
        return self.text in ".,-"


@dataclass
class Name:
    words: list[Word]
    root: Word
    label_: str = "PERSON"

    @property
    def start_char(self) -> int:
        return self.words[0].idx

    @property
    def text(self) -> str:
        last = self.words[-1]
        return "x" * (last.idx + len(last.text) - self.start_char)

    def __iter__(self):
        return iter(self.words)


@dataclass
class Doc:
    words: list[Word]
    ents: list[Name]

    def __iter__(self):
        return iter(self.words)


def doc(text: str, heads: list[int], kinds: list[str], ents: tuple[tuple[int, int, int], ...] = ()) -> Doc:
    words, at = [], 0
    for index, part in enumerate(text.split("|")):
        words.append(Word(index, part, at))
        at += len(part)
    for word, head, kind in zip(words, heads, kinds, strict=True):
        word.head, word.dep_ = words[head], kind
    names = [Name(words[first:last], words[root]) for first, last, root in ents]
    return Doc(words, names)


def test_arcs_go_from_dependent_to_head_by_characters() -> None:
    # "don't" is two words here, side by side, as spaCy has it.
    found = parse_of(
        doc("We| |do|n't| |go|.", [5, 5, 5, 5, 5, 5, 5], ["nsubj", "", "aux", "neg", "", "ROOT", "punct"])
    )
    assert found.arcs == (
        Arc("nsubj", (0, 2), (9, 11)),
        Arc("aux", (3, 5), (9, 11)),
        Arc("neg", (5, 8), (9, 11)),
    )


def test_a_subtype_is_cut_and_kinds_are_lower_case() -> None:
    assert [arc.kind for arc in parse_of(doc("It|was", [1, 1], ["NSUBJ:pass", "ROOT"])).arcs] == ["nsubj"]


def test_blanks_around_a_token_are_no_part_of_it() -> None:
    assert parse_of(doc("A |cat", [1, 1], ["det", "ROOT"])).arcs == (Arc("det", (0, 1), (2, 5)),)


def test_the_words_of_a_name_lead_to_the_word_on_which_they_depend() -> None:
    found = parse_of(doc("Marie|-|Curie", [2, 2, 2], ["", "", ""], ((0, 3, 2),)))
    assert found.entities == (Entity("PERSON", (0, 11)),)
    assert found.arcs == (Arc("entity/person", (0, 5), (6, 11)),)
    alone = parse_of(doc("Ada|left", [1, 1], ["", ""], ((0, 1, 0),)))
    assert alone == Parse((), (Entity("PERSON", (0, 3)),))


def test_texts_that_follow_each_other_are_joined() -> None:
    one = Parse((Arc("det", (0, 1), (2, 5)),), (Entity("X", (2, 5)),))
    assert joined_parse([(0, one), (6, one)]) == Parse(
        (Arc("det", (0, 1), (2, 5)), Arc("det", (6, 7), (8, 11))), (Entity("X", (2, 5)), Entity("X", (8, 11)))
    )


SPAN = st.tuples(st.integers(0, 99), st.integers(0, 99))
ARC = st.builds(Arc, st.text(max_size=5), SPAN, SPAN)
ENTITY = st.builds(Entity, st.text(max_size=5), SPAN)


@given(st.builds(Parse, st.lists(ARC).map(tuple), st.lists(ENTITY).map(tuple)))
def test_a_kept_parse_comes_back(parse: Parse) -> None:
    assert load_parse(save_parse(parse)) == parse


def test_a_damaged_parse_is_noticed() -> None:
    data = save_parse(Parse((Arc("det", (0, 1), (2, 5)),), ()))
    for broken in (data[:-1], data[:-1] + b"x", b"", data.replace(b"det", b"dot")):
        with pytest.raises(DamagedEntry):
            load_parse(broken)


def test_a_pipeline_that_is_not_installed_is_told_with_its_mend() -> None:
    with pytest.raises(ParserError) as caught:
        Pipeline.installed("xx_no_such_pipeline")
    assert "not installed" in caught.value.reason
    assert "pip install" in caught.value.mend or "spacy download xx_no_such_pipeline" in caught.value.mend


def test_spacy_itself_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("attention_gallery.analysis.probing.parses.version", missing)
    with pytest.raises(ParserError) as caught:
        Pipeline.installed("en_core_web_sm")
    assert caught.value.mend == "pip install 'attention-gallery[spacy]'"


def test_versions_are_part_of_the_key() -> None:
    def not_loaded() -> Parser:
        raise AssertionError("a key asks no parser")

    keys = {
        PARSE.key(
            Subject((), TextToParse(text, Pipeline(name, version, spacy), not_loaded)), AnalysisSettings()
        )
        for name in ("a", "b")
        for version in ("1", "2")
        for spacy in ("3.7", "3.8")
        for text in ("It", "is")
    }
    assert len(keys) == 16
