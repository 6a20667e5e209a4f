"""What is wrong with weights is seen from their heads, before torch is imported or anything is loaded."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFWriter
from hypothesis import given, settings
from hypothesis import strategies as some
from safetensors.numpy import save_file

from attention_gallery.errors import Problem
from attention_gallery.models.on_disk.weight_files import count_tensors, inspect_model, inspect_weights
from attention_gallery.models.sources.resolved import ResolvedModel

POINTER = b"version https://git-lfs.example/spec/v1\noid sha256:%s\nsize 133466304\n" % (b"0" * 64)
ANNEXED = b"/annex/objects/SHA256E-s133466304--0123456789abcdef.safetensors\n"


def safetensors(folder: Path, name: str = "model.safetensors") -> Path:
    save_file({"a": np.ones((4, 8), np.float32), "b": np.ones(3, np.float16)}, folder / name)
    return folder / name


def gguf(
    folder: Path, name: str = "x.gguf", split: tuple[int, int] | None = None, arch: str = "llama"
) -> Path:
    writer = GGUFWriter(folder / name, arch)
    writer.add_token_list(["a", "b", "c"])
    writer.add_token_scores([0.0, 1.0, 2.0])
    if split is not None:
        writer.add_uint16("split.no", split[0])
        writer.add_uint16("split.count", split[1])
    writer.add_tensor("token_embd.weight", np.ones((4, 32), np.float32))
    writer.add_tensor("output_norm.weight", np.ones(32, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / name


def reason(path: Path) -> str:
    problem = inspect_weights(path)
    assert problem is not None
    assert problem.mend, "every problem has a mend"
    assert path.name in problem.reason
    return problem.reason


@pytest.mark.parametrize("make", [safetensors, gguf])
def test_tensors_are_counted_and_no_file_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path]
) -> None:
    path, opened, plain_open = make(tmp_path), [], Path.open

    def noted(self: Path, *args: Any) -> Any:
        opened.append(plain_open(self, *args))
        return opened[-1]

    monkeypatch.setattr(Path, "open", noted)
    model = ResolvedModel("./m", tmp_path, "safetensors", (path,), None, (), None)
    assert count_tensors(model) == 2
    assert all(stream.closed for stream in opened)


@pytest.mark.parametrize("make", [safetensors, gguf])
def test_whole_weights_are_fine(tmp_path: Path, make: object) -> None:
    assert inspect_weights(make(tmp_path)) is None  # type: ignore[operator]


@pytest.mark.parametrize("make", [safetensors, gguf])
def test_weights_cut_off_anywhere_are_told(tmp_path: Path, make: object) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    whole = path.read_bytes()
    assert inspect_weights(path) is None
    # What is written after the last tensor only fills up a block.
    last = len(whole) if path.suffix == ".safetensors" else len(whole.rstrip(b"\0"))
    for size in (1, 5, 9, 40, last // 2, last - 1):
        path.write_bytes(whole[:size])
        assert "cut off" in reason(path) or (path.suffix == ".gguf" and size < 4), size
    path.write_bytes(b"")
    assert "is empty" in reason(path)


def test_how_much_is_there_is_said(tmp_path: Path) -> None:
    path = safetensors(tmp_path)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-3])
    assert f"{size - 3:,} of {size:,} bytes" in reason(path)


@pytest.mark.parametrize("name", ["model.safetensors", "x.gguf", "tokenizer.json", "spiece.model"])
@pytest.mark.parametrize(
    ("content", "tool", "command"),
    [(POINTER, "Git LFS", "git lfs pull"), (ANNEXED, "git-annex", "git annex get")],
)
def test_pointers_are_told_with_the_command_that_gets_the_file(
    tmp_path: Path, name: str, content: bytes, tool: str, command: str
) -> None:
    (tmp_path / name).write_bytes(content)
    problem = inspect_weights(tmp_path / name)
    assert problem is not None
    assert f'"{name}" is a pointer of {tool}' in problem.reason
    assert command in problem.mend


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + bytes(99), "zip archive"),
        (b"\x80\x02}q\x00X" + b"x" * 99, "pickled"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"GGUF" + bytes(99), "GGUF"),
        (b"\xff" * 99, "is not safetensors"),
        (struct.pack("<Q", 90_000_000) + b"{}", "cut off"),
        (struct.pack("<Q", 2) + b"{]", "damaged"),
        (struct.pack("<Q", 200_000) + b"[" * 200_000, "is not safetensors"),
        (struct.pack("<Q", 500_005) + b'{"a":' * 100_001, "damaged"),
        (struct.pack("<Q", 2) + b"{}" + b"more", "damaged"),
    ],
)
def test_what_is_no_safetensors_file_is_called_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    assert said in reason(tmp_path / "model.safetensors")


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, {"data_offsets": [0, "x"]}, {"data_offsets": None}])
def test_any_header_ends_in_a_problem(tmp_path: Path, value: object) -> None:
    header = json.dumps({"a": value}).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    assert "damaged" in reason(tmp_path / "model.safetensors")


@pytest.mark.parametrize("number", [0, 1])
def test_a_part_of_a_split_model_is_told_with_the_command_that_joins_them(
    tmp_path: Path, number: int
) -> None:
    path = gguf(tmp_path, f"big-0000{number + 1}-of-00002.gguf", (number, 2))
    problem = inspect_weights(path)
    assert problem is not None
    assert f"part {number + 1} of 2" in problem.reason
    assert "--merge big-00001-of-00002.gguf big.gguf" in problem.mend
    path.write_bytes(path.read_bytes()[:60])
    assert f"part {number + 1} of 2" in reason(path), "its name tells where its head is cut off"


def test_a_part_under_another_name_and_a_split_of_one(tmp_path: Path) -> None:
    assert "part 2 of 3" in reason(gguf(tmp_path, "renamed.gguf", (1, 3)))
    assert inspect_weights(gguf(tmp_path, "alone.gguf", (0, 1))) is None


def entry(name: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + value


@pytest.mark.parametrize(
    "head",
    [
        struct.pack("<4sIQQ", b"GGUF", 3, 2**62, 0),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 2**62),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + entry("x", 9, struct.pack("<IQ", 8, 2**62)),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + entry("x", 9, struct.pack("<IQ", 9, 2**62)),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + entry("x", 9, struct.pack("<IQ", 0, 2**62)),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + entry("x", 99, b""),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + struct.pack("<Q", 2**62),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + entry("general.alignment", 4, struct.pack("<I", 0)),
        struct.pack("<4sIQQ", b"GGUF", 1, 0, 0),
        struct.pack("<4sIQQ", b"GGUF", 3, 0, 0),
        b"GGML" + bytes(64),
    ],
)
def test_absurd_gguf_files_are_refused(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(head + bytes(1000))
    reason(tmp_path / "x.gguf")


def test_a_gguf_file_that_names_no_model(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 0))
    assert "does not say which model" in reason(tmp_path / "x.gguf")


def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "link.safetensors").symlink_to("nowhere")
    assert "is a folder" in reason(tmp_path / "folder.safetensors")
    assert "is a device or a pipe" in reason(tmp_path / "pipe.safetensors")
    assert "does not exist" in reason(tmp_path / "link.safetensors")
    assert "cannot be read" in reason(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("make", [safetensors, gguf])
def test_damaged_heads_never_raise(tmp_path: Path, make: object) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    whole = path.read_bytes()

    @settings(max_examples=200)
    @given(at=some.integers(0, 400), changed=some.binary(min_size=1, max_size=8))
    def look(at: int, changed: bytes) -> None:
        path.write_bytes(whole[:at] + changed + whole[at + len(changed) :])
        inspect_weights(path)

    look()


def test_all_files_of_a_model_are_looked_at_and_told_at_its_place(tmp_path: Path) -> None:
    def at_line(said: str, mend: str) -> Problem:
        return Problem(said, mend, Path("gallery.yaml"), 7)

    (tmp_path / "tokenizer.json").write_bytes(POINTER)
    (tmp_path / "model.safetensors").write_bytes(POINTER)
    weights, tokenizer = (tmp_path / "model.safetensors",), (tmp_path / "tokenizer.json",)
    model = ResolvedModel("./m", tmp_path, "safetensors", weights, None, tokenizer, None, at_line)
    problems = inspect_model(model)
    assert len(problems) == 2
    assert all((one.file, one.line) == (Path("gallery.yaml"), 7) for one in problems)


def test_torch_is_not_needed(tmp_path: Path) -> None:
    paths = [str(safetensors(tmp_path)), str(gguf(tmp_path))]
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from attention_gallery.models.on_disk.weight_files import inspect_weights\n"
        f"assert [inspect_weights(Path(one)) for one in {paths!r}] == [None, None]\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
