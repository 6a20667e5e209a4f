"""A stamp is another after every way to change a file, also those that keep size and time of modification."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attention_gallery import stamps
from attention_gallery.stamps import ABSENT, Moment, Stamp, stamp_file

NOW = 1_700_000_000_123_456_789


def write_and_set_back(path: Path) -> None:
    status = path.stat()
    path.write_text("after!", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def copy_over(path: Path) -> None:
    """As `cp -p` does."""
    other = path.with_name("other")
    other.write_text("after!", encoding="utf-8")
    shutil.copystat(path, other)
    shutil.copy2(other, path)


def move_over(path: Path) -> None:
    """As `rsync -t` and `tar x` do: a new file takes the name."""
    other = path.with_name("other")
    other.write_text("after!", encoding="utf-8")
    shutil.copystat(path, other)
    other.replace(path)


EVASIONS: tuple[Callable[[Path], None], ...] = (write_and_set_back, copy_over, move_over)


@pytest.mark.parametrize("edit", EVASIONS, ids=lambda edit: edit.__name__)
def test_an_edit_that_keeps_size_and_time_has_another_stamp(
    tmp_path: Path, edit: Callable[[Path], None]
) -> None:
    path = tmp_path / "file"
    path.write_text("before", encoding="utf-8")
    before = stamp_file(path)
    edit(path)
    after = stamp_file(path)
    assert after[:2] == before[:2]
    assert after != before


def test_a_file_that_is_not_there_has_a_stamp_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert stamp_file(tmp_path / "none") == stamp_file(tmp_path / "file" / "below") == ABSENT
    assert stamp_file(tmp_path / "file") != ABSENT
    (tmp_path / "nowhere").symlink_to("nothing")
    assert stamp_file(tmp_path / "nowhere") != ABSENT
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        stamp_file(tmp_path / "loop")


def test_the_time_at_which_a_file_was_made_is_no_time_of_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setattr(sys, "platform", "win32")
    found = stamp_file(tmp_path / "file")
    assert found.changed == -1
    assert found.touched == found.modified == (tmp_path / "file").stat().st_mtime_ns


@pytest.mark.parametrize(
    ("changed", "settled"),
    [
        (NOW - 1_000_000_000, True),
        (NOW - 5_000_000, False),  # within the clock's tick
        (NOW, False),
        (NOW + 10**12, False),  # the clock of a server that is ahead
        (NOW // 10**9 * 10**9 - 10**9, False),  # whole seconds: told in steps of two
        (NOW // 10**9 * 10**9 - 3 * 10**9, True),
    ],
)
def test_a_file_that_was_changed_just_now_is_not_settled(changed: int, settled: bool) -> None:
    # What people set the time of modification to says nothing.
    for modified in (0, NOW, NOW + 10**15):
        assert Moment(NOW, 0).settled(Stamp(1, modified, changed, 1)) is settled


def test_one_waits_for_the_tick_of_the_clock_and_no_longer() -> None:
    for changed in (NOW - 5_000_000, NOW, NOW + 1_000_000):
        wait = Moment(NOW, 0).wait_for(Stamp(1, 0, changed, 1))
        assert 0 < wait < 0.1
        assert Moment(NOW + round(wait * 1e9) + 1, 0).settled(Stamp(1, 0, changed, 1))
    for changed in (NOW - 1_000_000_000, NOW + 10**12):
        assert Moment(NOW, 0).wait_for(Stamp(1, 0, changed, 1)) == 0


@pytest.mark.parametrize(
    ("wall", "held"), [(10 * 10**9, True), (3600 * 10**9, True), (9 * 10**9, False), (-(10**9), False)]
)
def test_a_clock_that_was_set_back_is_noticed(monkeypatch: pytest.MonkeyPatch, wall: int, held: bool) -> None:
    begun = Moment(NOW, 5)
    monkeypatch.setattr(stamps.time, "time_ns", lambda: NOW + wall)
    monkeypatch.setattr(stamps.time, "monotonic_ns", lambda: 5 + 10 * 10**9)
    assert begun.clock_held() is held


@pytest.mark.parametrize(
    ("stamp", "doubtful"),
    [
        (Stamp(1, NOW, -1, 7), True),
        (Stamp(2**20, NOW, -1, -1), True),
        (Stamp(2**20 + 1, NOW, -1, 7), False),  # too large to be read each time
        (Stamp(1, NOW, NOW, 7), False),
        (ABSENT, False),
    ],
)
def test_a_small_file_without_a_time_of_change_is_doubtful(stamp: Stamp, doubtful: bool) -> None:
    assert stamp.is_doubtful is doubtful
