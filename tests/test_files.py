"""File effects are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from attention_gallery import files
from attention_gallery.files import (
    link_or_copy,
    recover_swap,
    remove_file,
    remove_tree,
    swap_folders,
    walk_files,
    write_atomically,
)


def folder(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "file").write_text(content)
    return path


def content(path: Path) -> str:
    return (path / "file").read_text()


def test_a_write_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_file(tmp_path / "nothing")
    remove_tree(tmp_path / "nothing")
    remove_tree(folder(tmp_path / "something", "x"))
    assert not (tmp_path / "something").exists()


def test_removing_a_tree_does_not_follow_links(tmp_path: Path) -> None:
    kept = folder(tmp_path / "kept", "x")
    tree = folder(tmp_path / "tree", "y")
    (tree / "link").symlink_to(kept, target_is_directory=True)
    remove_tree(tree)
    assert content(kept) == "x"


def test_walking_finds_files_and_links_in_order(tmp_path: Path) -> None:
    for name in ("b/two", "b/one", "a", "ü/x y", "c/d/e/deep"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("b", target_is_directory=True)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "empty" / "inside").mkdir(parents=True)
    found = list(walk_files(tmp_path))
    assert found == ["a", "dangling", "link", "b/one", "b/two", "c/d/e/deep", "ü/x y"]
    assert set(walk_files(tmp_path, empty_folders=True)) - set(found) == {"empty/inside/"}
    assert list(walk_files(tmp_path / "nowhere")) == []


def test_linking_falls_back_to_a_copy_with_its_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("x")
    os.utime(source, ns=(10**18, 10**18 + 123_456_789))
    link_or_copy(str(source), str(target))
    assert target.stat().st_ino == source.stat().st_ino
    target.unlink()

    def refused(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    link_or_copy(str(source), str(target))
    assert target.stat().st_ino != source.stat().st_ino
    assert target.stat().st_mtime_ns == source.stat().st_mtime_ns


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EEXIST, errno.ENOENT, errno.EDQUOT])
def test_a_link_that_failed_for_good_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (tmp_path / "source").write_text("x")

    def refused(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(OSError, match=os.strerror(code)):
        link_or_copy(str(tmp_path / "source"), str(tmp_path / "target"))
    assert not (tmp_path / "target").exists()


@pytest.fixture(params=["exchange", "renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to swap: in one step, and where the system cannot do that."""
    if request.param == "renames":
        monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    return str(request.param)


def test_folders_change_places(tmp_path: Path, way: str) -> None:
    new, live = folder(tmp_path / "new", "new"), folder(tmp_path / "live", "old")
    swap_folders(new, live)
    assert (content(live), content(new)) == ("new", "old")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_first_folder_moves(tmp_path: Path, way: str) -> None:
    swap_folders(folder(tmp_path / "new", "new"), tmp_path / "live")
    assert content(tmp_path / "live") == "new"
    assert not (tmp_path / "new").exists()


def test_an_interrupted_swap_is_put_right(tmp_path: Path) -> None:
    live = tmp_path / "live"
    folder(live, "old").rename(tmp_path / ".live.previous")
    recover_swap(live)
    assert content(live) == "old"
    folder(tmp_path / ".live.previous", "older")
    recover_swap(live)
    assert content(live) == "old"
    assert list(tmp_path.iterdir()) == [live]


def test_a_failed_second_rename_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, live = folder(tmp_path / "new", "new"), folder(tmp_path / "live", "old")
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if Path(source) == new:
            raise OSError(errno.EIO, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="Input/output"):
        swap_folders(new, live)
    assert (content(live), content(new)) == ("old", "new")


def test_a_swap_that_the_system_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        swap_folders(tmp_path / "nowhere", folder(tmp_path / "live", "old"))
    assert content(tmp_path / "live") == "old"
