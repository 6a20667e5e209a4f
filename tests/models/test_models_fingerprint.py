"""A fingerprint follows the bytes of a model, and is remembered while nothing changes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import attention_gallery.models.fingerprints as fingerprints
from attention_gallery.models import FingerprintMemory, ModelFingerprint, ResolvedModel, fingerprint


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
