"""The best way: an attention function of our own, which models call while they are captured.

transformers lets a model be run with any function registered with its attention interface. Ours calls the
model's own eager function, so that scaling, masks, soft caps and grouped keys are the model's own, and hands
the probabilities of each layer on before the next layer runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from attention_gallery.capturing.strategies.base import Receiver
from attention_gallery.models.trial import final_states

IMPLEMENTATION = "attention_gallery_capture"

# Each thread and each capture sees its own receiver, so that two captures never mix.
_receiver: ContextVar[Callable[[torch.nn.Module, torch.Tensor], None] | None] = ContextVar(
    "attention_gallery_receiver", default=None
)


class NoEagerAttentionError(Exception):
    """The model's attention has no eager function of the common form."""


class InterfaceStrategy:
    """Runs a model with our own attention function, which holds the probabilities of one layer at a time."""

    name = "interface"

    def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        """Run `model` on `inputs` and hand on every layer's attention as it is computed.

        Raises `NoEagerAttentionError` for a model that uses the interface in a way of its own.
        """
        places = {module: name for name, module in model.named_modules()}
        with _capturing(model, lambda module, weights: receive(places[module], weights)):
            return final_states(model(**inputs))


@contextmanager
def _capturing(model: Any, receiver: Callable[[torch.nn.Module, torch.Tensor], None]) -> Iterator[None]:
    """Let every layer's probabilities be handed to `receiver`; put the model back afterwards."""
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
        receiver(module, weights)
    return output.to(query.dtype), None


def _eager_function(module: torch.nn.Module) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """The eager function that `module` would use, from the file in which its forward is written."""
    forward = inspect.unwrap(type(module).forward)
    found = forward.__globals__.get("eager_attention_forward")
    if found is None:
        raise NoEagerAttentionError(f"{type(module).__name__} computes its attention in a way of its own")
    return found  # type: ignore[no-any-return]
