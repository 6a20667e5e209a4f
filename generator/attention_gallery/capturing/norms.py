"""How long a vector is that a head takes from a token: its value put through the output projection.

Source: Kobayashi et al. 2020, Attention is Not Only a Weight. With f(x) the value of token x in one head
times that head's slice of the output projection, a head adds Σ α f(x) to the residual stream, and since
weights are not negative ‖α f(x)‖ = α ‖f(x)‖: one number for each head and token, beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from attention_gallery.capturing.strategies import Strategy
from attention_gallery.models.foreign import MODEL_FAULTS
from attention_gallery.models.quiet import quiet_libraries

# How far what a projection is given may be from what the heads put together, relative to the largest.
_SAME = {"float32": 1e-4, "bfloat16": 0.05, "float16": 0.01}


def vector_norms(factor: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """‖f(x)‖ of every token in every head: float32[batch, head, key].

    `factor` is float32[head, rank, feature], as `find_factors` gives it, `value` [batch, key-value head, key,
    feature], whose heads are shared by groups of heads.
    """
    heads, rank, feature = factor.shape
    batch, shared, keys, _ = value.shape
    slices = factor.reshape(shared, heads // shared * rank, feature).transpose(1, 2)
    projected = (value.float() @ slices).view(batch, shared, keys, heads // shared, rank)
    lengths: torch.Tensor = torch.linalg.vector_norm(projected, dim=-1)
    return lengths.transpose(2, 3).reshape(batch, heads, keys)


def find_factors(
    model: Any, strategy: Strategy, inputs: Mapping[str, Any], dtype: str
) -> dict[str, torch.Tensor]:
    """For every place that attends a matrix R of each head with ‖R v‖ = ‖f(x)‖: float32[head, rank, feature].

    What projects the heads' outputs goes by many names, and some models gate or normalise before it. So it is
    found by what it does: on a few tokens, it is the linear layer that is given exactly what the heads put
    together, weights times values, side by side. A place without one is left out.
    """
    trial = _Trial(_SAME.get(dtype, 0.05))
    listening = strategy.taking_values(trial.values)
    if listening is strategy:  # it never sees values
        return {}
    linear = [part for part in model.modules() if isinstance(part, torch.nn.Linear | Conv1D)]
    hooks = [part.register_forward_pre_hook(trial.linear) for part in linear]
    try:
        with quiet_libraries(), torch.inference_mode():
            listening.run(model, inputs, trial.weights)
            found = trial.found.items()
            # What accelerate keeps elsewhere has no numbers between two passes.
            return {place: _factor(*one) for place, one in found if not one[0].weight.is_meta}
    except MemoryError:
        raise
    except MODEL_FAULTS:
        return {}
    finally:
        for hook in hooks:
            hook.remove()


class _Trial:
    """Watches a pass: what each place put together, and which linear layer is given just that."""

    def __init__(self, tolerance: float) -> None:
        self.found: dict[str, tuple[torch.nn.Module, int]] = {}
        self._tolerance = tolerance
        self._values: dict[str, torch.Tensor] = {}
        self._waiting: dict[str, tuple[torch.Tensor, int]] = {}

    def values(self, place: str, value: torch.Tensor) -> None:
        self._values[place] = value

    def weights(self, place: str, weights: torch.Tensor, first: int = 0) -> None:
        value = self._values.pop(place)
        heads = weights.shape[1]
        every = value.float().repeat_interleave(heads // value.shape[1], dim=1)
        mixed = (weights.float() @ every).transpose(1, 2).flatten(2)  # [batch, query, head · feature]
        self._waiting[place] = (mixed, heads)

    def linear(self, module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        for place, (mixed, heads) in list(self._waiting.items()):
            if given and isinstance(given[0], torch.Tensor) and self._same(given[0], mixed):
                self.found[place] = (module, heads)
                del self._waiting[place]

    def _same(self, given: torch.Tensor, mixed: torch.Tensor) -> bool:
        if given.numel() != mixed.numel() or given.shape[-1] != mixed.shape[-1]:
            return False
        difference = (given.float().reshape(mixed.shape) - mixed).abs().max()
        return bool(difference <= self._tolerance * mixed.abs().max().clamp(min=1e-12))


def _factor(module: Any, heads: int) -> torch.Tensor:
    weight = module.weight.T if isinstance(module, Conv1D) else module.weight  # [out, head · feature]
    slices = weight.float().reshape(len(weight), heads, -1).transpose(0, 1)
    # Q R = W with orthonormal Q, so that R keeps all lengths, and is much smaller than W.
    slices = slices.cpu() if slices.device.type == "mps" else slices
    factor: torch.Tensor = torch.linalg.qr(slices, mode="r").R
    return factor.to(weight.device)
