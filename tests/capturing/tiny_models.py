"""Tiny random models of many families, saved like real ones, with a tokenizer trained on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_families import FAMILIES, TYPES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    PreTrainedTokenizerFast,
)

from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.sources.resolved import ResolvedModel

_LEARNT = [
    "The trophy does not fit in the brown suitcase because it is too big.",
    "def f(x): return x",
    "🙂 中文",
]


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


def save_tiny(folder: Path, name: str, head: bool = False, **changes: Any) -> Path:
    """A random model of the family `name` in `folder`, the same on every run.

    Encoder-decoders always have a language-modelling head, others where `head` asks for it.
    """
    torch.manual_seed(5)
    with quiet_libraries():
        config = AutoConfig.for_model(TYPES.get(name, name), **{**FAMILIES[name], **changes})
        auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model = (auto if head or config.is_encoder_decoder else AutoModel).from_config(config)
        # Larger weights than usual, so that attention is far from uniform and differences show.
        # T5 and kin do not scale their scores, so that a little is enough there.
        factor = 2 if "d_kv" in FAMILIES[name] else 6
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.data.mul_(factor)
        model.save_pretrained(folder)
        make_tokenizer().save_pretrained(folder)
    return folder


def resolved_tiny(folder: Path) -> ResolvedModel:
    """The saved model as the resolver finds it."""
    from attention_gallery.manifest.settings import ModelSpec
    from attention_gallery.models import resolve

    return resolve(ModelSpec(slug="tiny", title="Tiny", source=f"./{folder.name}"), folder.parent)
