"""What it takes to try a model out: a few tokens that mean nothing, and what it makes of them."""

from __future__ import annotations

from typing import Any

import torch

from attention_gallery.errors import ModelError
from attention_gallery.models.inspecting.suited import CHOOSE, mend, no_attention, reads_more
from attention_gallery.models.loading.foreign import fault_in_words
from attention_gallery.models.sources.resolved import ProblemMaker, ResolvedModel

_ALONE = "try it with transformers alone; if it works there, please report this"
_SPECIAL = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id", "mask_token_id")


def trial_ids(model: Any, vocabulary: int, count: int) -> list[int]:
    """The first `count` different token numbers that have no special meaning for the model."""
    special: set[Any] = set()
    for name in _SPECIAL:
        value = getattr(model.config, name, None)
        special.update(value if isinstance(value, list | tuple) else [value])
    ids = [number for number in range(min(vocabulary, count + 16)) if number not in special]
    return [ids[index % len(ids)] for index in range(count)]


def final_states(output: Any) -> torch.Tensor:
    """What a model makes of its tokens: [batch, token, feature], the last hidden states or the logits."""
    for name in ("last_hidden_state", "logits"):
        if isinstance(getattr(output, name, None), torch.Tensor):
            return getattr(output, name)  # type: ignore[no-any-return]
    return output[0]  # type: ignore[no-any-return]


def unread(model: str, problem: ProblemMaker, error: BaseException) -> ModelError:
    """A tokenizer, or a model that was to write a text, failed; `model` is its name for people."""
    return ModelError(problem(f'the model "{model}" cannot read this: {fault_in_words(error)}', _ALONE))


def failed(resolved: ResolvedModel, error: BaseException, model: Any = None) -> ModelError:
    """A model's files are untrusted, and what its code does with them can fail in any way.

    A loaded `model` is asked whether it could read texts at all.
    """
    reason = f'the model "{resolved.source}" failed while it read a text ({fault_in_words(error)})'
    known = reads_more(model) or no_attention(model) if model is not None else ""
    how = mend(model, resolved) if model is not None else CHOOSE
    if known:
        return resolved.error(f"{reason}: {known}", how)
    return resolved.error(reason, _ALONE if how == CHOOSE else how)
