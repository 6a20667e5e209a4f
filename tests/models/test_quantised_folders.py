"""Weights whose quantiser is not installed are told with what to install."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers import models as vocabularies
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from attention_gallery.errors import ModelError, Problem
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import resolve
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.not_loaded import cannot_load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.sources.resolved import ResolvedModel

METHODS: list[tuple[dict[str, Any], str, str]] = [
    ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq", "`pip install optimum`"),
    (
        {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"},
        "awq",
        "`pip install gptqmodel`",
    ),
    ({"quant_method": "aqlm"}, "aqlm", "`pip install 'aqlm[gpu,cpu]'`"),
    ({"quant_method": "hqq"}, "hqq", "`pip install hqq`"),
    ({"quant_method": "quanto", "weights": "int8"}, "quanto", "`pip install optimum-quanto`"),
    ({"quant_method": "torchao", "quant_type": "int8_weight_only"}, "torchao", "pip install torchao"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    made = tmp_path_factory.mktemp("quantised") / "model"
    config = BertConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    with quiet_libraries():
        BertModel(config).save_pretrained(made)
        vocabulary = vocabularies.WordLevel({"<unk>": 0}, unk_token="<unk>")
        PreTrainedTokenizerFast(tokenizer_object=Tokenizer(vocabulary)).save_pretrained(made)
    return made


def found(folder: Path, quantisation: dict[str, Any]) -> ResolvedModel:
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "quantization_config": quantisation}))
    return resolve(ModelSpec(slug="m", title="M", source="./model"), folder.parent)


def refusal(error: ModelError) -> Problem:
    (problem,) = error.problems
    return problem


@pytest.mark.parametrize(("quantisation", "method", "said"), METHODS)
def test_what_reads_quantised_weights_is_named(
    folder: Path, quantisation: dict[str, Any], method: str, said: str
) -> None:
    from importlib.util import find_spec

    packages = {"gptq": "optimum", "awq": "gptqmodel", "quanto": "optimum"}
    if find_spec(packages.get(method, method)) is not None:
        pytest.skip(f"what reads {method} is installed")
    with pytest.raises(ModelError) as caught:
        load(found(folder, quantisation))
    problem = refusal(caught.value)
    assert "quantised" in problem.reason or method not in ("gptq", "awq")
    assert said in problem.mend, problem


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (
            ImportError(
                "Using `bitsandbytes` 4-bit requires bitsandbytes: `pip install -U bitsandbytes>=0.46.1`"
            ),
            "`pip install -U 'bitsandbytes>=0.46.1'`",
        ),
        (
            RuntimeError("GPU is required to quantize or run quantize model."),
            "`pip install gptqmodel optimum`",
        ),
        (ImportError("Loading a GPTQ quantized model requires optimum (`pip install optimum`)"), "optimum`"),
        (ModuleNotFoundError("No module named 'a_b.c'", name="a_b.c"), "`pip install gptqmodel optimum`"),
        (ImportError("The gptqmodel version should be >= 1"), "`pip install gptqmodel optimum`"),
        (MemoryError(), "`dtype: bfloat16`"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "`dtype: bfloat16`"),
    ],
)
def test_what_loading_lacks_is_told(folder: Path, error: Exception, mend: str) -> None:
    model = found(folder, {"quant_method": "gptq"})
    problem = refusal(cannot_load(model, error))
    assert mend in problem.mend
    assert 'the model "./model" cannot be loaded' in problem.reason


def test_a_package_that_a_tokenizer_or_code_needs_is_named(folder: Path) -> None:
    model = found(folder, {})
    for error, mend in (
        (
            ModuleNotFoundError("No module named 'flash_attn.x'", name="flash_attn.x"),
            "`pip install flash-attn`",
        ),
        (ImportError("requires: einops. Run `pip install einops`"), "`pip install einops`"),
        (ImportError("You need to install sacremoses to use XLMTokenizer."), "install what it names"),
    ):
        assert mend in refusal(cannot_load(model, error)).mend
