"""A fingerprint follows the bytes of a model, and is remembered while nothing changes."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attention_gallery.models import FingerprintMemory, ModelFingerprint, ResolvedModel, fingerprint
from attention_gallery.models.on_disk import fingerprints


def make_model(folder: Path) -> ResolvedModel:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text(name)
    return ResolvedModel(
        source="./m",
        folder=folder,
        weights_format="safetensors",
        weights=(folder / "model.safetensors",),
        config=folder / "config.json",
        tokenizer=(folder / "tokenizer.json",),
        revision=None,
    )


@pytest.fixture
def memory_file(tmp_path: Path) -> Path:
    return tmp_path / ".gallery" / "fingerprints.json"


@pytest.mark.skipif(sys.platform == "win32", reason="stamps without a time of change do not show every edit")
def test_an_unchanged_model_is_not_read(
    tmp_path: Path, memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(tmp_path / "m")
    first = fingerprint(model, FingerprintMemory(memory_file))

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(fingerprints, "digest_file", refuse)
    assert fingerprint(model, FingerprintMemory(memory_file)) == first
    os.utime(model.weights[0], ns=(1, 1))
    with pytest.raises(AssertionError, match=r"model\.safetensors was read"):
        fingerprint(model, FingerprintMemory(memory_file))


@pytest.mark.parametrize(
    ("name", "part"),
    [("config.json", "weights"), ("model.safetensors", "weights"), ("tokenizer.json", "tokenizer")],
)
def test_each_file_has_its_part(tmp_path: Path, memory_file: Path, name: str, part: str) -> None:
    model = make_model(tmp_path / "m")
    before = fingerprint(model, FingerprintMemory(memory_file))
    (model.folder / name).write_text("changed in length")
    after = fingerprint(model, FingerprintMemory(memory_file))
    other = "tokenizer" if part == "weights" else "weights"
    assert getattr(before, part) != getattr(after, part)
    assert getattr(before, other) == getattr(after, other)


def test_the_same_size_at_another_time_is_read_again(tmp_path: Path, memory_file: Path) -> None:
    model = make_model(tmp_path / "m")
    before = fingerprint(model, FingerprintMemory(memory_file))
    model.weights[0].write_text("MODEL.SAFETENSORS")
    os.utime(model.weights[0], ns=(5, 5))
    assert fingerprint(model, FingerprintMemory(memory_file)).weights != before.weights


def test_the_folder_does_not_matter(tmp_path: Path, memory_file: Path) -> None:
    memory = FingerprintMemory(memory_file)
    assert fingerprint(make_model(tmp_path / "a"), memory) == fingerprint(make_model(tmp_path / "b"), memory)


def test_a_gguf_file_is_weights_and_tokenizer(tmp_path: Path, memory_file: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    gguf = ResolvedModel("./x.gguf", tmp_path, "gguf", (tmp_path / "x.gguf",), None, (), None)
    found = fingerprint(gguf, FingerprintMemory(memory_file))
    assert found.weights != found.tokenizer
    (tmp_path / "x.gguf").write_bytes(b"GGUF2")
    changed = fingerprint(replace(gguf), FingerprintMemory(memory_file))
    assert (changed.weights != found.weights, changed.tokenizer != found.tokenizer) == (True, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'{"schema":1}',
        b'{"schema":9,"files":{"a":[1,2,"x"]}}',
        b'{"schema":1,"files":3}',
    ],
)
def test_a_broken_memory_is_empty(tmp_path: Path, memory_file: Path, content: bytes) -> None:
    memory_file.parent.mkdir()
    memory_file.write_bytes(content)
    model = make_model(tmp_path / "m")
    found = fingerprint(model, FingerprintMemory(memory_file))
    assert isinstance(found, ModelFingerprint)
    assert [path.name for path in memory_file.parent.iterdir()] == [memory_file.name]
    assert fingerprint(model, FingerprintMemory(memory_file)) == found


def test_a_memory_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = FingerprintMemory(tmp_path / "file" / "fingerprints.json")
    assert len(fingerprint(make_model(tmp_path / "m"), memory).weights) == 64


def in_place(path: Path, data: bytes) -> None:
    """As an editor whose user puts the time back, or a clock that steps."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def moved_over(path: Path, data: bytes) -> None:
    """As `rsync -t` and `tar x`."""
    other = path.with_name("other")
    other.write_bytes(data)
    shutil.copystat(path, other)
    other.replace(path)


def copied_over(path: Path, data: bytes) -> None:
    """As `cp -p`."""
    other = path.with_name("other")
    other.write_bytes(data)
    shutil.copystat(path, other)
    shutil.copy2(other, path)


@pytest.mark.parametrize("edit", [in_place, moved_over, copied_over])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_edit_that_keeps_size_and_time_is_read(
    tmp_path: Path, memory_file: Path, name: str, edit: Callable[[Path, bytes], None]
) -> None:
    model = make_model(tmp_path / "m")
    path = model.folder / name
    memory = FingerprintMemory(memory_file)
    before, status = fingerprint(model, memory), path.stat()
    edit(path, name.swapcase().encode())
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    after = fingerprint(model, FingerprintMemory(memory_file))
    assert after == fingerprint(model, memory) != before
    assert after == fingerprint(model, FingerprintMemory(tmp_path / "another.json"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_where_no_time_of_change_is_told_small_files_are_read_each_time(
    tmp_path: Path, memory_file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    model = make_model(tmp_path / "m")
    before, memory = fingerprint(model, FingerprintMemory(memory_file)), FingerprintMemory(memory_file)
    in_place(model.folder / name, name.swapcase().encode())
    assert memory.remembers(model.folder / name), "its stamp does not show the edit"
    assert fingerprint(model, memory) != before
    assert fingerprint(model, memory) == fingerprint(model, FingerprintMemory(tmp_path / "another.json"))


def test_where_no_time_of_change_is_told_large_files_are_read_once(
    tmp_path: Path, memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    path = tmp_path / "large"
    path.write_bytes(bytes(2**20 + 1))
    found = FingerprintMemory(memory_file).digest(path)
    monkeypatch.setattr(fingerprints, "digest_file", lambda _: "read")
    assert FingerprintMemory(memory_file).digest(path) == found
    path.write_bytes(bytes(2**20))
    assert FingerprintMemory(memory_file).digest(path) == "read"


def test_a_file_that_is_written_while_it_is_read_is_not_remembered(
    tmp_path: Path, memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_model(tmp_path / "m").weights[0]
    digest_file = fingerprints.digest_file

    def slow(name: Path) -> str:
        found = digest_file(name)
        in_place(name, b"MODEL.safetensors")
        return found

    memory = FingerprintMemory(memory_file)
    with monkeypatch.context() as patch:
        patch.setattr(fingerprints, "digest_file", slow)
        memory.digest(path)
    assert not memory.remembers(path)
    assert memory.digest(path) == FingerprintMemory(memory_file).digest(path) == digest_file(path)
    assert memory.remembers(path)


def test_a_file_from_the_future_is_read_every_time(
    tmp_path: Path, memory_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the file system is ahead of ours, so that nothing tells what was changed just now."""
    path = make_model(tmp_path / "m").weights[0]
    now = path.stat().st_ctime_ns - 3600 * 10**9
    monkeypatch.setattr(fingerprints.Moment, "now", lambda: fingerprints.Moment(now, 0))
    memory = FingerprintMemory(memory_file)
    before = memory.digest(path)
    assert not memory.remembers(path)
    in_place(path, b"MODEL.safetensors")
    assert memory.digest(path) != before


def test_a_copied_model_has_the_same_fingerprint(tmp_path: Path, memory_file: Path) -> None:
    model = make_model(tmp_path / "m")
    before = fingerprint(model, FingerprintMemory(memory_file))
    shutil.copytree(tmp_path / "m", tmp_path / "copy")
    shutil.rmtree(tmp_path / "m")
    (tmp_path / "copy").rename(tmp_path / "m")
    assert fingerprint(model, FingerprintMemory(memory_file)) == before


def test_a_memory_of_the_version_before_is_empty(tmp_path: Path, memory_file: Path) -> None:
    model = make_model(tmp_path / "m")
    path = model.weights[0]
    status = path.stat()
    memory_file.parent.mkdir()
    files = {str(path): [status.st_size, status.st_mtime_ns, "0" * 64]}
    memory_file.write_text(json.dumps({"schema": 1, "files": files}))
    assert FingerprintMemory(memory_file).digest(path) == fingerprints.digest_file(path)
