"""Forward hooks on the modules that return their attention probabilities.

Some architectures compute attention inside their own modules, where the attention interface does not see it,
but these modules return the probabilities along with what they compute.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch

from attention_gallery.capturing.strategies.base import Receiver, Strategy
from attention_gallery.models.inspecting.trial import final_states

_FLAG = "output_attentions"
# Far wider than the check that every layer must pass: this only tells probabilities from other tensors.
_LOOKS_LIKE_SHARES = 0.05


class HooksStrategy(Strategy):
    """Takes the probabilities out of what modules return, so that nothing above them can keep them.

    Modules with a switch for it are asked to return them, innermost first: the modules around them are not,
    and so have nowhere to collect them.
    """

    name = "hooks"

    def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        """Run `model` on `inputs` and hand on every layer's attention as its module returns."""
        with ExitStack() as stack:
            for name, module in model.named_modules():
                if name == "":
                    continue
                if _has_switch(module) and not any(_has_switch(inner) for inner in _inside(module)):
                    hook = module.register_forward_pre_hook(_ask, with_kwargs=True)
                    stack.callback(hook.remove)
                hook = module.register_forward_hook(_taker(name, receive))
                stack.callback(hook.remove)
            return final_states(model(**inputs))


def _inside(module: torch.nn.Module) -> list[torch.nn.Module]:
    return [inner for inner in module.modules() if inner is not module]


def _has_switch(module: torch.nn.Module) -> bool:
    return _FLAG in inspect.signature(type(module).forward).parameters


def _ask(
    module: torch.nn.Module, args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    index = list(inspect.signature(type(module).forward).parameters).index(_FLAG) - 1  # without `self`
    if index < len(args):
        return (*args[:index], True, *args[index + 1 :]), named
    return args, {**named, _FLAG: True}


def _taker(name: str, receive: Receiver) -> Any:
    def take(module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        if not isinstance(output, tuple | list):
            return None
        indices = [index for index, value in enumerate(output) if index and _is_attention(value)]
        if len(indices) != 1:
            return None
        receive(name, output[indices[0]])
        # The module around it unpacks as many values, but must not keep the probabilities.
        return type(output)(None if index == indices[0] else value for index, value in enumerate(output))

    return take


def _is_attention(value: Any) -> bool:
    """Whether a tensor is [batch, head, query, key] with rows that sum to about 1."""
    if not isinstance(value, torch.Tensor) or value.dim() != 4 or not value.is_floating_point():
        return False
    sums = value[:1, :1].float().sum(dim=-1)
    return bool(((sums - 1).abs() < _LOOKS_LIKE_SHARES).all())
