"""A disk that is full, or may not be written, ends in a clear message and the old site whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.build.execute import record, write_site
from attention_gallery.errors import OutputError, UserError
from sample_gallery import Sample

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = Sample.make(tmp_path_factory.mktemp("base") / "project")
    sample.build()
    return sample


def change(sample: Sample) -> None:
    sample.settings["title"] = "Changed"
    sample.save()
    sample.fill()


def fails_at(call: Call, number: int, code: int, only: Callable[..., bool] = lambda *_: True) -> Call:
    """The same function, whose call with that number fails as on a full disk."""
    count = 0

    def failing(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        if only(*arguments):
            count += 1
            if count == number:
                raise OSError(code, os.strerror(code), str(arguments[0]))
        return call(*arguments, **named)

    return failing


def creates(*arguments: Any) -> bool:
    """Whether a file of the site is opened for writing."""
    creating = len(arguments) > 1 and isinstance(arguments[1], int) and bool(arguments[1] & os.O_CREAT)
    return creating and "staging" in str(arguments[0])


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("write", 1, errno.ENOSPC),
        ("write", 2, errno.EDQUOT),
        ("write", 25, errno.ENOSPC),
        ("open", 3, errno.EROFS),
        ("open", 40, errno.ENOSPC),
    ],
)
def test_a_failed_write_leaves_the_old_site(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, code: int
) -> None:
    sample = built.copy(tmp_path / "copy")
    change(sample)
    only = creates if name == "open" else lambda *_: True
    monkeypatch.setattr(os, name, fails_at(getattr(os, name), number, code, only))
    with pytest.raises((OSError, UserError), match=os.strerror(code)):
        sample.build()
    monkeypatch.undo()
    assert sample.tree() == built.tree()
    assert not (sample.cache / "staging").exists()
    assert not [*sample.cache.glob("build.sqlite*.new")]
    sample.build()
    assert "<h1>Changed</h1>" in sample.page("")


@pytest.mark.parametrize("number", [1, 5])
def test_a_failed_link_leaves_the_old_site(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sample = built.copy(tmp_path / "copy")
    sample.sentence("short")["title"] = "Changed"
    monkeypatch.setattr(os, "link", fails_at(os.link, number, errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        sample.build()
    monkeypatch.undo()
    assert sample.tree() == built.tree()


def test_without_hard_links_pages_are_copied(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = built.copy(tmp_path / "copy")
    sample.sentence("short")["title"] = "Changed"

    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert sample.build().reused > 20
    sample.sentence("short")["title"] = "Changed again"
    assert sample.build().reused > 20, "a copy keeps its time of change"


@pytest.mark.parametrize("method", ["add", "finish", "links"])
def test_a_record_that_cannot_be_written_is_told(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    sample = built.copy(tmp_path / "copy")
    change(sample)
    original = getattr(record.RecordWriter, method)

    def full(writer: record.RecordWriter, *arguments: Any) -> Any:
        # The database may grow no more: what SQLite says then is what it says of a full disk.
        writer._connection.execute("pragma max_page_count = 1")
        writer._waiting += [(f"x{n}", "i" * 200, "d", "l" * 5000, 1, 1, 1, 1) for n in range(2)]
        return original(writer, *arguments)

    monkeypatch.setattr(record.RecordWriter, method, full)
    with pytest.raises(OutputError, match=r"record of the build cannot be written.*full"):
        sample.build()
    monkeypatch.undo()
    assert sample.tree() == built.tree()
    assert not [*sample.cache.glob("build.sqlite*.new")]


def test_an_output_on_another_disk_is_told(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = built.copy(tmp_path / "copy")
    change(sample)

    def elsewhere(*_: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("attention_gallery.build.execute.staging.swap_folders", elsewhere)
    with pytest.raises(OutputError, match="another disk"):
        sample.build()
    assert sample.tree() == built.tree()


def test_an_interrupted_build_cleans_up(
    built: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = built.copy(tmp_path / "copy")
    change(sample)

    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(write_site, "_check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sample.build()
    assert sample.tree() == built.tree()
    assert not (sample.cache / "staging").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 9 MB: room for one site and a little more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and sys.platform == "linux"
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(folder)]
        try:
            mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            mounted = False
    if not mounted:
        pytest.skip("needs to mount a small tmpfs: root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_really_full_disk(built: Sample, small_disk: Path) -> None:
    sample = built.copy(small_disk / "project")
    before = sample.tree()
    change(sample)
    ballast = sample.root / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast.write_bytes(bytes(free - 64 * 1024))
    command = [sys.executable, "-m", "attention_gallery", "-m", str(sample.manifest), "build", "--force"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode in (1, 2)
    assert "space" in ended.stderr
    assert "the previous site is untouched" in ended.stderr
    assert "bug" not in ended.stderr
    assert sample.tree() == before
    ballast.unlink()
    sample.build()
    assert "<h1>Changed</h1>" in sample.page("")
