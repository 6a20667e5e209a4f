"""What a loaded model is: read from its configuration, or found by trying where that is not reliable."""

from __future__ import annotations

from typing import Any

import torch

from attention_gallery.errors import ModelError
from attention_gallery.models.resolved import ResolvedModel
from attention_gallery.records import ModelFacts

# Tokenizers without a limit say so with a huge number.
_NO_LIMIT = 10**9


def read_facts(model: Any, tokenizer: Any, resolved: ResolvedModel) -> ModelFacts:
    """The facts of a loaded model. Raises `ModelError` when its configuration does not name them."""
    config = model.config.get_text_config()
    try:
        layers, heads = int(config.num_hidden_layers), int(config.num_attention_heads)
        hidden, vocabulary = int(config.hidden_size), int(config.vocab_size)
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            resolved.problem(
                f'the configuration of "{resolved.source}" does not tell its layers and heads ({error})',
                "only text transformers can be captured",
            )
        ) from error
    return ModelFacts(
        architecture=type(model).__name__,
        model_type=str(model.config.model_type),
        layers=layers,
        heads=heads,
        key_value_heads=int(getattr(config, "num_key_value_heads", None) or heads),
        causal=is_causal(model, vocabulary),
        context=context_length(model, config, tokenizer),
        hidden_size=hidden,
        vocabulary=vocabulary,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weights_format=resolved.weights_format,
    )


def is_causal(model: Any, vocabulary: int) -> bool:
    """Whether a token cannot see those after it, found by changing the last token of four.

    Configurations are no reliable witness (`is_decoder` is false for GPT-2 and Llama).
    """
    first = torch.tensor([[1, 2, 3, 4]], device=model.device) % vocabulary
    second = first.clone()
    second[0, -1] = 5 % vocabulary
    with torch.inference_mode():
        before = model(input_ids=first).last_hidden_state[0, :-1].float()
        after = model(input_ids=second).last_hidden_state[0, :-1].float()
    return bool((before - after).abs().max() <= 1e-6 * before.abs().max())


def context_length(model: Any, config: Any, tokenizer: Any) -> int | None:
    """How many tokens the model can read, or None when nothing limits it."""
    limit = getattr(config, "max_position_embeddings", None)
    if isinstance(limit, int) and limit > 0:
        return limit - _reserved_positions(model)
    longest = getattr(tokenizer, "model_max_length", None)
    return int(longest) if isinstance(longest, int) and 0 < longest < _NO_LIMIT else None


def _reserved_positions(model: Any) -> int:
    # RoBERTa and its kin count positions from padding_idx + 1, so that the first ones are never used.
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None)
        if name.endswith("position_embeddings") and isinstance(padding, int):
            return padding + 1
    return 0
