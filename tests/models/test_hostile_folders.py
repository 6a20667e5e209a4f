"""Whatever stands in the files of a model's folder ends in a message with a mend, or in a capture."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers import models as vocabularies
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from attention_gallery.capturing import capture_one
from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import inspect_model, resolve
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.quiet import quiet_libraries

SMALL = {
    "vocab_size": 8,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 20,
}
VALUES = [None, -1, 10**20, "x", "\ud800", [], {"a": [0]}]
CONFIG = [
    "architectures",
    "auto_map",
    "dtype",
    "hidden_size",
    "is_encoder_decoder",
    "layer_types",
    "max_position_embeddings",
    "model_type",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "pad_token_id",
    "quantization_config",
    "rope_parameters",
    "sliding_window",
    "text_config",
    "vocab_size",
]
TOKENIZER = ["added_tokens_decoder", "auto_map", "chat_template", "model_max_length", "tokenizer_class"]
DEEP = b"[" * 100_000
CONTENTS = [b"", b"{", b"[]", b"null", b"\xff\xfe", DEEP, b'{"a":' * 100_000, b"\0" * 999]
NAMES = ["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"]


def save(folder: Path, family: str, words: int = 8) -> Path:
    torch.manual_seed(1)
    vocabulary = vocabularies.WordLevel({f"w{number}": number for number in range(words)}, unk_token="w0")
    tokenizer = Tokenizer(vocabulary)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    with quiet_libraries():
        AutoModel.from_config(AutoConfig.for_model(family, **SMALL)).save_pretrained(folder)
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="w0").save_pretrained(folder)
    return folder


def attempt(folder: Path, text: str = "w1 w2 w3") -> ModelError | None:
    """Capture a text; the error that it ends with, if it does, which has a mend for all that is wrong."""
    spec = ModelSpec(slug="m", title="M", source=f"./{folder.name}")
    caught = None
    try:
        with quiet_libraries():
            capture_one(load(resolve(spec, folder.parent)), text)
    except ModelError as error:
        caught = error
    if caught is not None:
        assert caught.problems
        assert all(problem.reason and problem.mend for problem in caught.problems), caught
    return caught


@pytest.mark.parametrize(
    ("family", "name", "key"),
    [
        *[(family, "config.json", key) for family in ("bert", "llama") for key in CONFIG],
        *[("bert", "tokenizer_config.json", key) for key in TOKENIZER],
    ],
)
def test_any_value_at_any_key(tmp_path: Path, family: str, name: str, key: str) -> None:
    folder = save(tmp_path / "model", family)
    good: dict[str, Any] = json.loads((folder / name).read_text())
    for value in VALUES:
        (folder / name).write_text(json.dumps({**good, key: value}))
        attempt(folder)
    (folder / name).write_text(json.dumps(good))
    assert attempt(folder) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", CONTENTS)
def test_files_that_hold_something_else(tmp_path: Path, name: str, content: bytes) -> None:
    folder = save(tmp_path / "model", "bert")
    (folder / name).write_bytes(content)
    error = attempt(folder)
    assert error is not None or name == "tokenizer_config.json"


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("what", ["folder", "pipe", "link", "pointer"])
def test_what_is_no_file_of_its_own(tmp_path: Path, name: str, what: str) -> None:
    folder = save(tmp_path / "model", "bert")
    (folder / name).unlink()
    if what == "folder":
        (folder / name).mkdir()
    elif what == "pipe":
        os.mkfifo(folder / name)
    elif what == "link":
        (folder / name).symlink_to("nowhere")
    else:
        (folder / name).write_bytes(b"version https://git-lfs.example/spec/v1\noid sha256:0\nsize 12\n")
    error = attempt(folder)
    assert error is not None
    said = {
        "folder": "is a folder",
        "pipe": "a named pipe",
        "link": "not exist",
        "pointer": "pointer of Git LFS",
    }
    assert said[what] in str(error)


def test_a_tokenizer_that_knows_more_than_the_model(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", "bert", words=99)
    assert attempt(folder) is None
    error = attempt(folder, "w1 w98")
    assert error is not None
    assert "makes tokens that the model does not know" in str(error)
    assert "belong together" in str(error)


def test_an_index_nested_too_deeply(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", "bert")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_bytes(DEEP)
    assert "nested too deeply" in str(attempt(folder))


def test_more_layers_than_the_weights_could_fill(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", "bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 10**9}))
    assert "asks for 1000000000 `num_hidden_layers`" in str(attempt(folder))


def test_all_that_is_wrong_with_the_files_is_told_at_once(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", "bert")
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).write_bytes((folder / name).read_bytes()[:0])
    found = resolve(ModelSpec(slug="m", title="M", source="./model"), tmp_path)
    assert len(inspect_model(found)) == 2


@pytest.mark.parametrize("value", ["x", [512], {"tokens": 512}])
def test_a_longest_text_that_is_no_number_is_named(tmp_path: Path, value: object) -> None:
    folder = save(tmp_path / "model", "bert")
    path = folder / "tokenizer_config.json"
    settings = {**json.loads(path.read_text(encoding="utf-8")), "model_max_length": value}
    path.write_text(json.dumps(settings), encoding="utf-8")
    error = attempt(folder)
    assert error is not None
    assert f"`model_max_length: {value!r}`, which is no number" in str(error)
    assert "tokenizer_config.json" in error.problems[0].mend
