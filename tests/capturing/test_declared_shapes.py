"""What files declare of layers and heads is never less than what transformers makes of them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from tiny_families import FAMILIES, TYPES
from transformers import AutoConfig

from attention_gallery.models.declared import declared_shapes
from attention_gallery.models.layers import of_model, of_part
from attention_gallery.models.quiet import quiet_libraries
from attention_gallery.models.resolved import ResolvedModel

# Their layers are counted in other ways, so that nothing is said of them.
UNTOLD = {"funnel", "nemotron_h"}


def found(folder: Path, kind: str = "safetensors", weights: str = "model.safetensors") -> ResolvedModel:
    config = folder / "config.json" if kind == "safetensors" else None
    return ResolvedModel("./tiny", folder, kind, (folder / weights,), config, (), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_shapes_of_every_family(name: str, tmp_path: Path) -> None:
    with quiet_libraries():
        config = AutoConfig.for_model(TYPES.get(name, name), **FAMILIES[name])
        config.save_pretrained(tmp_path)
    shapes = declared_shapes(found(tmp_path))
    assert bool(shapes) != (name in UNTOLD), shapes
    for kind, shape in shapes.items():
        whole = kind == "self"
        layers = of_model(config.get_text_config(), causal=True) if whole else of_part(config, kind)  # type: ignore[arg-type]
        assert shape[1] == layers.heads
        assert shape[0] >= layers.count
        assert shape[0] <= layers.count + len(layers.skipped)


@pytest.mark.parametrize(
    "config",
    ["", "[]", "{}", '{"n_layer": 2, "num_layers": 3, "n_head": 4}', '{"num_hidden_layers": "x"}', "[" * 9000,
     '{"num_hidden_layers": 2, "num_attention_heads": 0}', '{"num_hidden_layers": 2}',
     '{"num_hidden_layers": 2, "text_config": {"num_hidden_layers": 3, "num_attention_heads": 2}}'],
)  # fmt: skip
def test_what_is_not_plain_is_not_told(config: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    assert declared_shapes(found(tmp_path)) == {}
    assert declared_shapes(found(tmp_path / "gone")) == {}


def test_the_model_of_texts_in_a_model_of_more(tmp_path: Path) -> None:
    config = {"text_config": {"n_layer": 3, "n_head": 2}, "vision_config": {"num_hidden_layers": 9}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert declared_shapes(found(tmp_path)) == {"self": (3, 2)}


def gguf(**entries: int | str) -> bytes:
    data = struct.pack("<4sIQQ", b"GGUF", 3, 0, len(entries))
    for key, value in entries.items():
        name = key.replace("__", ".").encode()
        data += struct.pack("<Q", len(name)) + name
        if isinstance(value, int):
            data += struct.pack("<II", 4, value)
        else:
            data += struct.pack("<IQ", 8, len(value)) + value.encode()
    return data


@pytest.mark.parametrize(
    ("data", "shapes"),
    [
        (gguf(llama__block_count=30, llama__attention__head_count=9, tokenizer__x="y"), {"self": (30, 9)}),
        (gguf(general__name="x", llama__block_count=30), {}),
        (gguf(tokenizer__x="y", llama__block_count=30, llama__attention__head_count=9), {}),
        (gguf(llama__block_count=30, llama__attention__head_count=9)[:-6], {}),
        (b"", {}),
        (b"GGUF", {}),
    ],
)
def test_the_head_of_a_gguf_file(data: bytes, shapes: dict[str, tuple[int, int]], tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(data)
    assert declared_shapes(found(tmp_path, "gguf", "a.gguf")) == shapes
