"""Treebanks in CoNLL-U: words, relations, filters, and every mistake with its file and line."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.blocks.conllu_file import read_conllu
from attention_gallery.manifest.drafts import without_drafts
from attention_gallery.manifest.load_manifest import Manifest, load_manifest
from attention_gallery.manifest.settings import CollectedSentence

HEAD = "title: x\nmodels: [{source: a/b}]\nsentences:\n  - text: it saw it\n"


def row(number: object, form: str, head: object, relation: str, misc: str = "_") -> str:
    return "\t".join([str(number), form, *"____", str(head), relation, "_", misc])


def tree(sent_id: str, text: str, *rows: str) -> str:
    comments = [f"# sent_id = {sent_id}"] if sent_id else []
    comments += [f"# text = {text}"] if text else []
    return "\n".join([*comments, *rows]) + "\n\n"


CAT = tree(
    "S 1",
    "The cat didn't sleep.",
    row(1, "The", 2, "det"),
    row(2, "cat", 5, "nsubj:pass"),
    row("3-4", "didn't", "_", "_"),
    row(3, "did", 5, "aux"),
    row(4, "n't", 5, "advmod"),
    row(5, "sleep", 0, "root", "SpaceAfter=No"),
    row("5.1", "soundly", "_", "_"),
    row(6, ".", 5, "punct"),
)
FRENCH = tree(
    "s2",
    "Il va au lit",
    row(1, "Il", 2, "nsubj"),
    row(2, "va", 0, "root"),
    row("3-4", "au", "_", "_"),
    row(3, "à", 5, "case"),
    row(4, "le", 5, "det"),
    row(5, "lit", 2, "obl"),
)


def load(folder: Path, data: str, lines: str = "") -> Manifest:
    (folder / "tree.conllu").write_text(data, encoding="utf-8")
    (folder / "gallery.yaml").write_text(f"{HEAD}  - conllu: tree.conllu\n{lines}", encoding="utf-8")
    return load_manifest(folder / "gallery.yaml")


def collected(manifest: Manifest) -> list[CollectedSentence]:
    return [one for one in manifest.settings.sentences if isinstance(one, CollectedSentence)]


def mistakes(folder: Path, data: str, lines: str = "") -> tuple[Problem, ...]:
    with pytest.raises(ManifestError) as caught:
        load(folder, data, lines)
    return caught.value.problems


def said(sentence: CollectedSentence) -> list[tuple[str, str, str]]:
    text = sentence.text
    return [(one.kind, text[slice(*one.from_)], text[slice(*one.to)]) for one in sentence.relations]


def test_words_and_relations_come_from_the_tree(tmp_path: Path) -> None:
    cat, french = collected(load(tmp_path, CAT + FRENCH))
    assert (cat.slug, cat.title, cat.text) == ("s-1", "The cat didn't sleep.", "The cat didn't sleep.")
    assert [cat.text[slice(*word)] for word in cat.words] == ["The", "cat", "did", "n't", "sleep", "."]
    assert said(cat) == [
        ("det", "The", "cat"),
        ("nsubj", "cat", "sleep"),
        ("aux", "did", "sleep"),
        ("advmod", "n't", "sleep"),
    ]
    # "au" is not spelt "à" and "le": its words are one.
    assert [french.text[slice(*word)] for word in french.words] == ["Il", "va", "au", "lit"]
    assert said(french) == [
        ("nsubj", "Il", "va"),
        ("case", "au", "lit"),
        ("det", "au", "lit"),
        ("obl", "lit", "va"),
    ]


def test_a_text_that_is_not_told_is_put_together(tmp_path: Path) -> None:
    rows = [row(1, "Go", 0, "root", "SpaceAfter=No"), row(2, "!", 1, "punct"), row(3, "now", 1, "advmod")]
    (one,) = collected(load(tmp_path, tree("", "", *rows)))
    assert (one.slug, one.text) == ("tree-1", "Go! now")


@pytest.mark.parametrize(
    ("lines", "slugs"),
    [
        ("", ["s-1", "s2"]),
        ("    limit: 1\n", ["s-1"]),
        ("    slug: ud\n", ["ud-s-1", "ud-s2"]),
        ("    filter: {relations: [obl, obj]}\n", ["s2"]),
        ("    filter: {words: [5, 30]}\n", ["s-1"]),
        ("    filter: {words: [1, 4]}\n    limit: 1\n", ["s2"]),
    ],
)
def test_a_filter_and_a_limit(tmp_path: Path, lines: str, slugs: list[str]) -> None:
    assert [one.slug for one in collected(load(tmp_path, CAT + FRENCH, lines))] == slugs


def test_what_holds_for_a_collection_holds_for_its_sentences(tmp_path: Path) -> None:
    lines = "    tags: [trees]\n    language: fr\n    pages: false\n    models: [b]\n    draft: true\n"
    manifest = load(tmp_path, CAT + FRENCH, lines)
    for one in collected(manifest):
        assert (one.tags, one.language, one.pages, one.models) == (("trees",), "fr", False, ("b",))
    assert manifest.files == (tmp_path / "tree.conllu",)
    assert [one.slug for one in without_drafts(manifest).settings.sentences] == ["it-saw-it"]


def test_a_problem_of_a_sentence_is_told_at_its_line_of_the_treebank(tmp_path: Path) -> None:
    manifest = load(tmp_path, CAT + FRENCH)
    problem = manifest.problem("too long", "cut it", "sentences", 2, "text")
    assert (problem.file, problem.line) == (tmp_path / "tree.conllu", 12)
    assert manifest.problem("x", "y", "sentences", 0, "text").file == manifest.path


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (CAT.replace("\tcat\t", "\tdog\t"), '"dog" does not stand where it should', 4),
        (CAT.replace("sleep.\n", "sleep. Well\n", 1), "goes on after its last word", 3),
        (CAT.replace("2\tcat\t_\t_\t_\t_\t5", "2\tcat\t_\t_\t_\t_\t9"), "the head of this word is 9", 4),
        (CAT.replace("2\tcat\t_\t_\t_\t_\t5", "2\tcat\t_\t_\t_\t_\t2"), "the head of this word is 2", 4),
        (
            CAT.replace("2\tcat\t_\t_\t_\t_\t5", "2\tcat\t_\t_\t_\t_\t_"),
            "the head of this word is missing",
            4,
        ),
        (CAT.replace("2\tcat\t_\t_\t_\t_\t5", "2\tcat\t_\t_\t_\t_\tfive"), "no line of CoNLL-U", 4),
        (CAT.replace("nsubj:pass", "_"), "has no relation to its head", 4),
        (CAT.replace("\n2\tcat", "\n7\tcat"), "should have the number 2", 4),
        (CAT.replace("2\tcat\t_", "2 cat"), "no line of CoNLL-U", 4),
        (CAT.replace("\tcat\t", "\tc\x07t\t"), "control character U+0007", 4),
        (CAT + CAT, 'the slug "s-1", made from sent_id, is that of tree.conllu, line 1, too', 12),
        (CAT.replace("S 1", "it saw it"), 'the slug "it-saw-it", made from sent_id, is already', 1),
        (CAT.replace("S 1", "about"), "is reserved", 1),
        ("", "has no sentences", None),
        ("# nothing\n\n", "has no sentences", None),
    ],
)
def test_a_mistake_in_the_file(tmp_path: Path, data: str, reason: str, line: int | None) -> None:
    problems = mistakes(tmp_path, data)
    assert len(problems) == 1, [problem.render() for problem in problems]
    assert reason in problems[0].reason
    assert (problems[0].file, problems[0].line) == (tmp_path / "tree.conllu", line)


@pytest.mark.parametrize("name", ["embed", "api", "docs"])
def test_a_name_for_pages_to_come_is_mended_in_the_manifest(tmp_path: Path, name: str) -> None:
    [problem] = mistakes(tmp_path, CAT.replace("S 1", name))
    assert f'"{name}", made from sent_id, is reserved: it is kept for pages to come' in problem.reason
    assert problem.mend == "give the collection a `slug: …` to put before it"


def test_all_mistakes_of_a_file_are_told_up_to_twenty(tmp_path: Path) -> None:
    wrong = "".join(tree(f"s{n}", "a b", row(1, "x", 0, "root")) for n in range(30))
    problems = mistakes(tmp_path, wrong)
    assert len(problems) == 21
    assert "10 more" in problems[-1].reason


@pytest.mark.parametrize(
    ("lines", "reason", "mend", "place"),
    [
        ("    filter: {relations: [iobj]}\n", "leaves none of the 2 sentences", "advmod, aux", (6, 5)),
        ("    filter: {words: [5]}\n", "no range of numbers", "[5, 30]", (6, 14)),
        ("    filter: {relation: [obj]}\n", 'unknown key "relation"', "relations", (6, 14)),
        ("    text: a\n", 'unknown key "text"', "known keys: conllu, slug", (6, 5)),
        ("    limit: 0\n", "`limit` is 0", "at least 1", (6, 12)),
        ("    limit: ten\n", "must be a whole number", "digits", (6, 12)),
        ("    models: [bb]\n", 'no model "bb"', 'did you mean "b"', (6, 14)),
        ("    language: no\n", "YAML reads `no`", '"no"', (6, 15)),
        ("    tags: [a, a]\n", "stands here twice", "remove", (6, 15)),
    ],
)
def test_a_mistake_in_the_manifest(
    tmp_path: Path, lines: str, reason: str, mend: str, place: tuple[int, int]
) -> None:
    problems = mistakes(tmp_path, CAT + FRENCH, lines)
    assert len(problems) == 1, [problem.render() for problem in problems]
    assert reason in problems[0].reason
    assert mend in problems[0].mend
    assert (problems[0].file, problems[0].line, problems[0].column) == (tmp_path / "gallery.yaml", *place)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../tree.conllu", "leaves the project"),
        ("/etc/passwd", "not relative"),
        ("tre.conllu", 'no file "tre.conllu"'),
        (".", 'no file "."'),
    ],
)
def test_a_file_that_is_not_one_of_the_project(tmp_path: Path, path: str, reason: str) -> None:
    load(tmp_path, CAT)
    manifest = tmp_path / "gallery.yaml"
    manifest.write_text(f"{HEAD}  - conllu: {path}\n", encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        load_manifest(manifest)
    (problem,) = caught.value.problems
    assert reason in problem.reason
    assert problem.line == 5


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside.conllu").write_text(CAT, encoding="utf-8")
    (project / "in.conllu").symlink_to(tmp_path / "outside.conllu")
    (project / "gallery.yaml").write_text(f"{HEAD}  - conllu: in.conllu\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="symbolic link"):
        load_manifest(project / "gallery.yaml")


def test_a_gallery_needs_pages(tmp_path: Path) -> None:
    (tmp_path / "tree.conllu").write_text(CAT, encoding="utf-8")
    text = HEAD.replace("text: it saw it", "{conllu: tree.conllu, pages: false}")
    (tmp_path / "gallery.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match="no sentence has pages"):
        load_manifest(tmp_path / "gallery.yaml")


FORMS = st.lists(
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


@given(forms=FORMS, glued=st.lists(st.booleans(), min_size=8, max_size=8))
def test_words_stand_where_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, forms: list[str], glued: list[bool]
) -> None:
    forms = [form for form in forms if form not in ("_",) and "#" not in form] or ["a"]
    text = "".join(form + ("" if tight else " ") for form, tight in zip(forms, glued, strict=False)).strip()
    rows = [row(n, form, n - 1, "dep" if n > 1 else "root") for n, form in enumerate(forms, 1)]
    path = tmp_path_factory.mktemp("trees") / "t.conllu"
    path.write_text(tree("s", text, *rows), encoding="utf-8")
    (read,) = read_conllu(path)
    assert [read.text[slice(*word)] for word in read.words] == forms
    assert read.relations == tuple(("dep", n, n - 1) for n in range(1, len(forms)))


@given(data=st.text(alphabet=st.sampled_from(list("123-.\t\n_ab# =text")), max_size=120))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: str) -> None:
    path = tmp_path_factory.mktemp("trees") / "t.conllu"
    path.write_text(data + "\n" + CAT + data, encoding="utf-8")
    problems: tuple[Problem, ...] = ()
    try:
        read_conllu(path)
    except ManifestError as error:
        problems = error.problems
    assert all(problem.file == path and problem.reason for problem in problems)


PLUS = "# global.columns = ID FORM UPOS HEAD DEPREL PARSEME:MWE\n"


def plus(number: object, form: str, head: object, relation: str) -> str:
    return "\t".join([str(number), form, "X", str(head), relation, "*"])


DU = tree(
    "s3",
    "Il va au lit",
    plus(1, "Il", 2, "nsubj"),
    plus("1.1", "lui", "_", "_"),
    plus(2, "va", 0, "root"),
    plus("3-4", "au", "_", "_"),
    plus(3, "à", 5, "case"),
    plus(4, "le", 5, "det"),
    plus(5, "lit", 2, "obl"),
)


@pytest.mark.parametrize("spelt", [lambda text: text, lambda text: text.replace("\n", "\r\n")])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("after", ["", "\n", "# newdoc\n", "# generator = x\n\n"])
def test_columns_are_those_that_the_file_names(
    tmp_path: Path, spelt: Callable[[str], str], begin: str, after: str
) -> None:
    data = begin + PLUS + after + DU
    (tmp_path / "tree.conllu").write_bytes(spelt(data).encode())
    (one,) = read_conllu(tmp_path / "tree.conllu")
    (other,) = collected(load(tmp_path, FRENCH))
    assert (one.text, one.words) == (other.text, other.words)
    assert [(kind, *map(one.words.__getitem__, ends)) for kind, *ends in one.relations] == [
        (relation.kind, relation.from_, relation.to) for relation in other.relations
    ]


def test_columns_in_another_order_and_files_put_together(tmp_path: Path) -> None:
    turned = "# global.columns = DEPREL HEAD FORM ID\nroot\t0\tGo\t1\nadvmod\t1\tnow\t2\n\n"
    data = f"{FRENCH}\ufeff{PLUS}{DU}{turned}# global.columns = {' '.join(COLUMNS)}\n{CAT}"
    (tmp_path / "tree.conllu").write_text(data, encoding="utf-8")
    found = read_conllu(tmp_path / "tree.conllu")
    assert [one.text for one in found] == ["Il va au lit", "Il va au lit", "Go now", "The cat didn't sleep."]
    assert found[2].relations == (("advmod", 1, 0),)


COLUMNS = ["ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"]


@pytest.mark.parametrize("missing", ["ID", "FORM", "HEAD", "DEPREL"])
def test_columns_that_are_needed(tmp_path: Path, missing: str) -> None:
    names = [name for name in COLUMNS if name != missing]
    (problem,) = mistakes(tmp_path, f"# a comment\n# global.columns = {' '.join(names)}\n" + CAT + FRENCH)
    assert problem.reason == f"the columns of this treebank have no {missing}"
    assert (problem.line, problem.file) == (2, tmp_path / "tree.conllu")
    assert "ID, FORM, HEAD and DEPREL" in problem.mend


@pytest.mark.parametrize(
    ("header", "line", "reason"),
    [
        ("# global.columns =", 1, "have no ID and no FORM and no HEAD and no DEPREL"),
        ("# global.columns = ID FORM HEAD HEAD DEPREL", 1, "HEAD is named twice"),
        ("# global.columns = ID FORM HEAD DEPREL", 4, "it has 6 columns, not 4"),
        ("# no columns", 4, "it has 6 columns, not 10"),
    ],
)
def test_columns_that_do_not_fit(tmp_path: Path, header: str, line: int, reason: str) -> None:
    (problem,) = mistakes(tmp_path, f"{header}\n{DU}")
    assert reason in problem.reason
    assert problem.line == line


@pytest.mark.parametrize(
    ("number", "trouble", "mend"),
    [
        (errno.EACCES, True, "check who owns it and its permissions"),
        (errno.EIO, True, "check the disk"),
        (errno.ELOOP, False, "check the path"),
    ],
)
def test_a_treebank_in_a_folder_that_cannot_be_read_is_trouble_like_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, trouble: bool, mend: str
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("attention_gallery.manifest.blocks.treebanks.kind_of", refuse)
    manifest = tmp_path / "gallery.yaml"
    manifest.write_text(HEAD + "  - conllu: closed/trees.conllu\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r'"trees\.conllu" cannot be read') as caught:
        load_manifest(manifest)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.trouble) == (manifest, 5, trouble)
    assert problem.mend.startswith(mend)
    assert caught.value.exit_code == (1 if trouble else 2)
