"""What transformers promises to nobody is touched in one module each, and can be missing."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf
import pytest
import torch

import attention_gallery
from attention_gallery.models.inspecting import quantised
from attention_gallery.models.inspecting.quantised import matrix_of
from attention_gallery.models.loading.gguf_once import gguf_read_once
from attention_gallery.models.loading.quiet import quiet_libraries

PACKAGE = Path(attention_gallery.__file__).parent
# Modules of transformers by those of ours that name them. Of these its documentation has the first two.
TOUCHED = {
    ("capturing/passes/predicting.py", "transformers.modeling_outputs"),
    ("models/loading/quiet.py", "transformers.utils.logging"),
    ("models/loading/quiet.py", "transformers.modeling_gguf_pytorch_utils"),
}
READER = "transformers.modeling_gguf_pytorch_utils"


def touched() -> Iterator[tuple[str, str]]:
    """Every module of ours that names a module inside transformers, with that."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                named = [node.value]
            for name in named:
                if name.startswith("transformers."):
                    yield path.relative_to(PACKAGE).as_posix(), name


def test_each_is_touched_in_one_module() -> None:
    found = [*touched()]
    assert set(found) == {*TOUCHED, ("models/inspecting/quantised.py", "transformers.")}
    assert len(found) == len(set(found))


@pytest.mark.parametrize("gone", ["module", "bar"])
def test_a_reader_without_the_known_bar_keeps_its_own(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    reader = importlib.import_module(READER)
    bar = reader.tqdm
    with monkeypatch.context() as patch:
        if gone == "module":
            patch.setitem(sys.modules, READER, None)
        else:
            patch.delattr(reader, "tqdm")
        with quiet_libraries():
            assert getattr(reader, "tqdm", bar) is bar
        assert hasattr(reader, "tqdm") is (gone == "module")
    with quiet_libraries():
        assert reader.tqdm is not bar
    assert reader.tqdm is bar


def test_a_gguf_library_without_the_known_tables_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(gguf, "get_tensor_name_map")
    monkeypatch.setattr(gguf, "GGUFReader", lambda path: [path])
    with gguf_read_once():
        assert gguf.GGUFReader("a") is gguf.GGUFReader("a")
        assert not hasattr(gguf, "get_tensor_name_map")
    assert not hasattr(gguf, "get_tensor_name_map")


def test_a_layer_that_is_not_known_is_asked_for_its_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    transposed = importlib.import_module("transformers.pytorch_utils").Conv1D
    layer = transposed(6, 4)
    example = torch.zeros(1, 4)
    known = matrix_of(layer, example)
    monkeypatch.setattr(quantised, "_is_transposed", lambda module: False)
    asked = matrix_of(layer, example)
    assert known is not None
    assert asked is not None
    assert known.shape == asked.shape == (6, 4)
    torch.testing.assert_close(asked, known)
