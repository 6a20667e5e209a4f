"""A result depends on what it declares, all of it and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.analysis import BUILT_IN, GoldSentence, MeasureSet
from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.contrast.contrast_codec import ContrastTexts
from attention_gallery.analysis.probing.argmax_targets import ARGMAX_TARGETS
from attention_gallery.analysis.probing.parses import Parser, Pipeline, TextToParse
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.analysis.results import RESULTS, cached_names
from attention_gallery.analysis.similarity.distances import DISTANCES
from attention_gallery.analysis.similarity.head_map import HEAD_MAP
from attention_gallery.build.execute.cached_data import CachedData, inventory_of
from attention_gallery.build.plan.captures import needed_captures
from attention_gallery.build.project import read_project
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.models import FingerprintMemory
from attention_gallery.store import AttentionStore
from sample_gallery import Sample

GOLD = GoldSentence("cat", ((0, 3), (4, 7)), ((0,), (1,)), (), "the cat")


def _not_loaded() -> Parser:
    raise AssertionError("a key asks no parser")


TO_PARSE = TextToParse("the cat", Pipeline("en", "1", "3.8"), _not_loaded)
INVENTORY = Inventory(
    captures={("enc", "cat"): "a", ("dec", "cat"): "b", ("enc", "dog"): "c"},
    random_tokens=("r",),
    prefixes=("p", "q"),
    gold={"cat": GOLD, "dog": GOLD},
    texts={"cat": "the cat", "dog": "the dog"},
    drafts=frozenset({"dog"}),
    contrasts=((("enc", "cat"), ("dec", "cat")), (("enc", "gone"), ("dec", "cat"))),
    measures=BUILT_IN,
    texts_to_parse=(TO_PARSE,),
)
CHOICES = {
    "window": st.integers(1, 9),
    "top_keys": st.integers(1, 9),
    "flow_limit": st.integers(1, 10**6),
    "repeated_tokens": st.booleans(),
}


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
@given(choices=st.fixed_dictionaries(CHOICES))
def test_a_key_follows_the_settings_that_are_declared_and_no_other(
    result: Result[Any], choices: dict[str, Any]
) -> None:
    subject = next(iter(result.subjects(INVENTORY)))
    settings, default = AnalysisSettings(**choices), AnalysisSettings()
    declared = {
        name for need in (result, *result.needs) if isinstance(need, Result) for name in need.settings
    }
    changed = {name for name in CHOICES if getattr(settings, name) != getattr(default, name)}
    same = result.key(subject, settings) == result.key(subject, default)
    assert same == (not changed & declared)
    narrowed = result.narrowed(settings)
    for name in CHOICES:
        expected = settings if name in result.settings else default
        assert getattr(narrowed, name) == getattr(expected, name)


@pytest.mark.parametrize(
    "result", [result for result in RESULTS if result.needs], ids=lambda result: result.name
)
def test_a_key_follows_captures_and_their_order(result: Result[Any]) -> None:
    about = next(iter(result.subjects(INVENTORY))).about
    captures = (("a", "b"), ("b", "a"), ("a", "c"), ("a",))
    assert len({result.key(Subject(keys, about), AnalysisSettings()) for keys in captures}) == 4


def test_all_results_have_names_and_keys_of_their_own() -> None:
    assert len({result.name for result in RESULTS}) == len(RESULTS)
    subjects = [subject for result in RESULTS for subject in result.subjects(INVENTORY)]
    distinct = {
        (result.name, *subject[:1], str(subject.about))
        for result in RESULTS
        for subject in result.subjects(INVENTORY)
    }
    assert len(cached_names(INVENTORY, AnalysisSettings())) == len(distinct) <= len(subjects)


def test_a_key_follows_what_its_subject_is_about() -> None:
    by_name = {result.name: result for result in RESULTS}
    others = {
        "analysis": (BUILT_IN, dataclasses.replace(BUILT_IN, digest="of other code")),
        "argmax targets": (GOLD, dataclasses.replace(GOLD, words=((0, 3), (4, 6)))),
        "head contrast": (ContrastTexts(("a", "b"), True), ContrastTexts(("a", "b"), False)),
        "parse": (TO_PARSE, TO_PARSE._replace(text="the dog")),
        "counterparts": (ContrastTexts(("a", "b"), True), ContrastTexts(("a", "c"), True)),
    }
    for name, abouts in others.items():
        keys = {by_name[name].key(Subject(("a",), about), AnalysisSettings()) for about in abouts}
        assert len(keys) == 2, name
    related = dataclasses.replace(GOLD, slug="other")
    keys = {ARGMAX_TARGETS.key(Subject(("a",), gold), AnalysisSettings()) for gold in (GOLD, related)}
    assert len(keys) == 1


def test_a_key_follows_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {
        result.name: result.key(Subject.from_key("a"), AnalysisSettings()) for result in (DISTANCES, HEAD_MAP)
    }
    monkeypatch.setattr("attention_gallery.analysis.result.code_digest", lambda module: "of other code")
    for result in (DISTANCES, HEAD_MAP):
        assert result.key(Subject.from_key("a"), AnalysisSettings()) != before[result.name]


def opened(sample: Sample, measures: MeasureSet = BUILT_IN) -> tuple[CachedData, Inventory]:
    """The captures and results of a built sample."""
    project = read_project(sample.root / "gallery.yaml", drafts=True)
    needed = needed_captures(project, FingerprintMemory(sample.cache / "fingerprints.json"))
    settings = project.manifest.settings
    repeats, prefixes = sorted(needed.repeats.values()), sorted(needed.prefixes)
    inventory = inventory_of(settings, needed.keys, repeats, prefixes, measures)
    store = AttentionStore(sample.cache / "store")
    return CachedData(store, sample.cache / "analysis", settings.analysis, measures=measures), inventory


def test_what_a_build_keeps_is_what_the_registry_names(sample: Sample) -> None:
    sample.settings["contrasts"] = [
        {"slug": "pair", "title": "A pair", "model": "dec", "sentences": ["cat", "river"]},
        {"slug": "two", "title": "Two models", "models": ["enc", "dec"], "sentence": "cat"},
    ]
    sample.settings["lengths"] = {"text": "one two three four five six seven eight nine", "words": [4, 8]}
    sample.build()
    files = {path.name for path in (sample.cache / "analysis").rglob("*") if path.is_file()}
    data, inventory = opened(sample)
    names = {data.key(result, subject) for result in RESULTS for subject in result.subjects(inventory)}
    assert files <= names
    kinds = {
        result.name
        for result in RESULTS
        for subject in result.subjects(inventory)
        if data.key(result, subject) in files
    }
    assert {"analysis", "argmax targets", "distances", "flow views", "head contrast", "head map"} <= kinds
    assert {"pictures", "prefix reading", "repeated tokens"} <= kinds


def test_a_result_of_ones_own_is_worked_out_once_and_folds_those_that_it_needs(sample: Sample) -> None:
    """The toy result is all that has to be written for a new one: a value, and its line in the registry."""
    sample.build()
    data, inventory = opened(sample)
    folded: list[int] = []

    def heads(distances: Iterator[Any], settings: AnalysisSettings, about: None) -> int:
        folded.append(sum(len(each.distance) for each in distances))
        return folded[-1]

    toy = Result(
        name="toy",
        needs=(DISTANCES,),
        compute=heads,
        dump=lambda value: pack(b"toy\n", {"heads": value}, {}),
        load=lambda content, about: int(unpack(b"toy\n", content, {})[0]["heads"]),
        subjects=lambda inventory: inventory.capture_subjects,
    )
    subject = Subject(tuple(key for (model, _), key in inventory.captures.items() if model == "enc"))
    assert data.result(toy, subject) == data.result(toy, subject) == folded[0] > 0
    assert len(folded) == 1


def test_one_new_sentence_costs_one_of_what_is_folded(sample: Sample) -> None:
    sample.build()
    measured: list[str] = []
    original = DISTANCES.compute

    def counted(captures: Iterator[Any], settings: AnalysisSettings, about: Any) -> Any:
        measured.append(DISTANCES.name)
        return original(captures, settings, about)

    counted.__module__ = original.__module__
    object.__setattr__(DISTANCES, "compute", counted)
    try:
        sample.settings["sentences"].append({"slug": "new", "title": "New", "text": "Nothing is so new"})
        sample.build()
    finally:
        object.__setattr__(DISTANCES, "compute", original)
    assert len(measured) == len(sample.settings["models"])
