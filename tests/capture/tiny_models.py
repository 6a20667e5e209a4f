"""Tiny random models of many families, saved like real ones, with a tokenizer trained on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from attention_gallery.models.quiet import quiet_libraries
from attention_gallery.models.resolved import ResolvedModel

_LEARNT = [
    "The trophy does not fit in the brown suitcase because it is too big.",
    "def f(x): return x",
    "🙂 中文",
]
_COMMON = {
    "vocab_size": 320,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = {**_COMMON, "num_key_value_heads": 2}
_GPT2 = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("bert", _COMMON),
    "roberta": ("roberta", {**_COMMON, "pad_token_id": 1}),
    "electra": ("electra", {**_COMMON, "embedding_size": 16}),
    "albert": ("albert", {**_COMMON, "embedding_size": 16}),
    "distilbert": ("distilbert", {**_COMMON, "dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64}),
    "gpt2": ("gpt2", {"vocab_size": 320, "bos_token_id": 1, "eos_token_id": 2, **_GPT2}),
    "opt": ("opt", {**_COMMON, "ffn_dim": 64, "word_embed_proj_dim": 32}),
    "gpt_neox": ("gpt_neox", _COMMON),
    "llama": ("llama", _GROUPED),
    "mistral": ("mistral", {**_GROUPED, "sliding_window": 4}),
    "qwen2": ("qwen2", _GROUPED),
    "gemma2": ("gemma2", {**_GROUPED, "head_dim": 8, "sliding_window": 4, "attn_logit_softcapping": 5.0}),
}
# These compute attention inside their own modules, where the attention interface cannot see it.
UNSEEN: dict[str, tuple[str, dict[str, Any]]] = {
    "bloom": ("bloom", {"vocab_size": 320, "hidden_size": 32, "n_layer": 3, "n_head": 4}),
    "falcon": (
        "falcon",
        {"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4},
    ),
    "gptj": ("gptj", {"vocab_size": 320, **_GPT2, "rotary_dim": 4}),
}


def make_tokenizer(limit: int = 64) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer that can read anything."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_LEARNT, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=limit, pad_token="<pad>")


def save_tiny(folder: Path, family: str, options: dict[str, Any], dtype: torch.dtype = torch.float32) -> Path:
    """A random model of `family` in `folder`, the same on every run."""
    torch.manual_seed(5)
    with quiet_libraries():
        config = AutoConfig.for_model(family, **options)
        model = AutoModel.from_config(config).to(dtype)
        # Larger weights than usual, so that attention is far from uniform and differences show.
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.data.mul_(6)
        model.save_pretrained(folder)
        make_tokenizer().save_pretrained(folder)
    return folder


def resolved_tiny(folder: Path) -> ResolvedModel:
    """The saved model as the resolver finds it."""
    from attention_gallery.manifest.settings import ModelSpec
    from attention_gallery.models import resolve

    return resolve(ModelSpec(slug="tiny", title="Tiny", source=f"./{folder.name}"), folder.parent)
