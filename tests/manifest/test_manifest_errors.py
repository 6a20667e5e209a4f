"""Every mistake in a manifest: the reason, the mend, and the place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.load_manifest import load_manifest

HEAD = "title: x\nmodels: [{source: a/b}]\n"
GOOD = HEAD + "sentences: [{text: the cat saw it}]\n"


def mistakes(folder: Path, text: str | bytes) -> tuple[Problem, ...]:
    path = folder / "gallery.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)
    assert all(problem.file == path for problem in caught.value.problems)
    return caught.value.problems


def only(folder: Path, text: str | bytes) -> Problem:
    problems = mistakes(folder, text)
    assert len(problems) == 1, [problem.render() for problem in problems]
    return problems[0]


def sentence(*lines: str) -> str:
    return HEAD + "sentences:\n  - text: the cat saw it\n" + "".join(f"    {line}\n" for line in lines)


def related(source: str, target: str, *more: str) -> str:
    return sentence(f"relations: [{{{', '.join([f'from: {source}', f'to: {target}', *more])}}}]")


@pytest.mark.parametrize(
    ("text", "reason", "mend", "place"),
    [
        (GOOD + "languge: en\n", 'unknown key "languge"', 'did you mean "language"', (4, 1)),
        (
            sentence("models: []"),
            "`models` names no model",
            "name a model, or remove the key",
            (5, 5),
        ),
        (
            sentence("models: [bb]"),
            'the gallery has no model "bb"',
            'did you mean "b"',
            (5, 14),
        ),
        (
            sentence("models: [b, b]"),
            'the model "b" stands here twice',
            "remove it",
            (5, 17),
        ),
        (
            sentence("models: [b]").replace("source: a/b}", "source: a/b}, {source: a/c}"),
            'no sentence is read by the model "c"',
            "add it to the `models` of a sentence",
            (2, 25),
        ),
        (
            GOOD.replace("source: a/b", "source: a/b, attention: []"),
            "`attention` names no kind",
            "name encoder, decoder or cross",
            (2, 24),
        ),
        (
            GOOD.replace("source: a/b", "source: a/b, attention: [cross, cross]"),
            'the kind "cross" stands here twice',
            "remove it",
            (2, 43),
        ),
        (
            GOOD.replace("source: a/b", "source: a/b, attention: [crss]"),
            'item 1 of `attention` cannot be "crss"',
            'did you mean "cross"',
            (2, 36),
        ),
        (sentence("focsu: it"), 'unknown key "focsu"', "known keys: slug, title, text", (5, 5)),
        (GOOD + "title: y\n", "stands here twice; the first is in line 1", "keep one", (4, 1)),
        (GOOD + "<<: {author: x}\n", "merge keys", "write the values out", (4, 1)),
        (GOOD + "---\ntitle: y\n", "second YAML document", "---", (4, 1)),
        (GOOD + "author: !secret x\n", "tag `!secret`", "quotes", (4, 9)),
        (GOOD + "author: !!python/object:os.system x\n", "python/object", "quotes", (4, 9)),
        (GOOD + "author: !!binary aGk=\n", "!!binary", "quotes", (4, 9)),
        (GOOD + "author: *who\n", "no anchor `&who`", "quotes", (4, 9)),
        (GOOD + "author: &a [*a]\n", "inside the value", "write the value out", (4, 13)),
        (GOOD + "author: no\n", "YAML reads `no` as the boolean false, not as text", '"no"', (4, 9)),
        (GOOD + "author: 1.10\n", "`1.10` as the number 1.1,", 'quotes: "1.10"', (4, 9)),
        (GOOD + "author: 12:30\n", "`12:30` as the number 750,", 'quotes: "12:30"', (4, 9)),
        (GOOD + "author: 2024-02-30\n", "`2024-02-30` as a date", 'quotes: "2024-02-30"', (4, 9)),
        (GOOD + "author: ~\n", "`~` as nothing", 'quotes: "~"', (4, 9)),
        (GOOD + "author:\n", "nothing follows the colon", "remove the key", (4, 1)),
        (GOOD + "language: no\n", "YAML reads `no`", 'quotes: "no"', (4, 11)),
        (GOOD + "no: x\n", "YAML reads the key `no` as a boolean", 'quotes: "no"', (4, 1)),
        (GOOD + "author: [a]\n", "`author` must be a text, not a list", "quotes", (4, 1)),
        (GOOD + "author: a: b\n", "not valid YAML", "quotes", (4, 10)),
        (GOOD + "author: @me\n", "not valid YAML", "`@` needs quotes", (4, 9)),
        (GOOD + "analysis:\n\twindow: 3\n", "not valid YAML", "tabs", (5, 1)),
        (GOOD + "author: 'me\n", "not valid YAML", "not closed", (4, 9)),
        (GOOD + "author: a\x07b\n", "U+0007", "remove", (4, 10)),
        (GOOD + 'author: "a\\0b"\n', "U+0000", "remove", (4, 9)),
        (GOOD + "base_url: ftp://x.org\n", "not a web address", "https://", (4, 11)),
        (GOOD + "base_url: https://x.org/?a=1\n", "query", "https://", (4, 11)),
        (GOOD + "base_url: https://x.org/#a\n", "fragment", "https://", (4, 11)),
        (GOOD + "base_url: https://me:pw@x.org/\n", "password", "https://", (4, 11)),
        (GOOD + "base_url: https://[x/\n", "cannot be read", "https://", (4, 11)),
        (GOOD + "base_url: https://x.org:99999/\n", "cannot be read", "https://", (4, 11)),
        (GOOD + "language: english language\n", "not a language tag", "BCP 47", (4, 11)),
        (GOOD + "theme: ../evil\n", "not the name of a theme", "themes/", (4, 8)),
        (GOOD + "theme_options: {a: .nan}\n", "not a finite number", "number", (4, 20)),
        (GOOD + "theme_options: {a: [1]}\n", "must be a text, a number", "quotes", (4, 17)),
        (GOOD + "theme_options: {a: }\n", "must be a text, a number", "quotes", (4, 17)),
        (GOOD + "analysis: {window: 0}\n", "`window` is 0", "at least 1", (4, 20)),
        (GOOD + "analysis: {window: 1.5}\n", "must be a whole number", "digits", (4, 20)),
        (GOOD + "pages: {heads: som}\n", '`heads` cannot be "som"', "known: all, none, notable", (4, 16)),
        (GOOD + "pages: {downloads: 'yes'}\n", "must be true or false", "without quotes", (4, 20)),
        (sentence("slug: ''"), "slug is empty", "remove the key", (5, 11)),
        (sentence("slug: The Cat"), "a-z, 0-9", 'for example "the-cat"', (5, 11)),
        (sentence("slug: ../../etc"), "a-z, 0-9", "etc", (5, 11)),
        *(
            (sentence(f"slug: '{slug}'"), f'"{slug}" is reserved', "slug: …", (5, 11))
            for slug in (
                "models",
                "sentences",
                "contrasts",
                "notes",
                "about",
                "search",
                "tags",
                "404",
                "assets",
            )
        ),
        *(
            (sentence(f"slug: {slug}"), f'"{slug}" is reserved: it is kept', f"`aliases: [{slug}]`", (5, 11))
            for slug in ("embed", "api", "docs")
        ),
        (sentence("slug: l03h07"), "name a head", "slug: …", (5, 11)),
        (sentence("title: About"), "made from the title, is reserved", "slug: …", (5, 12)),
        (sentence("title: ' '"), "title is empty", "remove the key", (5, 12)),
        (sentence("focus: dog"), '"dog" does not stand in the text', "just as it stands", (5, 12)),
        (sentence("focus: Cat"), '"Cat" does not stand', 'did you mean "cat"', (5, 12)),
        (sentence("aliases: [search]"), 'alias "search" is reserved', "remove", (5, 15)),
        (sentence("aliases: [the-cat-saw-it]"), "already a slug or alias in line 4", "remove", (5, 15)),
        (sentence("aliases: [a, a]"), "already a slug or alias in line 5", "remove", (5, 18)),
        (sentence("tags: [a, a]"), "stands here twice", "remove", (5, 15)),
        (sentence("tags: a"), "`tags` must be a list", "- ", (5, 11)),
        (sentence("relations: [{from: it, to: dog}]"), '"dog" does not', "just as", (5, 32)),
        (sentence("relations: [{from: it}]"), "needs `to`", "add a line", (5, 17)),
        (related("[9, 11]", "[9, 9]"), "[9, 9] is no range", "where it ends", (5, 33)),
        (related("[11, 9]", "cat"), "[11, 9] is no range", "counted from 0", (5, 18)),
        (related("it", "[4, 99]"), "[4, 99] reaches beyond the text", "14 characters", (5, 28)),
        (related("it", "[3, 4]"), "[3, 4] holds no word", "the[ ]cat", (5, 28)),
        (related("it", "[1, 2, 3]"), "`to` must be a word or where it begins", "[12, 14]", (5, 28)),
        (related("it", "12"), "`to` must be a word or where it begins", "quotes", (5, 32)),
        (related("the cat", "[4, 7]"), "share characters", "two different words", (5, 33)),
        (related("it", "cat", "kind: ' '"), "the kind is empty", "name the relation", (5, 43)),
        (HEAD + "sentences: []\n", "`sentences` is empty", "at least one sentence", (3, 1)),
        (HEAD + "sentences: [{text: ' '}]\n", "the text is empty", "sentence", (3, 20)),
        (HEAD + "sentences: [{text: ''}]\n", "`text` is empty", "write a text", (3, 20)),
        (HEAD + "sentences: [{text: no}]\n", "YAML reads `no`", '"no"', (3, 20)),
        (HEAD + "sentences: [hello]\n", "item 1 of `sentences` must be a block", "", (3, 13)),
        (HEAD + "sentences: [{focus: x}]\n", "needs `text` or `chat`", "text: …", (3, 13)),
        (sentence("pair: ' '"), "the pair is empty", "second text", (5, 11)),
        (sentence("pair: ''"), "`pair` is empty", "write a text", (5, 11)),
        (sentence("pair: [a]"), "`pair` must be a text", "quotes", (5, 5)),
        (sentence("target: ' '"), "the target is empty", "decoder", (5, 13)),
        (sentence("target: a", "generate: 1"), "`target` gives the words", "keep one", (5, 13)),
        (sentence("generate: 257"), "`generate` is 257", "at most 256", (5, 15)),
        (sentence("generate: -1"), "`generate` is -1", "at least 0", (5, 15)),
        (sentence("generate: yes"), "must be a whole number, not true", "digits", (5, 15)),
        (sentence("truncate: 512"), "`truncate` must be true or false", "without quotes", (5, 15)),
        (sentence("chat: [{role: user, content: a}]"), "not both", "keep one", (5, 5)),
        (GOOD + "pages: {special_tokens: gone}\n", 'cannot be "gone"', "hidden, shown", (4, 25)),
        ("title: x\nsentences: [{text: a}]\n", "the manifest needs `models`", "models: …", (1, 1)),
        ("- a\n", "block of `key: value` lines", "title:", (1, 1)),
    ],
)
def test_a_mistake(tmp_path: Path, text: str, reason: str, mend: str, place: tuple[int, int]) -> None:
    problem = only(tmp_path, text)
    assert reason in problem.reason
    assert mend in problem.mend
    assert (problem.line, problem.column) == place
    assert problem.quote == text.split("\n")[place[0] - 1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a/b/c", "not a hub id"),
        ("model.gguf", "not a hub id"),
        ("https://hub.example/org/name", "web address"),
        ("packge:x/y", "not known"),
        ("package:a-b/model", "not the name of a Python package"),
        ("package:a/../b", "leaves the package"),
        ("''", "source is empty"),
        ("org/na me", "not a hub id"),
    ],
)
def test_a_source_of_no_known_form(tmp_path: Path, source: str, reason: str) -> None:
    problem = only(tmp_path, f"title: x\nmodels:\n  - source: {source}\nsentences: [{{text: a}}]\n")
    assert reason in problem.reason
    assert (problem.line, problem.column) == (3, 13)
    assert problem.mend


def test_a_revision_belongs_to_a_hub_id(tmp_path: Path) -> None:
    text = "title: x\nmodels:\n  - source: ./m\n    revision: main\nsentences: [{text: a}]\n"
    assert "says nothing about a local source" in only(tmp_path, text).reason


def chat(*messages: str, **fields: str) -> str:
    lines = [f"      - {{{message}}}" for message in messages]
    lines += [f"    {name}: {value}" for name, value in fields.items()]
    return HEAD + "sentences:\n  - chat:\n" + "".join(f"{line}\n" for line in lines)


ASKED = "role: user, content: Who saw it?"


@pytest.mark.parametrize(
    ("text", "reason", "mend", "place"),
    [
        (HEAD + "sentences: [{chat: []}]\n", "`chat` is empty", "at least one message", (3, 14)),
        (HEAD + "sentences: [{chat: hello}]\n", "`chat` must be a list", "- ", (3, 20)),
        (chat("role: bot, content: a"), '`role` cannot be "bot"', "assistant, system", (5, 16)),
        (chat("role: usr, content: a"), '`role` cannot be "usr"', '"user"', (5, 16)),
        (chat("content: a"), "item 1 of `chat` needs `role`", "role: …", (5, 9)),
        (chat("role: user"), "item 1 of `chat` needs `content`", "content: …", (5, 9)),
        (chat("role: user, content: ''"), "`content` is empty", "write a text", (5, 31)),
        (chat("role: user, content: ' '"), "the content is empty", "what is said", (5, 31)),
        (chat("role: user, content: 1"), "reads `1` as the number 1", '"1"', (5, 31)),
        (chat(ASKED + ", name: a"), "unknown key", "known keys: role, content", (5, 44)),
        (chat(ASKED, pair="a"), "a chat has no `pair`", "add a message", (6, 11)),
        (chat(ASKED, focus="dog"), '"dog" does not stand', "just as", (6, 12)),
        (
            chat(ASKED, "role: assistant, content: Me.", generate="4"),
            "leaves nothing to answer",
            "message of the user",
            (6, 16),
        ),
    ],
)
def test_a_mistake_in_a_chat(
    tmp_path: Path, text: str, reason: str, mend: str, place: tuple[int, int]
) -> None:
    problem = only(tmp_path, text)
    assert reason in problem.reason
    assert mend in problem.mend
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize("source", ["package:name/model", "./model.gguf"])
def test_code_belongs_to_folders_and_hub_ids(tmp_path: Path, source: str) -> None:
    models = f"  - source: {source}\n    trust_remote_code: true\n"
    problem = only(tmp_path, f"title: x\nmodels:\n{models}sentences: [{{text: a}}]\n")
    assert "no code that transformers could run" in problem.reason
    assert problem.line == 4


def test_an_ambiguous_relation_lists_the_places(tmp_path: Path) -> None:
    text = HEAD + "sentences:\n  - text: it saw it with a kit\n    relations: [{from: it, to: kit}]\n"
    problem = only(tmp_path, text)
    assert '"it" stands 2 times' in problem.reason
    assert "at character 1:" in problem.mend
    assert "at character 8:" in problem.mend
    assert "[0, 2]" in problem.mend


def test_duplicate_slugs_name_both_lines(tmp_path: Path) -> None:
    problem = only(tmp_path, HEAD + "sentences:\n  - text: A cat\n  - text: a dog\n    slug: a-cat\n")
    assert problem.line == 6
    assert "line 4" in problem.reason


def test_all_mistakes_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = "titel: x\ntitel: y\nmodels: [{source: a/b/c}]\nsentences: [{text: no}]\noutput: .\n"
    problems = mistakes(tmp_path, text)
    assert [problem.line for problem in problems] == [1, 1, 2, 3, 4, 5]


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    problem = only(tmp_path, b"title: x\nauthor: J\xe9r\n")
    assert "byte 19 is 0xE9" in problem.reason
    assert (problem.line, problem.column) == (2, 10)
    assert "not UTF-8" in only(tmp_path, GOOD.encode("utf-16")).reason


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n"])
def test_an_empty_manifest(tmp_path: Path, text: str) -> None:
    assert "empty" in only(tmp_path, text).reason


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        load_manifest(tmp_path / "gallery.yaml")
    with pytest.raises(ManifestError, match="this is a folder"):
        load_manifest(tmp_path)


def test_alias_bombs_are_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "repeat more than" in only(tmp_path, "\n".join(lines)).reason


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 5_000 + "x", "{a: " * 2_000, "? " * 3_000])
def test_deep_nesting_is_refused(tmp_path: Path, text: str) -> None:
    assert only(tmp_path, text).reason


def test_huge_numbers_do_not_hang_or_crash(tmp_path: Path) -> None:
    problems = mistakes(tmp_path, GOOD + f"author: {'9' * 5000}\n")
    assert "cannot be read as a number" in problems[0].reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("output: ../out", "leaves the project"),
        ("output: /tmp/out", "not relative"),
        ("output: .", "project itself"),
        ("output: content", "would hold the content folder"),
        ("output: content/site", "inside the content folder"),
        ("output: themes", "would hold themes"),
        ("output: .gallery/x", "inside .gallery"),
        ("output: ''", "path is empty"),
        ("output: link", "through a symbolic link"),
        ("output: loop", "loop"),
        ("output: 'C:\\site'", "not relative"),
        ("content: ..", "leaves the project"),
        ("content: .", "project itself"),
        ("content: link/notes", "through a symbolic link"),
        ("content: site/notes", "would hold the content folder"),
    ],
)
def test_folders_stay_inside_the_project_and_apart(tmp_path: Path, line: str, reason: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to(tmp_path)
    (project / "loop").symlink_to(project / "loop")
    if reason == "loop":
        # Whether a loop is followed or refused depends on Python's version; it is never a traceback.
        (project / "gallery.yaml").write_text(GOOD + line + "\n")
        with contextlib.suppress(ManifestError):
            load_manifest(project / "gallery.yaml")
        return
    assert reason in only(project, GOOD + line + "\n").reason


_TALK = "chat: [{role: user, content: a}]\n    chat_options: "


@pytest.mark.parametrize(
    ("lines", "reason", "line"),
    [
        ("text: a\n    chat_options: {enable_thinking: false}", "no chat for these options", 8),
        (_TALK + "{tokenize: true}", "`tokenize` is not an option", 8),
        (_TALK + "{tokenizer: a}", "`tokenizer` is not an option", 8),
        (_TALK + "{'a b': true}", "`a b` is not an option", 8),
        (_TALK + "3", "must be a block", 8),
        (_TALK + "{depth: .inf}", "`depth` is not a finite number", 8),
        (_TALK + "{parts: [1]}", "must be a text, a number", 8),
        (_TALK + "{parts: null}", "must be a text, a number", 8),
    ],
)
def test_options_of_a_chat_are_plain_and_belong_to_its_template(
    tmp_path: Path, lines: str, reason: str, line: int
) -> None:
    path = tmp_path / "gallery.yaml"
    path.write_text(
        f"title: x\nmodels:\n  - source: a/b\nsentences:\n  - slug: s\n    title: t\n    {lines}\n"
    )
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)
    (problem,) = caught.value.problems
    assert reason in problem.reason
    assert problem.line == line
