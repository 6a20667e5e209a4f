"""Only what the generator wrote is ever taken away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from attention_gallery.build.execute import staging as execute
from attention_gallery.errors import OutputError
from sample_gallery import Sample


def put_foreign(sample: Sample) -> dict[str, bytes | str]:
    """Files, a page, links and empty folders of other hands, in the site and inside our folders."""
    site = sample.site
    (site / "CNAME").write_text("example.org")
    (site / "mine").mkdir()
    (site / "mine" / "index.html").write_text("<h1>By hand</h1>")
    (site / "enc" / "cat" / "extra.txt").write_text("kept")
    (site / "enc" / "notes").mkdir()
    (site / "enc" / "notes" / "page.html").write_text("x")
    (site / "shortcut").symlink_to("models", target_is_directory=True)
    (site / "dangling").symlink_to("nowhere")
    (site / "empty" / "inside").mkdir(parents=True)
    (site / "enc" / "empty").mkdir()
    names = ["CNAME", "mine/index.html", "enc/cat/extra.txt", "enc/notes/page.html"]
    found: dict[str, bytes | str] = {name: (site / name).read_bytes() for name in names}
    found |= {"shortcut": "-> models", "dangling": "-> nowhere"}
    return found | {"empty/inside": "folder", "enc/empty": "folder"}


def kept(sample: Sample, foreign: dict[str, bytes | str]) -> bool:
    tree = sample.tree()
    return all(tree.get(name) == value for name, value in foreign.items())


def test_foreign_files_survive_every_build(sample: Sample) -> None:
    sample.build()
    foreign = put_foreign(sample)
    clean = sample.tree()
    sample.settings["title"] = "Again"
    sample.build()
    assert kept(sample, foreign)
    sample.build(force=True)
    assert kept(sample, foreign)
    del sample.settings["sentences"][0]
    sample.note("gallery.md", "no links")
    sample.note("sentences/cat.md", "")
    (sample.root / "content" / "sentences" / "cat.md").unlink()
    sample.build()
    assert kept(sample, foreign), "a foreign file inside a folder of ours goes with it"
    assert "enc/cat/index.html" not in sample.tree()
    assert "enc/cat/index.html" in clean


def test_only_own_files_go_when_a_sentence_is_removed(sample: Sample) -> None:
    sample.build()
    before = set(sample.tree())
    del sample.settings["sentences"][2]
    report = sample.build()
    gone = before - set(sample.tree())
    assert gone == {name for name in before if "short" in name.split("/")}
    assert report.pruned == len(gone)


def test_a_renamed_sentence_leaves_nothing_behind(sample: Sample) -> None:
    sample.build()
    sample.sentence("short")["slug"] = "brief"
    sample.build()
    assert not [path for path in sample.site.rglob("*") if path.name == "short"], "not even empty folders"


def test_a_folder_that_somebody_emptied_does_not_stay_for_ever(sample: Sample) -> None:
    sample.build()
    (sample.site / "enc" / "short" / "l00h00" / "index.html").unlink()
    sample.settings["pages"] = {"heads": "none"}
    sample.build()
    assert not (sample.site / "enc" / "short" / "l00h00").exists()


@pytest.mark.parametrize("lost", ["all", "record"])
def test_ownership_outlives_the_cache(sample: Sample, lost: str) -> None:
    sample.build()
    foreign = put_foreign(sample)
    if lost == "all":
        shutil.rmtree(sample.cache)
    else:
        (sample.cache / "build.sqlite").unlink()
    del sample.settings["sentences"][2]
    report = sample.build()
    assert report.pruned > 5
    assert kept(sample, foreign)
    assert not (sample.site / "sentences" / "short").exists()


def test_a_folder_that_is_not_ours_is_refused(sample: Sample) -> None:
    sample.site.mkdir()
    (sample.site / "index.html").write_text("mine")
    (sample.site / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="did not write"):
        sample.build()
    assert sample.tree() == {"index.html": b"mine", "thesis.tex": b"years of work"}
    sample.build(force=True)
    tree = sample.tree()
    assert tree["thesis.tex"] == b"years of work"
    assert tree["index.html"] != b"mine"
    sample.settings["title"] = "Later builds need no force"
    sample.build()
    assert sample.tree()["thesis.tex"] == b"years of work"


def test_an_empty_folder_may_be_used(sample: Sample) -> None:
    sample.site.mkdir()
    sample.build()
    assert (sample.site / "index.html").is_file()


@pytest.mark.parametrize("marker", ["", "[]", "{}", '{"generator": "attention-gallery", "files": 3}', "\x00"])
def test_a_site_with_a_damaged_list_is_not_taken_for_ours(sample: Sample, marker: str) -> None:
    sample.build()
    (sample.site / ".attention-gallery").write_text(marker)
    sample.settings["title"] = "Changed"
    before = sample.tree()
    with pytest.raises(OutputError, match="--force"):
        sample.build()
    assert sample.tree() == before


def test_a_list_cannot_claim_files_outside_the_site(sample: Sample) -> None:
    sample.build()
    treasure = sample.write("treasure.txt", "gold")
    marker = sample.site / ".attention-gallery"
    value = json.loads(marker.read_text())
    value["files"] += ["../treasure.txt", str(treasure), "../gallery.yaml", "content/../../treasure.txt"]
    marker.write_text(json.dumps(value))
    sample.settings["title"] = "Changed"
    sample.build()
    assert treasure.read_text() == "gold"


@pytest.mark.parametrize("name", ["sentences/new/index.html", "enc/new/attention.json"])
def test_a_foreign_file_in_the_place_of_a_page_is_refused(sample: Sample, name: str) -> None:
    sample.build()
    path = sample.site / name
    path.parent.mkdir(parents=True)
    path.write_text("by hand")
    before = sample.tree()
    sample.settings["sentences"].append({"slug": "new", "title": "New", "text": "Something new"})
    with pytest.raises(OutputError, match=name) as caught:
        sample.build()
    assert "--force" in str(caught.value)
    assert sample.tree() == before
    sample.build(force=True)
    assert sample.tree()[name] != b"by hand"


@pytest.mark.parametrize("kind", ["file", "link", "inside"])
def test_a_foreign_thing_in_the_place_of_a_folder_is_refused(sample: Sample, kind: str) -> None:
    sample.build()
    place = sample.site / "sentences" / "new"
    if kind == "file":
        place.write_text("by hand")
    elif kind == "link":
        (sample.root / "elsewhere").mkdir()
        place.symlink_to(sample.root / "elsewhere")
    else:
        (place / "index.html").mkdir(parents=True)
        (place / "index.html" / "deep.txt").write_text("by hand")
    sample.settings["sentences"].append({"slug": "new", "title": "New", "text": "Something new"})
    before = sample.tree()
    with pytest.raises(OutputError, match="not ours"):
        sample.build()
    assert sample.tree() == before
    if kind == "link":
        assert not any((sample.root / "elsewhere").iterdir())


def test_the_output_may_be_no_link_and_no_file(sample: Sample, tmp_path: Path) -> None:
    other = tmp_path / "project" / "other"
    other.mkdir()
    sample.site.symlink_to(other)
    with pytest.raises(OutputError, match="symbolic link"):
        sample.build()
    assert not any(other.iterdir())
    sample.site.unlink()
    sample.site.write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        sample.build()
    assert sample.site.read_text() == "a file"


def test_a_file_that_comes_during_the_build_is_kept(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.build()
    seal = execute.Staging.seal

    def late(staging: execute.Staging, *arguments: bool) -> None:
        seal(staging, *arguments)
        (sample.site / "late.txt").write_text("late")
        (sample.site / "enc" / "late").mkdir()
        (sample.site / "enc" / "late" / "deep.txt").write_text("deep")

    monkeypatch.setattr(execute.Staging, "seal", late)
    sample.settings["title"] = "Changed"
    sample.build()
    assert (sample.site / "late.txt").read_text() == "late"
    assert (sample.site / "enc" / "late" / "deep.txt").read_text() == "deep"


def test_the_old_output_is_left_alone_when_the_output_moves(sample: Sample) -> None:
    sample.build()
    before = sample.tree()
    sample.settings["output"] = "public/docs"
    sample.build()
    assert (sample.root / "public" / "docs" / "index.html").is_file()
    sample.settings["output"] = "site"
    assert sample.tree() == before


def test_pages_are_not_shared_with_copies_by_hand(sample: Sample) -> None:
    """A reused page is the same file under a second name only while a build runs."""
    sample.build()
    sample.settings["title"] = "Changed"
    sample.build()
    assert {path.stat().st_nlink for path in sample.site.rglob("*") if path.is_file()} == {1}
