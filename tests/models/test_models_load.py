"""Loading refuses what would not be the model that the author meant."""

from __future__ import annotations

import io
import json
from logging import StreamHandler
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers import models as vocabularies
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, PreTrainedTokenizerFast

from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import ResolvedModel, resolve
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.quiet import quiet_libraries

SMALL = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALL |= {"intermediate_size": 16, "max_position_embeddings": 20, "pad_token_id": 1}


def save_model(folder: Path, family: str, auto: Any = AutoModel, **options: Any) -> Path:
    torch.manual_seed(1)
    with quiet_libraries():
        auto.from_config(AutoConfig.for_model(family, **{**SMALL, **options})).save_pretrained(folder)
        vocabulary = vocabularies.WordLevel({"<unk>": 0, "a": 1}, unk_token="<unk>")
        PreTrainedTokenizerFast(tokenizer_object=Tokenizer(vocabulary)).save_pretrained(folder)
    return folder


def found(folder: Path) -> ResolvedModel:
    return resolve(ModelSpec(slug="m", title="M", source=f"./{folder.name}"), folder.parent)


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_facts_come_from_the_model(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    loaded = load(found(folder))
    facts = loaded.facts
    assert (facts.architecture, facts.model_type) == ("BertModel", "bert")
    assert facts.license is None, "a license can change without the capture, so none is kept with it"
    assert (facts.layers, facts.heads, facts.key_value_heads, facts.hidden_size) == (2, 2, 2, 16)
    assert (facts.vocabulary, facts.context, facts.causal, facts.weights_format) == (
        30,
        20,
        False,
        "safetensors",
    )
    assert facts.parameters == sum(part.numel() for part in loaded.model.parameters())
    assert not loaded.model.training


def test_roberta_reserves_positions(tmp_path: Path) -> None:
    assert load(found(save_model(tmp_path / "roberta", "roberta"))).facts.context == 18


def test_a_decoder_made_of_bert_is_causal(tmp_path: Path) -> None:
    assert load(found(save_model(tmp_path / "bert", "bert", is_decoder=True))).facts.causal


def test_grouped_heads(tmp_path: Path) -> None:
    facts = load(found(save_model(tmp_path / "llama", "llama", num_key_value_heads=1))).facts
    assert (facts.heads, facts.key_value_heads, facts.causal) == (2, 1, True)


def test_a_checkpoint_with_a_head_and_without_pooler_loads(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = save_model(tmp_path / "bert", "bert", AutoModelForMaskedLM)
    capfd.readouterr()
    assert load(found(folder)).facts.architecture == "BertModel"
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in sorted(weights) if "layer.1.attention.self.query.weight" in name)
    del weights[gone]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lack 1 parameters of its architecture: .*layer\.1\.attention"):
        load(found(folder))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    edit_config(folder, vocab_size=40)
    with pytest.raises(ModelError):
        load(found(folder))


def test_code_of_its_own_is_not_run(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    edit_config(folder, model_type="mine", auto_map={"AutoConfig": "mine.Config", "AutoModel": "mine.Model"})
    (folder / "mine.py").write_text("raise SystemExit('run')")
    with pytest.raises(ModelError, match="brings its own code"):
        load(found(folder))


def test_an_unknown_architecture_is_one_clear_error(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    edit_config(folder, model_type="no-such-model")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(found(folder))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"num_hidden_layers": "six"},
            '`num_hidden_layers` in its config.json is "six", and should be a whole',
        ),
        (
            {"num_hidden_layers": None},
            "`num_hidden_layers` in its config.json is null, and should be a whole",
        ),
        ({"layer_norm_eps": [1]}, "`layer_norm_eps` in its config.json is [1], and should be a number"),
        ({"is_decoder": "yes"}, '`is_decoder` in its config.json is "yes", and should be true or false'),
        ({"hidden_act": 3}, "`hidden_act` in its config.json is 3, and should be a text"),
        (
            {"pad_token_id": "x"},
            '`pad_token_id` in its config.json is "x", and should be a whole number or null',
        ),
        ({"vocab_size": "x" * 99}, f'`vocab_size` in its config.json is "{"x" * 59}…, and should be a whole'),
        (
            {"rope_scaling": 3},
            "Class validation error for validator 'validate_rope': TypeError: 'int' object"
            " | AttributeError: 'int' object has no attribute 'get'",
        ),
        ({"hidden_act": "gleu"}, "KeyError: 'gleu'"),
        (
            {"id2label": 3},
            "AttributeError: 'int' object has no attribute 'items'"
            " | `id2label` in its config.json is 3, and should be a block of names and values or null",
        ),
        ({"num_attention_heads": 0}, "ZeroDivisionError: integer modulo by zero"),
        ({"model_type": ["bert"]}, "TypeError: unhashable type: 'list'"),
    ],
)
def test_a_wrong_value_in_a_configuration_is_told(
    tmp_path: Path, settings: dict[str, object], told: str
) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    edit_config(folder, **settings)
    with pytest.raises(ModelError) as caught:
        load(found(folder))
    [problem] = caught.value.problems
    # Versions of transformers differ in what they look at first.
    assert any(f"cannot be loaded: {reason}" in problem.reason for reason in told.split(" | "))
    assert not problem.reason.endswith(":")
    assert "config.json" in problem.mend


def test_an_encoder_decoder_has_facts_for_each_kind_of_attention(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "t5", "t5", num_decoder_layers=3, d_kv=8, d_ff=8)
    parts = load(found(folder)).parts
    assert list(parts) == ["encoder", "decoder", "cross"]
    assert [(facts.layers, facts.heads, facts.kind) for facts in parts.values()] == [
        (2, 2, "encoder"),
        (3, 2, "decoder"),
        (3, 2, "cross"),
    ]
    assert len({facts.parameters for facts in parts.values()}) == 1


def test_a_model_without_attention_is_one_clear_error(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "mamba", "mamba", hidden_size=16, num_hidden_layers=1, state_size=4)
    with pytest.raises(ModelError, match="no layer attends"):
        load(found(folder))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_broken_files_are_one_clear_error(tmp_path: Path, name: str) -> None:
    folder = save_model(tmp_path / "bert", "bert")
    (folder / name).write_bytes(b"\x00\x01 not what it was")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(found(folder))


def test_a_broken_gguf_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF nothing more")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(resolve(ModelSpec(slug="m", title="M", source="./x.gguf"), tmp_path))


def test_the_libraries_speak_again_afterwards() -> None:
    from transformers.utils import logging

    before = (logging.get_verbosity(), logging.is_progress_bar_enabled())
    with pytest.raises(ZeroDivisionError), quiet_libraries():
        raise ZeroDivisionError
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


@pytest.mark.parametrize("propagates", [False, True])
def test_what_the_libraries_say_is_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, propagates: bool
) -> None:
    from transformers.utils import logging

    root, told = logging.get_logger(), io.StringIO()
    monkeypatch.setattr(root, "propagate", propagates)
    monkeypatch.setattr(root, "handlers", [StreamHandler(told)])
    speaker = logging.get_logger("transformers.somewhere")
    with quiet_libraries():
        speaker.error("quiet")
    assert (told.getvalue(), caplog.text) == ("", "")
    speaker.error("loud")
    assert told.getvalue() == "loud\n"
    assert ("loud" in caplog.text) == propagates
