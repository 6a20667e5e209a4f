"""The attention function that models call while they are captured.

transformers lets a model be run with any function registered with its attention interface. Ours calls the
model's own eager function, so that scaling, masks, soft caps and grouped keys are the model's own, and hands
the probabilities of each layer on before the next layer runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

IMPLEMENTATION = "attention_gallery_capture"

# Takes the probabilities of one layer, [batch, head, query, key].
Receiver = Callable[[torch.Tensor], None]

# Each thread and each capture sees its own receiver, so that two captures never mix.
_receiver: ContextVar[Receiver | None] = ContextVar("attention_gallery_receiver", default=None)


class NoEagerAttentionError(Exception):
    """The model's attention has no eager function of the common form."""


@contextmanager
def capturing(model: Any, receiver: Receiver) -> Iterator[None]:
    """Run `model` with every layer's probabilities handed to `receiver`; put it back afterwards."""
    AttentionInterface.register(IMPLEMENTATION, _attend)
    AttentionMaskInterface.register(IMPLEMENTATION, eager_mask)
    configs = _configs(model)
    before = [config._attn_implementation for config in configs]
    token = _receiver.set(receiver)
    try:
        for config in configs:
            config._attn_implementation = IMPLEMENTATION
        yield
    finally:
        _receiver.reset(token)
        for config, implementation in zip(configs, before, strict=True):
            config._attn_implementation = implementation


def _configs(model: Any) -> list[Any]:
    """The configurations that the model's parts look at, each once."""
    found = {id(part.config): part.config for part in model.modules() if hasattr(part, "config")}
    return [config for config in found.values() if hasattr(config, "_attn_implementation")]


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """The model's own eager attention, in float32, with its probabilities handed on instead of returned."""
    eager = _eager_function(module)
    output, weights = eager(
        module,
        query.float(),
        key.float(),
        value.float(),
        None if attention_mask is None else attention_mask.float(),
        **options,
    )
    receiver = _receiver.get()
    if receiver is not None:
        receiver(weights)
    return output.to(query.dtype), None


def _eager_function(module: torch.nn.Module) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """The eager function that `module` would use, from the file in which its forward is written."""
    forward = inspect.unwrap(type(module).forward)
    found = forward.__globals__.get("eager_attention_forward")
    if found is None:
        raise NoEagerAttentionError(type(module).__name__)
    return found  # type: ignore[no-any-return]
