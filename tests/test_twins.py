"""Names that are one and the same on other file systems."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.build import BuildOptions, check
from attention_gallery.errors import NoteError, ThemeError
from attention_gallery.notes.content_files import content_assets
from attention_gallery.progress import SilentReporter
from attention_gallery.theme.find_theme import find_theme
from attention_gallery.twins import same_elsewhere, told_apart, twins
from sample_gallery import Sample

COMPOSED, DECOMPOSED = "caf\u00e9.png", "cafe\u0301.png"


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["Cat.png", "cat.png"], [("Cat.png", "cat.png")]),
        (["a.png", "b.png", "A.PNG", "B.png"], [("a.png", "A.PNG"), ("b.png", "B.png")]),
        ([COMPOSED, DECOMPOSED], [(COMPOSED, DECOMPOSED)]),
        (["Fig/a.png", "fig/A.png"], [("Fig/a.png", "fig/A.png")]),
        (["\u212b.png", "\u00e5.png"], [("\u212b.png", "\u00e5.png")]),  # the sign and the letter
        (["fig", "Fig/a.png"], [("fig", "Fig/a.png")]),
        (["Fig/a.png", "fig"], [("Fig/a.png", "fig")]),
        (["Fig/a.png", "fig/b.png"], []),
        (["cat.png", "cat.jpg", "cats.png", "x/cat.png"], []),
        (["cat.png", "cat.png"], []),
    ],
)
def test_pairs_are_found(names, pairs):
    assert list(twins(names)) == pairs


@given(st.text())
def test_every_spelling_of_a_name_is_the_same_elsewhere(name):
    for form in ("NFC", "NFD"):
        assert same_elsewhere(unicodedata.normalize(form, name)) == same_elsewhere(name)
    assert same_elsewhere(same_elsewhere(name)) == same_elsewhere(name)


def test_what_differs_is_told():
    assert "capital and small letters" in told_apart("Cat.png", "cat.png")
    assert "how Unicode spells them" in told_apart(COMPOSED, DECOMPOSED)


@pytest.mark.parametrize(("first", "second"), [("notes/Cat.png", "notes/cat.PNG"), (COMPOSED, DECOMPOSED)])
def test_files_beside_the_notes_are_told(tmp_path: Path, first: str, second: str):
    for name in (first, second):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    if len(list((tmp_path / first).parent.iterdir())) < 2:
        pytest.skip("this file system holds only one of them")
    with pytest.raises(NoteError) as caught:
        content_assets(tmp_path)
    (problem,) = caught.value.problems
    assert {first, second} == set(problem.reason.split('"')[1::2])
    assert problem.file in (tmp_path / first, tmp_path / second)


def test_files_of_a_theme_and_of_its_parents_are_told(tmp_path: Path):
    for name, extends in (("parent", ""), ("child", "extends: parent\n")):
        (tmp_path / "themes" / name / "assets").mkdir(parents=True)
        (tmp_path / "themes" / name / "theme.yaml").write_text(f"name: {name}\n{extends}")
    (tmp_path / "themes" / "parent" / "assets" / "logo.png").write_text("a")
    find_theme("child", tmp_path)
    logo = tmp_path / "themes" / "child" / "assets" / "Logo.png"
    logo.write_text("b")
    with pytest.raises(ThemeError) as caught:
        find_theme("child", tmp_path)
    (problem,) = caught.value.problems
    assert "assets/Logo.png" in problem.reason
    assert "assets/logo.png" in problem.reason
    logo.rename(logo.with_name("logo.png"))
    find_theme("child", tmp_path)


def test_a_file_of_others_that_a_page_would_overwrite_elsewhere_is_told(tmp_path: Path):
    sample = Sample.make(tmp_path)
    sample.build()
    (sample.site / "Index.html").write_text("by hand")
    sample.settings["title"] = "Again"
    report = sample.build()
    assert [warning for warning in report.warnings if '"index.html" and "Index.html"' in warning]
    check(sample.manifest, BuildOptions(), SilentReporter())
