"""What a loaded model is: read from its configuration, or found by trying where that is not reliable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch

from attention_gallery.models.inspecting.layers import first_number, of_model, of_part
from attention_gallery.models.inspecting.quantised import Weights
from attention_gallery.models.inspecting.suited import CHOOSE, mend, no_attention, reads_more
from attention_gallery.models.inspecting.trial import failed, final_states, trial_ids
from attention_gallery.models.loading.foreign import MODEL_FAULTS
from attention_gallery.models.loading.memory import raise_trouble
from attention_gallery.models.sources.resolved import ResolvedModel
from attention_gallery.records import ATTENTION_KINDS, AttentionKind, ModelFacts

_VOCABULARIES = {
    "encoder": ("src_vocab_size", "vocab_size"),
    "decoder": ("decoder_vocab_size", "tgt_vocab_size", "vocab_size"),
}
_WIDTHS = ("hidden_size", "d_model")
# Tokenizers without a limit say so with a huge number.
_NO_LIMIT = 10**9


def read_facts(
    model: Any, tokenizer: Any, resolved: ResolvedModel, weights: Weights
) -> Mapping[str, ModelFacts]:
    """The facts of a loaded model for each kind of attention that it has.

    Raises `ModelError` when its configuration does not name them, when none of its layers attends, or when
    the model cannot read a few tokens.
    """
    kinds: tuple[AttentionKind | Literal["self"], ...] = ("self",)
    if getattr(model.config, "is_encoder_decoder", False):
        kinds = ATTENTION_KINDS
    try:
        parts: dict[str, ModelFacts] = {
            kind: _facts(model, tokenizer, resolved, weights, kind) for kind in kinds
        }
    except (AttributeError, TypeError, ValueError) as error:
        reason = f'the configuration of "{resolved.source}" does not tell its layers and heads ({error})'
        if known := reads_more(model) or no_attention(model):
            reason += f": {known}"
        raise resolved.error(reason, mend(model, resolved)) from error
    if any(facts.layers < 1 for facts in parts.values()):
        reason = f'"{resolved.source}" ({model.config.model_type}) has no attention: no layer attends'
        raise resolved.error(reason, CHOOSE)
    return parts


def _facts(
    model: Any,
    tokenizer: Any,
    resolved: ResolvedModel,
    weights: Weights,
    kind: AttentionKind | Literal["self"],
) -> ModelFacts:
    if kind == "self":
        config = model.config.get_text_config()
        vocabulary = int(config.vocab_size)
        causal = _tried_causal(model, vocabulary, resolved, weights.tolerance)
        layers = of_model(config, causal)
    else:
        # The parts of some models have configurations of their own.
        stack = "encoder" if kind == "encoder" else "decoder"
        own = getattr(model.config, stack, None)
        config = own if hasattr(own, "vocab_size") else model.config
        vocabulary = first_number(config, *_VOCABULARIES[stack])
        layers = of_part(model.config, kind)
        causal = kind == "decoder" and _tried_causal(model, vocabulary, resolved, weights.tolerance)
    return ModelFacts(
        architecture=type(model).__name__,
        model_type=str(model.config.model_type),
        layers=layers.count,
        heads=layers.heads,
        key_value_heads=layers.key_value_heads,
        causal=causal,
        context=context_length(model, config, tokenizer),
        hidden_size=int(config.hidden_size) if kind == "self" else first_number(config, *_WIDTHS),
        vocabulary=vocabulary,
        parameters=weights.parameters,
        weights_format=resolved.weights_format,
        cross=kind == "cross",
        windows=layers.windows,
        skipped=layers.skipped,
        quantised=weights.quantised,
    )


def _tried_causal(model: Any, vocabulary: int, resolved: ResolvedModel, tolerance: float) -> bool:
    try:
        return is_causal(model, vocabulary, tolerance)
    except MODEL_FAULTS as error:
        raise_trouble(error)
        raise failed(resolved, error, model) from error


def is_causal(model: Any, vocabulary: int, tolerance: float) -> bool:
    """Whether a token cannot see those after it; of an encoder-decoder it is the decoder that is tried.

    Configurations are no reliable witness (`is_decoder` is false for GPT-2 and Llama). What a model was built
    to mask has no weight at all, in whatever number format, and what is not masked has some, however small
    the difference that it makes. That decides; where a model tells no weights, and to verify it, the last of
    four tokens is changed, and what comes before may move by no more than `tolerance` of the largest state.
    """
    fixed: dict[str, Any] = {}
    first = torch.tensor([trial_ids(model, vocabulary, 4)], device=model.device)
    second = first.clone()
    second[0, -1] = trial_ids(model, vocabulary, 5)[-1]
    name = "input_ids"
    if getattr(model.config, "is_encoder_decoder", False):
        # With a cache some decoders think that they are given one token at a time, and mask nothing.
        name, fixed = "decoder_input_ids", {"input_ids": first, "use_cache": False}
    if _attends_ahead(model, {**fixed, name: first}):
        return False
    with torch.inference_mode():
        before = final_states(model(**fixed, **{name: first}))[0, :-1].float()
        after = final_states(model(**fixed, **{name: second}))[0, :-1].float()
    return bool((before - after).abs().max() <= tolerance * before.abs().max())


def _attends_ahead(model: Any, inputs: Mapping[str, Any]) -> bool:
    """Whether any weight that a model tells of itself lies on a token after the one that looks."""
    try:
        with torch.inference_mode():
            output = model(**inputs, output_attentions=True)
    except MODEL_FAULTS:  # not every model takes the question
        return False
    name = "decoder_attentions" if "decoder_input_ids" in inputs else "attentions"
    layers = [layer for layer in getattr(output, name, None) or () if isinstance(layer, torch.Tensor)]
    square = [layer for layer in layers if layer.shape[-2:] == (4, 4)]
    return any(bool(layer.triu(1).any()) for layer in square)


def context_length(model: Any, config: Any, tokenizer: Any) -> int | None:
    """How many tokens the model can read, or None when nothing limits it."""
    limit = getattr(config, "max_position_embeddings", None)
    if isinstance(limit, int) and limit > 0:
        # RoBERTa and its kin count positions from padding_idx + 1, so that the first ones are never used.
        modules = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
        paddings = (getattr(module, "padding_idx", None) for module in modules)
        return limit - next((padding + 1 for padding in paddings if isinstance(padding, int)), 0)
    longest = getattr(tokenizer, "model_max_length", None)
    return int(longest) if isinstance(longest, int) and 0 < longest < _NO_LIMIT else None
