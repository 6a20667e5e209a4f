"""A cache folder that goes away during a build ends in one clear message, and the site stays whole."""

from __future__ import annotations

import errno
import os
import pkgutil
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.build import BuildOptions, build
from attention_gallery.build.build_lock import build_lock
from attention_gallery.build.execute.record import Output, Record, RecordWriter
from attention_gallery.errors import OutputError
from attention_gallery.progress import SilentReporter
from attention_gallery.stamps import ABSENT
from sample_gallery import Sample
from siblings import siblings

Lose = Callable[[Path], object]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project")
    sample.build()
    (sample.site / "CNAME").write_text("example.org", encoding="utf-8")
    sample.build()
    return sample


def removed(cache: Path) -> None:
    shutil.rmtree(cache)


def a_file(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.write_text("x", encoding="utf-8")


def another(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.mkdir()


def staging(cache: Path) -> None:
    shutil.rmtree(cache / "staging", ignore_errors=True)


def at_call(number: int, act: Callable[[], object], call: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which does something before its call with that number."""
    count = 0

    def acting(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            act()
        return call(*arguments, **named)

    return acting


PLACES = {
    "a page": ("attention_gallery.build.execute.staging:Staging._written", 30),
    "the list of files": ("attention_gallery.build.execute.staging:Staging.seal", 1),
    "the record": ("attention_gallery.build.execute.record:RecordWriter.finish", 1),
    "the swap": ("attention_gallery.build.execute.staging:swap_folders", 1),
}


def retitled(built: Sample, tmp_path: Path) -> Sample:
    """A copy of what was built, with captures and another title, so that a build has something to do."""
    sample = built.copy(tmp_path / "copy")
    sample.settings["title"] = "Changed"
    sample.save()
    sample.fill()
    return sample


@pytest.mark.parametrize("lose", [removed, a_file, another, staging])
@pytest.mark.parametrize("place", siblings(PLACES, 3))
def test_the_site_stays_whole(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lose: Lose, place: str
) -> None:
    sample = retitled(built, tmp_path)
    before = sample.tree()
    name, number = PLACES[place]
    module, attribute = name.split(":")
    original = pkgutil.resolve_name(name)
    target = f"{module}.{attribute}"
    monkeypatch.setattr(target, at_call(number, lambda: lose(sample.cache), original))
    with pytest.raises(OutputError) as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    monkeypatch.undo()
    (problem,) = caught.value.problems
    assert "while the build was running" in problem.reason
    assert "build again" in problem.mend
    assert sample.tree() == before
    if sample.cache.is_file():
        sample.cache.unlink()
    sample.build()
    assert "<h1>Changed</h1>" in sample.page("")
    assert (sample.site / "CNAME").read_text() == "example.org"


BEGINNINGS = {
    "the capture": "attention_gallery.build.plan.captures:capture_all",
    "the record": "attention_gallery.build.execute.record:RecordWriter.__init__",
    "the staging folder": "attention_gallery.build.execute.staging:Staging.begin",
}


@pytest.mark.parametrize("lose", [removed, another])
@pytest.mark.parametrize("place", BEGINNINGS)
def test_a_cache_that_could_be_made_again_is_missed_all_the_same(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lose: Lose, place: str
) -> None:
    """Another build can have begun in the new one, and would share staging folder and record with this."""
    sample = retitled(built, tmp_path)
    before = sample.tree()
    captured = shutil.copytree(sample.cache / "store", tmp_path / "captured")

    def lose_and_capture() -> None:
        lose(sample.cache)
        shutil.copytree(captured, sample.cache / "store")

    original = pkgutil.resolve_name(BEGINNINGS[place])
    target = BEGINNINGS[place].replace(":", ".")
    monkeypatch.setattr(target, at_call(1, lose_and_capture, original))
    with pytest.raises(OutputError, match="was replaced by another while the build was running"):
        build(sample.manifest, BuildOptions(), SilentReporter())
    monkeypatch.undo()
    assert sample.tree() == before
    sample.build()
    assert "<h1>Changed</h1>" in sample.page("")


def test_no_second_build_begins_in_a_new_cache_folder(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    with build_lock(sample.cache):
        removed(sample.cache)
        with pytest.raises(OutputError, match="another build of this gallery is running"):
            build(sample.manifest, BuildOptions(), SilentReporter())
    assert sample.build().pages


def test_records_that_are_written_at_once_do_not_meet(tmp_path: Path) -> None:
    """Where no lock keeps two builds apart, the last record is a whole one."""
    path = tmp_path / "build.sqlite"
    writers = [RecordWriter(path), RecordWriter(path)]
    for name, writer in zip(("first", "second"), writers, strict=True):
        writer.add(Output("page/", name, "digest", "", ABSENT))
    for name, writer in zip(("first", "second"), writers, strict=True):
        writer.finish({"name": name}, {})
    for name, writer in zip(("first", "second"), writers, strict=True):
        writer.publish()
        record = Record(path)
        page = record.output("page/")
        assert page is not None
        assert (record.fact("name"), page.inputs) == (name, name)
        record.close()
    assert [left.name for left in tmp_path.iterdir()] == ["build.sqlite"]


def test_records_that_were_not_finished_are_swept(sample: Sample) -> None:
    sample.cache.mkdir(exist_ok=True)
    for name in ("build.sqlite.new", "build.sqlite.0badcafe.new"):
        (sample.cache / name).write_text("left by a killed build", encoding="utf-8")
    sample.build()
    assert [path.name for path in sample.cache.glob("build.sqlite*")] == ["build.sqlite"]


@pytest.mark.parametrize(("name", "told"), [("", "the folder"), ("store", '".gallery/store"')])
def test_captures_that_are_removed_are_told(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    sample = retitled(built, tmp_path)
    before = sample.tree()
    original = pkgutil.resolve_name("attention_gallery.build.plan.gather:gather")
    gather = at_call(1, lambda: removed(sample.cache / name), original)
    monkeypatch.setattr("attention_gallery.build.execute.write_site.gather", gather)
    with pytest.raises(OutputError, match="was removed while the build was running") as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    assert told in caught.value.problems[0].reason
    assert sample.tree() == before


def test_a_file_in_its_place_is_told(sample: Sample) -> None:
    sample.cache.write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match=r'".gallery" is not a folder') as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    assert caught.value.problems[0].file == sample.cache
    assert sample.cache.read_text() == "x"


@pytest.mark.skipif(sys.platform == "win32" or os.name != "posix", reason="permissions of POSIX")
def test_a_folder_that_may_not_be_written_is_no_bug(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the superuser may not write where the system says so: the call itself is made to fail."""
    sample = retitled(built, tmp_path)
    before = sample.tree()
    mkdir = Path.mkdir

    def refuse(path: Path, *arguments: Any, **named: Any) -> None:
        if path.name == "staging":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        mkdir(path, *arguments, **named)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError) as caught:
        build(sample.manifest, BuildOptions(), SilentReporter())
    monkeypatch.undo()
    assert caught.value.filename == str(sample.cache / "staging")
    assert sample.tree() == before
