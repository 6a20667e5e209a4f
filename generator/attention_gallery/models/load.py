"""Load a model so that its attention can be captured: eager, evaluating, nothing missing, no code unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils.hub import TRANSFORMERS_DYNAMIC_MODULE_NAME

from attention_gallery.errors import ModelError
from attention_gallery.models.facts import read_facts
from attention_gallery.models.quiet import quiet_libraries
from attention_gallery.models.resolved import ResolvedModel
from attention_gallery.records import ModelFacts

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model and its tokenizer, ready to run in inference mode."""

    model: Any
    tokenizer: Any
    facts: ModelFacts
    resolved: ResolvedModel
    dtype: str

    @property
    def remote_code(self) -> bool:
        """Whether code that came with the model was run for its attention or its tokens."""
        classes = (type(self.model), type(self.model.config), type(self.tokenizer))
        return any(one.__module__.startswith(f"{TRANSFORMERS_DYNAMIC_MODULE_NAME}.") for one in classes)


def load(resolved: ResolvedModel, dtype: str = "float32") -> LoadedModel:
    """Load a model without its language-modelling head.

    Raises `ModelError` when the libraries cannot load it, when it needs code of its own, when it is an
    encoder-decoder, or when weights are missing (they would be random numbers).
    """
    try:
        with quiet_libraries():
            model, tokenizer = _load(resolved, dtype)
            facts = read_facts(model, tokenizer, resolved)
    except ModelError:
        raise
    except Exception as error:  # the libraries raise almost anything, and a model's files are untrusted
        raise ModelError(
            resolved.problem(
                f'the model "{resolved.source}" cannot be loaded: {_first_line(error)}',
                "check that its files are complete and that this version of transformers knows it",
            )
        ) from error
    return LoadedModel(model, tokenizer, facts, resolved, dtype)


def _load(resolved: ResolvedModel, dtype: str) -> tuple[Any, Any]:
    where = str(resolved.folder)
    common: dict[str, Any] = {"local_files_only": True, "trust_remote_code": resolved.trusted}
    if resolved.gguf_file is not None:
        common["gguf_file"] = resolved.gguf_file
    elif not resolved.trusted:
        _refuse_own_code(resolved)
    config = AutoConfig.from_pretrained(where, **common)
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(
            resolved.problem(
                f'"{resolved.source}" is an encoder-decoder ({config.model_type})',
                "only encoders (BERT and kin) and decoders (GPT, Llama and kin) can be captured",
            )
        )
    model, report = AutoModel.from_pretrained(
        where,
        config=config,
        dtype=DTYPES[dtype],
        attn_implementation="eager",
        use_safetensors=True,
        output_loading_info=True,
        **common,
    )
    _refuse_random_weights(resolved, report)
    tokenizer = AutoTokenizer.from_pretrained(where, **common)
    return model.eval(), tokenizer


def _refuse_own_code(resolved: ResolvedModel) -> None:
    from transformers import PreTrainedConfig

    assert resolved.config is not None
    raw, _ = PreTrainedConfig.get_config_dict(str(resolved.folder), local_files_only=True)
    kind = raw.get("model_type")
    if raw.get("auto_map") and kind not in CONFIG_MAPPING:
        raise ModelError(
            resolved.problem(
                f'"{resolved.source}" brings its own code ({kind}), which is not run',
                "choose a model that transformers knows by itself, or, if you trust its authors with this "
                "machine, write `trust_remote_code: true` beside its source",
            )
        )


def _refuse_random_weights(resolved: ResolvedModel, report: dict[str, Any]) -> None:
    # A pooler sits above the last layer, so attention does not depend on it; many checkpoints lack one.
    missing = sorted(name for name in report.get("missing_keys", ()) if "pooler" not in name)
    wrong = sorted(str(entry[0]) for entry in report.get("mismatched_keys", ()))
    if missing or wrong:
        what = (
            f"lack {len(missing)} parameters" if missing else f"have {len(wrong)} parameters of another shape"
        )
        raise ModelError(
            resolved.problem(
                f'the weights of "{resolved.source}" {what} of its architecture: {(missing or wrong)[0]}, …',
                "check that config.json belongs to these weights",
            )
        )


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0][:300] if text else "") or type(error).__name__
