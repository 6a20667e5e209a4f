"""A build that is killed leaves the old site whole or the new one whole, and nothing in its way."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.build import BuildOptions, build, check
from attention_gallery.progress import SilentReporter
from sample_gallery import MODELS, SENTENCES, Sample

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "ctypes.dlsym"}
_WRITING = os.O_WRONLY | os.O_RDWR


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A small site with a foreign file."""
    root = tmp_path_factory.mktemp("base") / "project"
    notes = {"sentences/cat.md": "# Note\n\nOld.\n"}
    sample = Sample.make(root, notes=notes, models=[dict(MODELS[1])], sentences=[dict(SENTENCES[0])])
    sample.settings["sentences"].append(dict(SENTENCES[2]))
    sample.build()
    (sample.site / "CNAME").write_text("example.org", encoding="utf-8")
    sample.build()
    return sample


def change_everything(sample: Sample) -> None:
    """Every page is made anew, some go, some come."""
    sample.settings["title"] = "Another title"
    sample.sentence("short")["slug"] = "brief"
    sample.settings["theme_options"] = {"accent": "#123456"}
    sample.note("sentences/cat.md", "# Note\n\nNew.\n")
    sample.save()
    sample.fill()


def in_child(act: Callable[[], Any]) -> int:
    """Run in a forked process and return its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return child


def is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        return isinstance(arguments[2], int) and bool(arguments[2] & _WRITING)
    return event in _CHANGES


def build_and_count(sample: Sample, kill_at: int | None, told: int = -1) -> None:
    """Build; kill this process before the change of the file system with that number."""
    count = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if is_change(event, arguments):
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    build(sample.manifest, BuildOptions(), SilentReporter())
    if told >= 0:
        os.write(told, str(count).encode())


def changes_of(sample: Sample) -> int:
    """How many changes of the file system a whole rebuild makes."""
    reading, writing = os.pipe()
    child = in_child(lambda: build_and_count(sample, None, writing))
    os.close(writing)
    count = int(os.read(reading, 20))
    os.close(reading)
    assert os.waitpid(child, 0)[1] == 0
    return count


def look_after(sample: Sample, old: object, new: object) -> str:
    """Which site is there; then that the next build is whole and clean."""
    found = sample.tree()
    assert found in (old, new), "the site is a mix, or is not whole"
    assert check(sample.manifest, BuildOptions(), SilentReporter()).links > 100
    build(sample.manifest, BuildOptions(), SilentReporter())
    assert sample.tree() == new
    left = {path.name for path in sample.cache.iterdir()}
    assert left == {"store", "analysis", "templates", "build.sqlite", "build.lock", "fingerprints.json"}
    assert not [path for path in sample.root.rglob("*") if path.name.endswith((".tmp", ".part", ".previous"))]
    return "old" if found == old else "new"


def test_killed_at_any_change_of_the_file_system(built: Sample, tmp_path: Path) -> None:
    old = built.tree()
    whole = built.copy(tmp_path / "whole")
    change_everything(whole)
    count = changes_of(whole)
    new = whole.tree()
    assert count > 60
    # The script, tables and data, pictures, weights, CNAME.
    assert len([name for name in old if new.get(name) == old[name]]) <= 12
    spread = {round(1 + (count - 1) * step / 17) for step in range(18)}
    # The last changes are the swap, the record and the removal of the old site file by file.
    points = sorted(spread | set(range(count - len(old) - 8, count - len(old) + 2)))
    outcomes = []
    for point in points:
        sample = built.copy(tmp_path / f"killed-{point}")
        change_everything(sample)
        child = in_child(lambda sample=sample, point=point: build_and_count(sample, point))  # type: ignore[misc]
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, f"nothing killed it at {point}"
        outcomes.append(look_after(sample, old, new))
    assert len(points) >= 20
    assert outcomes == sorted(outcomes, reverse=True), "new sites come after old ones"
    assert set(outcomes) == {"old", "new"}, "the points do not lie on both sides of the swap"


@pytest.mark.parametrize("share", [0.15, 0.4, 0.65, 0.9])
def test_killed_at_any_time(built: Sample, tmp_path: Path, share: float) -> None:
    whole = built.copy(tmp_path / "whole")
    change_everything(whole)
    started = time.perf_counter()
    changes_of(whole)
    takes = time.perf_counter() - started
    sample = built.copy(tmp_path / "killed")
    change_everything(sample)
    child = in_child(lambda: build(sample.manifest, BuildOptions(), SilentReporter()))
    time.sleep(takes * share)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    look_after(sample, built.tree(), whole.tree())


def test_a_killed_first_build_leaves_no_site(tmp_path: Path) -> None:
    sample = Sample.make(tmp_path / "project", notes={})
    sample.fill()
    child = in_child(lambda: build_and_count(sample, 30))
    os.waitpid(child, 0)
    assert not sample.site.exists()
    sample.build()
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    assert sample.tree() == clean.tree()


def test_unfinished_files_in_the_cache_are_swept(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "copy")
    left = [
        sample.cache / "fingerprints.json.0a1b2c3d.part",
        sample.cache / "analysis" / "ab" / ".abcdef.x1y2.tmp",
        sample.cache / "store" / "ab" / f"{'ab' * 32}.0a1b2c3d.safetensors.part",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    sample.settings["title"] = "Changed"
    sample.build()
    assert not [path for path in left if path.exists()]


def test_what_a_killed_build_left_goes_even_when_nothing_changed(built: Sample, tmp_path: Path) -> None:
    sample = built.copy(tmp_path / "killed")
    sample.build()
    child = in_child(lambda: _force(sample))
    os.waitpid(child, 0)
    assert (sample.cache / "staging").exists()
    report = sample.build()
    assert report.written == 0
    assert not (sample.cache / "staging").exists()
    assert not [*sample.cache.glob("build.sqlite*.new")]


def _force(sample: Sample) -> None:
    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith("staging/index.html"):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    build(sample.manifest, BuildOptions(force=True), SilentReporter())
