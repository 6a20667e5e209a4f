"""How long a vector is that a head takes from a token: its value put through the output projection.

Source: Kobayashi et al. 2020, Attention is Not Only a Weight. With f(x) the value of token x in one head
times that head's slice of the output projection, a head adds Σ α f(x) to the residual stream, and since
weights are not negative ‖α f(x)‖ = α ‖f(x)‖: one number for each head and token, beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from attention_gallery.capturing.passes.checks import SAME
from attention_gallery.capturing.strategies import Strategy
from attention_gallery.models.inspecting.quantised import is_plain, matrix_of, takes_features
from attention_gallery.models.loading.quiet import quiet_libraries

# The same for what a quantised projection gives: some round what they are given, too, to one byte.
_QUANTISED = 0.05


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
    together, weights times values, side by side. Its matrix is found by what it does, too, and held to what
    it gave. A place without one is left out. Raises whatever the model's code raises.
    """
    trial = _Trial(SAME.get(dtype, 0.05))
    listening = strategy.taking_values(trial.values)
    if listening is strategy:  # it never sees values
        return {}
    linear = [module for module in model.modules() if takes_features(module)]
    hooks = [
        *(module.register_forward_pre_hook(trial.linear) for module in linear),
        *(module.register_forward_hook(trial.gave) for module in linear),
    ]
    with quiet_libraries(), torch.inference_mode():
        try:
            listening.run(model, inputs, trial.weights)
        finally:
            for hook in hooks:
                hook.remove()
        factors = {name: _factor(projection, trial.tolerance) for name, projection in trial.found.items()}
    return {name: factor for name, factor in factors.items() if factor is not None}


class _Projection(NamedTuple):
    """A linear layer with what it was given and what it gave on trial, [batch, query, feature] each."""

    module: torch.nn.Module
    heads: int
    features: torch.Tensor
    output: torch.Tensor


class _Trial:
    """Watches a pass: what each place put together, and which linear layer is given just that."""

    def __init__(self, tolerance: float) -> None:
        self.found: dict[str, _Projection] = {}
        self.tolerance = tolerance
        self._values: dict[str, torch.Tensor] = {}
        self._waiting: dict[str, tuple[torch.Tensor, int]] = {}
        self._giving: dict[torch.nn.Module, tuple[str, int]] = {}

    def values(self, name: str, value: torch.Tensor) -> None:
        self._values[name] = value

    def weights(self, name: str, weights: torch.Tensor, first: int = 0) -> None:
        value = self._values.pop(name)
        heads = weights.shape[1]
        every = value.float().repeat_interleave(heads // value.shape[1], dim=1)
        mixed = (weights.float() @ every).transpose(1, 2).flatten(2)  # [batch, query, head · feature]
        self._waiting[name] = (mixed, heads)

    def linear(self, module: torch.nn.Module, arguments: tuple[Any, ...]) -> None:
        for name, (mixed, heads) in list(self._waiting.items()):
            if arguments and isinstance(arguments[0], torch.Tensor) and self._same(arguments[0], mixed):
                self._giving[module] = name, heads
                del self._waiting[name]

    def gave(self, module: torch.nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        name, heads = self._giving.pop(module, ("", 0))
        if heads and isinstance(output, torch.Tensor):
            self.found[name] = _Projection(module, heads, arguments[0], output)

    def _same(self, features: torch.Tensor, mixed: torch.Tensor) -> bool:
        if features.numel() != mixed.numel() or features.shape[-1] != mixed.shape[-1]:
            return False
        difference = (features.float().reshape(mixed.shape) - mixed).abs().max()
        return bool(difference <= self.tolerance * mixed.abs().max().clamp(min=1e-12))


def _factor(projection: _Projection, tolerance: float) -> torch.Tensor | None:
    """R of every head, or None where the layer does not do what its matrix says."""
    matrix = matrix_of(projection.module, projection.features)  # [out, head · feature]
    if matrix is None or not _explains(matrix, projection, tolerance):
        return None
    slices = matrix.reshape(len(matrix), projection.heads, -1).transpose(0, 1)
    # Q R = W with orthonormal Q, so that R keeps all lengths, and is much smaller than W.
    slices = slices.cpu() if slices.device.type == "mps" else slices
    factor: torch.Tensor = torch.linalg.qr(slices, mode="r").R
    return factor.to(matrix.device)


def _explains(matrix: torch.Tensor, projection: _Projection, tolerance: float) -> bool:
    """Whether what the layer gave on trial is its matrix times what it was given, plus its bias."""
    module, features, output = projection.module, projection.features, projection.output
    if not is_plain(getattr(module, "weight", None)):
        tolerance = max(tolerance, _QUANTISED)
    bias = module(features.new_zeros(1, 1, features.shape[-1])).float()
    moved = output.float().view(*features.shape[:-1], -1) - bias
    # A large bias takes digits from what is added to it.
    rounding = 4 * torch.finfo(output.dtype).eps * output.abs().max()
    allowed = tolerance * moved.abs().max().clamp(min=1e-12) + rounding
    return bool((features.float() @ matrix.T - moved).abs().max() <= allowed)
