"""What files declare of layers and heads is never less than what transformers makes of them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from tiny_families import FAMILIES, TYPES
from transformers import AutoConfig

from attention_gallery.models.inspecting.layers import of_model, of_part
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.on_disk.declared import declared_shapes
from attention_gallery.models.sources.resolved import ResolvedModel

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


def config_of(**settings: object) -> str:
    return json.dumps({"num_hidden_layers": 2, "num_attention_heads": 2, **settings})


@pytest.mark.parametrize("name", ["num_hidden_layers", "num_attention_heads"])
@pytest.mark.parametrize(
    "count", ["-1", "0", "0.5", "10001", "1e20", "1e999", "1" + "0" * 15, '"1' + "0" * 15 + '"']
)
@pytest.mark.parametrize("inside", ["", "text_config", "encoder"])
def test_counts_that_no_model_has_are_not_told(tmp_path: Path, name: str, count: str, inside: str) -> None:
    config = config_of(**{name: "COUNT"}).replace('"COUNT"', count)
    other = ', "is_encoder_decoder": true, "decoder": ' + config_of() if inside == "encoder" else ""
    (tmp_path / "config.json").write_text(f'{{"{inside}": {config}{other}}}' if inside else config)
    assert declared_shapes(found(tmp_path)) == {}


@pytest.mark.parametrize(
    ("settings", "shapes"),
    [
        ({"head_ratio": 0.5}, {}),
        ({"head_ratio": 2}, {"self": (2, 1)}),
        ({"num_hidden_layers": 10_000, "num_attention_heads": 10_000}, {"self": (10_000, 10_000)}),
        ({"is_encoder_decoder": True, "encoder_layers": 10**9}, {}),
        ({"is_encoder_decoder": True, "decoder_attention_heads": 10**9}, {}),
    ],
)
def test_counts_are_bounded(
    tmp_path: Path, settings: dict[str, object], shapes: dict[str, tuple[int, int]]
) -> None:
    (tmp_path / "config.json").write_text(config_of(**settings))
    assert declared_shapes(found(tmp_path)) == shapes


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
        (gguf(llama__block_count=30, llama__attention__head_count=10**9), {}),
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
