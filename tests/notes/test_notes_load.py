"""Where notes belong, what their front matter says, and every mistake in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import NoteError, Problem
from attention_gallery.notes.content_files import content_assets
from attention_gallery.notes.load_notes import check_heads, read_notes
from attention_gallery.notes.target import NoteTarget
from sample_notes import load_notes

MODELS, SENTENCES = ("minilm", "smollm"), ("tired-cat", "trophy")


def write(folder: Path, name: str, text: str | bytes = "Text.\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def mistakes(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(NoteError) as caught:
        load_notes(folder, MODELS, SENTENCES)
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("gallery.md", NoteTarget("gallery")),
        ("about.md", NoteTarget("about")),
        ("models/minilm.md", NoteTarget("model", model="minilm")),
        ("models/minilm/L3H7.md", NoteTarget("model-head", model="minilm", layer=3, head=7)),
        ("sentences/trophy.md", NoteTarget("sentence", sentence="trophy")),
        ("minilm/trophy.md", NoteTarget("pair", model="minilm", sentence="trophy")),
        ("minilm/trophy/l03h07.md", NoteTarget("head", "minilm", "trophy", 3, 7)),
        ("notes/how-to-read.md", NoteTarget("page", slug="how-to-read")),
    ],
)
def test_the_place_of_a_note_is_what_it_is_about(tmp_path: Path, name: str, target: NoteTarget) -> None:
    write(tmp_path, name)
    (note,) = load_notes(tmp_path, MODELS, SENTENCES)
    assert note.target == target
    assert note.name == name


@pytest.mark.parametrize(
    ("name", "reason", "mend"),
    [
        ("minilm/tired-cta.md", 'no sentence "tired-cta"', 'did you mean "tired-cat"'),
        ("minillm/tired-cat.md", 'no model "minillm"', 'did you mean "minilm"'),
        ("models/bert/L1H1.md", 'no model "bert"', "known: minilm, smollm"),
        ("minilm/tired-cat/head3.md", '"head3" does not name a head', "L3H7.md"),
        ("README.md", "no page of the site", "gallery.md"),
        ("notes/a/b.md", "no page of the site", "notes/<name>.md"),
        ("notes/A B.md", "cannot stand in an address", "notes/<name>.md"),
        ("notes/index.md", "not a name for a note", "list of notes"),
    ],
)
def test_a_note_at_no_place(tmp_path: Path, name: str, reason: str, mend: str) -> None:
    path = write(tmp_path, name)
    (problem,) = mistakes(tmp_path)
    assert reason in problem.reason
    assert mend in problem.mend
    assert problem.file == path


def test_front_matter(tmp_path: Path) -> None:
    text = "---\ntitle: A title\ndescription: Why\ntags: [a, b]\ndraft: true\n---\n\n# Heading\n\nText.\n"
    write(tmp_path, "about.md", text)
    (note,) = load_notes(tmp_path, MODELS, SENTENCES)
    assert (note.title, note.description, note.tags, note.draft) == ("A title", "Why", ("a", "b"), True)
    assert note.body == "\n# Heading\n\nText.\n"
    assert note.line == 7


def test_a_first_heading_is_the_title_when_none_is_given(tmp_path: Path) -> None:
    write(tmp_path, "about.md", "\n# The *real* title\n\nText.\n")
    (note,) = load_notes(tmp_path, MODELS, SENTENCES)
    assert (note.title, note.body, note.line) == ("The real title", "\nText.\n", 3)
    write(tmp_path, "about.md", "Text first.\n\n# Heading\n")
    write(tmp_path, "notes/how-to-read.md", "Text.\n")
    assert [note.title for note in load_notes(tmp_path, MODELS, SENTENCES)] == ["", "How to read"]


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ("---\ntitle: a\ntilte: b\n---\n", 'unknown key "tilte"', 3, 1),
        ("---\ntitle: no\n---\n", "YAML reads `no` as the boolean false", 2, 8),
        ("---\ndraft: 'yes'\n---\n", "must be true or false", 2, 8),
        ("---\n\ntitle: a: b\n---\n", "not valid YAML", 3, 9),
        ("---\n- a\n---\n", "block of `key: value` lines", 2, None),
        ("---\ntitle: a\ntitle: b\n---\n", "stands here twice; the first is in line 2", 3, 1),
        ("---\ntitle: a\n", "not closed", 1, 1),
        ("one\ntwo \x07\n", "control character U+0007", 2, 5),
        (b"one\nt\xff\n", "not UTF-8", 2, 2),
    ],
)
def test_mistakes_in_a_file(
    tmp_path: Path, text: str | bytes, reason: str, line: int, column: int | None
) -> None:
    path = write(tmp_path, "about.md", text)
    (problem,) = mistakes(tmp_path)
    assert reason in problem.reason
    assert (problem.file, problem.line, problem.column) == (path, line, column)


def test_all_mistakes_of_all_notes_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "about.md", "---\nx: 1\ny: 2\n---\n")
    write(tmp_path, "models/bert.md")
    assert len(mistakes(tmp_path)) == 3


def test_a_mistake_in_front_matter_hides_none_in_its_claims(tmp_path: Path) -> None:
    front = """---
titel: a
draft: 'yes'
claims:
  - {head: minilm/trophy/L3H1, measure: entropy, at_lest: 1}
  - {head: minilm/trophy/L3, measure: entropy, at_least: 1}
  - {head: minilm/trophy/L3H1, measure: entropy, at_least: 1}
  - {head: minilm/trophy/L3H1, measure: entropy}
---
"""
    path = write(tmp_path, "about.md", front)
    reading = read_notes(tmp_path, MODELS, SENTENCES)
    assert [(problem.file, problem.line, problem.reason) for problem in reading.problems] == [
        (path, 2, 'unknown key "titel"'),
        (path, 3, '`draft` must be true or false, not the text "yes"'),
        (path, 5, 'unknown key "at_lest"'),
        (path, 6, '"minilm/trophy/L3" does not name a head, as L3H1 does'),
        (path, 8, "the claim has no limit"),
    ]
    [note] = reading.notes
    assert [claim.positions[""].line for claim in note.claims] == [7]


@pytest.mark.parametrize("claims", ["3", "{a: b}", "[3]", "", "[{between: x}]", "[[]]"])
def test_what_stays_of_front_matter_is_right(tmp_path: Path, claims: str) -> None:
    write(tmp_path, "about.md", f"---\ntitle: A title\ntags: x\n3: 4\nclaims: {claims}\n---\n")
    reading = read_notes(tmp_path, MODELS, SENTENCES)
    [note] = reading.notes
    assert (note.title, note.tags, note.claims) == ("A title", (), ())
    assert [problem.line for problem in reading.problems][:2] == [3, 4]
    assert reading.whole


@pytest.mark.parametrize(("name", "text"), [("notes/A B.md", "x"), ("about.md", b"\xff")])
def test_notes_of_which_one_cannot_be_used_are_not_whole(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    write(tmp_path, name, text)
    assert not read_notes(tmp_path, MODELS, SENTENCES).whole


def test_two_notes_about_one_head(tmp_path: Path) -> None:
    write(tmp_path, "models/minilm/L3H7.md")
    write(tmp_path, "models/minilm/l03h07.md")
    (problem,) = mistakes(tmp_path)
    assert "same page as models/minilm/L3H7.md" in problem.reason


def test_no_folder_no_notes(tmp_path: Path) -> None:
    assert load_notes(tmp_path / "content", MODELS, SENTENCES) == ()
    assert content_assets(tmp_path / "content") == ()


def test_the_order_and_the_digest_depend_on_the_files_alone(tmp_path: Path) -> None:
    for name in ("notes/b.md", "about.md", "notes/a.md"):
        write(tmp_path, name)
    notes = load_notes(tmp_path, MODELS, SENTENCES)
    assert [note.name for note in notes] == ["about.md", "notes/a.md", "notes/b.md"]
    before = notes[0].digest
    write(tmp_path, "about.md", "Other text.\n")
    assert load_notes(tmp_path, MODELS, SENTENCES)[0].digest != before


def test_heads_beyond_the_model(tmp_path: Path) -> None:
    write(tmp_path, "models/minilm/L5H11.md")
    write(tmp_path, "minilm/trophy/L6H0.md")
    notes = load_notes(tmp_path, MODELS, SENTENCES)
    check_heads(notes, {"smollm": (1, 1)})
    with pytest.raises(NoteError, match="minilm has no head L6H0") as caught:
        check_heads(notes, {"minilm": (6, 12)})
    assert [problem.mend for problem in caught.value.problems] == ["its heads are L0H0 to L5H11"]


def test_pictures_and_data_are_listed_and_litter_is_not(tmp_path: Path) -> None:
    for name in ("b/pic.PNG", "a.csv", "about.md", ".DS_Store", "about.md~", ".hidden/x.svg"):
        write(tmp_path, name)
    assert [file.name for file in content_assets(tmp_path)] == ["a.csv", "b/pic.PNG"]


@pytest.mark.parametrize(
    "name",
    [
        "@eaDir/about.md@SynoEAStream",
        "@eaDir/about.md/SYNOINDEX_MEDIA_INFO",
        "pics/@eaDir/pic.png/SYNOPHOTO_THUMB_M.jpg",
        "#recycle/about.md",
        "@Recycle/old.md",
        "$RECYCLE.BIN/S-1/desktop.ini",
        "System Volume Information/IndexerVolumeGuid",
        "lost+found/12345",
        "__MACOSX/._about.md",
        "._about.md",
        ".about.md.swp",
        "about.md.swp",
        "about.md~",
        "#about.md#",
        ".#about.md",
        "~$about.docx",
        "Thumbs.db",
        "ehthumbs.db",
        "Desktop.ini",
    ],
)
def test_what_systems_and_editors_leave_is_passed_over(tmp_path: Path, name: str) -> None:
    write(tmp_path, "about.md", "# About")
    write(tmp_path, name)
    assert content_assets(tmp_path) == ()
    assert [note.name for note in load_notes(tmp_path, MODELS, SENTENCES)] == ["about.md"]


@pytest.mark.parametrize(
    ("name", "reason", "mend"),
    [
        ("README", "a file without an ending", "`README.md`"),
        ("pics/LICENSE", "a file without an ending", "`LICENSE.md`"),
        ("about.md.txt", "ends in .md", "it ends in .txt too"),
        ("about.md.orig", "are not copied", "move it out"),
        ("@images/x.svg", "can carry scripts", "move it out"),
    ],
)
def test_what_may_be_the_authors_is_told(tmp_path: Path, name: str, reason: str, mend: str) -> None:
    write(tmp_path, name)
    with pytest.raises(NoteError, match=reason) as caught:
        content_assets(tmp_path)
    assert mend in caught.value.problems[0].mend


@pytest.mark.parametrize(
    ("name", "reason"),
    [("pic.svg", "scripts"), ("x.html", "scripts"), ("x.exe", "not copied"), ("x.markdown", "ends in .md")],
)
def test_files_that_are_not_copied(tmp_path: Path, name: str, reason: str) -> None:
    write(tmp_path, name)
    with pytest.raises(NoteError, match=reason):
        content_assets(tmp_path)


def test_links_out_of_the_content_folder_are_refused(tmp_path: Path) -> None:
    content = tmp_path / "content"
    secret = write(tmp_path, "secret.md", "secret")
    write(content, "pic.png")
    (content / "about.md").symlink_to(secret)
    (content / "gone.png").symlink_to(tmp_path / "nothing")
    (content / "folder").symlink_to(tmp_path)
    assert sorted(problem.reason for problem in mistakes(content)) == [
        "folders in the content folder cannot be links",
        "the link leads nowhere",
        "the link leads out of the content folder",
    ]


def test_a_content_folder_outside_the_project_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with pytest.raises(NoteError, match="leaves the project"):
        load_notes(tmp_path / "content", MODELS, SENTENCES, project)
