"""Files of others are plain files of a stated size, or refused without being opened or read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from attention_gallery import user_files
from attention_gallery.errors import UserError
from attention_gallery.hashing import digest_bytes, digest_file
from attention_gallery.user_files import (
    UnusableFileError,
    check_user_file,
    in_words,
    open_user_file,
    read_user_file,
)
from hostile_files import ENDLESS, HUGE, SPECIAL, huge, pipe, put


@pytest.mark.parametrize(("make", "words"), [*SPECIAL.items(), *ENDLESS.items()])
@pytest.mark.parametrize(
    "read", [lambda path: read_user_file(path, 9), open_user_file, check_user_file, digest_file]
)
def test_what_is_no_plain_file_is_never_opened(tmp_path, monkeypatch, make, words, read):
    path = put(tmp_path / "there", make)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(UnusableFileError) as caught:
        read(path)
    error = caught.value
    assert f"it is {words}" in str(error)
    assert str(path) in str(error)
    assert error.problems[0].file == path
    assert (error.filename, error.strerror) == (str(path), f"it is {words}")
    assert isinstance(error, UserError)
    assert isinstance(error, OSError)
    assert error.exit_code == 2


def test_what_takes_the_place_of_a_file_in_between_is_noticed(tmp_path, monkeypatch):
    path = tmp_path / "there"
    path.write_text("x")
    plain = path.stat()
    put(path, pipe)
    monkeypatch.setattr(Path, "stat", lambda self, **_: plain)
    with pytest.raises(UnusableFileError, match="a named pipe"):
        read_user_file(path, 9)


def test_a_file_of_any_size_up_to_the_limit_is_read(tmp_path):
    path = tmp_path / "there"
    for size in (0, 1, 8, 9):
        path.write_bytes(b"x" * size)
        assert read_user_file(path, 9) == b"x" * size
    path.write_bytes(b"x" * 10)
    with pytest.raises(UnusableFileError, match="larger than 9 bytes"):
        read_user_file(path, 9)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = put(tmp_path / "there", huge)
    with pytest.raises(UnusableFileError, match="larger than 1 MB"):
        read_user_file(path, 1 << 20)
    with pytest.raises(UnusableFileError, match="it has 1 TB; at most 1 MB"):
        check_user_file(path, 1 << 20)
    check_user_file(path)
    with open_user_file(path) as stream:
        assert user_files.file_size(stream) == HUGE


def test_no_more_than_the_limit_is_held_of_a_file_that_says_it_is_empty(tmp_path, monkeypatch):
    path = tmp_path / "there"
    path.write_bytes(b"x" * 5000)
    monkeypatch.setattr(user_files, "file_size", lambda stream: 0)
    assert len(read_user_file(path, 5000)) == 5000
    with pytest.raises(UnusableFileError, match="the most that is read"):
        read_user_file(path, 4999)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a file of Linux")
def test_files_of_the_system_that_have_no_size_are_read_up_to_the_limit():
    assert b"Name:" in read_user_file(Path("/proc/self/status"), 1 << 20)
    with pytest.raises(UnusableFileError, match="larger than"):
        read_user_file(Path("/proc/self/status"), 10)


def test_folders_missing_and_unreadable_files_are_told_as_ever(tmp_path, monkeypatch):
    with pytest.raises(IsADirectoryError):
        read_user_file(tmp_path, 9)
    with pytest.raises(FileNotFoundError):
        read_user_file(tmp_path / "nothing", 9)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises((OSError, RuntimeError)):
        read_user_file(tmp_path / "loop", 9)


def test_nothing_stays_open(tmp_path):
    path = tmp_path / "there"
    path.write_bytes(b"x" * 100)
    before = len(list(Path("/dev/fd").iterdir()))
    for limit in (10, 100):
        try:
            read_user_file(path, limit)
        except UnusableFileError:
            continue
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_digests_are_those_of_the_bytes(tmp_path):
    path = tmp_path / "there"
    path.write_bytes(b"some")
    assert digest_file(path) == digest_bytes(b"some")
    assert stat.S_ISREG(path.stat().st_mode)


@pytest.mark.parametrize(
    ("size", "words"),
    [(9, "9 bytes"), (2048, "2 kB"), (32 << 20, "32 MB"), (1 << 30, "1 GB"), (HUGE, "1 TB")],
)
def test_sizes_are_told_in_words(size, words):
    assert in_words(size) == words
