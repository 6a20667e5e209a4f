"""The best way: an attention function of our own, which models call while they are captured.

transformers lets a model be run with any function registered with its attention interface. Ours calls the
model's own eager function, so that scaling, masks, soft caps and grouped keys are the model's own, and hands
the probabilities on before the next layer runs. Heads do not depend on each other, so that a large layer is
computed a few heads at a time: they stay in the processor's cache, and take little memory.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface

from attention_gallery.capturing.strategies.base import Receiver, Strategy, ValueReceiver
from attention_gallery.models.inspecting.trial import final_states
from attention_gallery.models.loading.quiet import changed

IMPLEMENTATION = "attention_gallery_capture"
# Where a configuration keeps the name of its attention function. One that keeps none there calls not ours, so
# that its model is captured in another way.
_CHOICE = "_attn_implementation"

# So many weights (512 KiB) are computed together for each thread of a processor, whose cache holds them.
AT_ONCE = 1 << 17


@dataclass(frozen=True, slots=True)
class _Listener:
    """Who takes heads and values of the modules with these names, and how many weights may come together."""

    names: Mapping[torch.nn.Module, str]
    take: Receiver
    at_once: int | None
    values: ValueReceiver | None


# Each thread and each capture sees its own listener, so that two captures never mix.
_listener: ContextVar[_Listener | None] = ContextVar("attention_gallery_listener", default=None)


class NoEagerAttentionError(Exception):
    """The model's attention has no eager function of the common form."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The name of every module of a model, and the configurations that they look at, each once."""

    names: Mapping[torch.nn.Module, str]
    configs: Sequence[Any]

    @classmethod
    def of(cls, model: torch.nn.Module) -> _Parts:
        names = {module: name for name, module in model.named_modules()}
        # Looking for a missing attribute takes long, of a module and of its configuration.
        held = {id(config): config for module in names if (config := vars(module).get("config")) is not None}
        return cls(names, [one for one in held.values() if hasattr(one, _CHOICE)])


class InterfaceStrategy(Strategy):
    """Runs a model with our own attention function, which holds the probabilities of at most one layer."""

    name = "interface"

    def __init__(
        self, at_once: int | None = None, parts: _Parts | None = None, values: ValueReceiver | None = None
    ) -> None:
        """Compute about `at_once` weights together for each thread of the processor, or a whole layer.

        `parts` are those of the model that is run, where they are known, `values` takes the values.
        """
        self._at_once = at_once
        self._parts = parts
        self._values = values

    def on_trial(self) -> Strategy:
        """The same with as few heads at a time as can be."""
        return self if self._at_once is None else InterfaceStrategy(0, self._parts, self._values)

    def taking_values(self, take: ValueReceiver) -> Strategy:
        """The same, handing on the values that the attention function is given."""
        return InterfaceStrategy(self._at_once, self._parts, take)

    def bound(self, model: Any) -> Strategy:
        """The same for many runs of `model`."""
        return InterfaceStrategy(self._at_once, _Parts.of(model), self._values)

    def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        """Run `model` on `inputs` and hand on every layer's attention as it is computed.

        Raises `NoEagerAttentionError` for a model that uses the interface in a way of its own.
        """
        parts = self._parts or _Parts.of(model)
        at_once = None if self._at_once is None else self._at_once * torch.get_num_threads()
        with _capturing(parts.configs, _Listener(parts.names, receive, at_once, self._values)):
            return final_states(model(**inputs))


@contextmanager
def _capturing(configs: Sequence[Any], listener: _Listener) -> Iterator[None]:
    """Let `listener` take the probabilities of every layer of a model with `configs`; put these back."""
    try:
        AttentionInterface.register(IMPLEMENTATION, _attend)
        masks: Any = AttentionMaskInterface
        masks.register(IMPLEMENTATION, masks()["eager"])
    except (AttributeError, KeyError, TypeError) as error:
        raise NoEagerAttentionError("transformers keeps its attention functions in another way") from error
    with ExitStack() as stack:
        for config in configs:
            stack.enter_context(changed(config, _CHOICE, IMPLEMENTATION))
        stack.callback(_listener.reset, _listener.set(listener))
        yield


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """The model's own eager attention, in float32, with its probabilities handed on instead of returned.

    `query` is [batch, head, query, feature], `key` and `value` [batch, key-value head, key, feature], the
    result [batch, query, head, feature].
    """
    eager, listener = _eager_function(module), _listener.get()
    mask = None if attention_mask is None else attention_mask.float()
    # Other devices are quickest with as much as possible at a time.
    at_once = listener.at_once if listener is not None and query.device.type == "cpu" else None
    if listener is not None and listener.values is not None:
        listener.values(listener.names[module], value)
    every = query.shape[1]
    outputs = []
    for heads, shared in _groups(query, key, at_once):
        output, weights = eager(
            module,
            _of_heads(query, heads, every).float(),
            _of_heads(key, shared, key.shape[1]).float(),
            _of_heads(value, shared, key.shape[1]).float(),
            _of_heads(mask, heads, every),
            **{name: _of_heads(option, heads, every) for name, option in options.items()},
        )
        if listener is not None:
            listener.take(listener.names[module], weights, heads.start)
        del weights
        outputs.append(output)
    whole = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return whole.to(query.dtype), None


def _of_heads(value: Any, heads: slice, every: int) -> Any:
    """The part of a tensor, [batch, head, …], that belongs to `heads`, where it is given for `every` head."""
    if heads.stop - heads.start == every:
        return value
    is_of_heads = isinstance(value, torch.Tensor) and value.dim() == 4 and value.shape[1] == every
    return value[:, heads] if is_of_heads else value


def _groups(query: torch.Tensor, key: torch.Tensor, at_once: int | None) -> Iterator[tuple[slice, slice]]:
    """Heads that are computed together, and the key-value heads that they share."""
    heads, shared = query.shape[1], key.shape[1]
    per = heads // shared
    step = shared
    if at_once is not None and per * shared == heads:
        step = max(1, at_once // max(1, per * query.shape[0] * query.shape[2] * key.shape[2]))
    for first in range(0, shared, step):
        last = min(first + step, shared)
        yield slice(first * per, last * per), slice(first, last)


def _eager_function(module: torch.nn.Module) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """The eager function that `module` would use, from the file in which its forward is written."""
    forward = inspect.unwrap(type(module).forward)
    eager_function = forward.__globals__.get("eager_attention_forward")
    if eager_function is None:
        raise NoEagerAttentionError(f"{type(module).__name__} computes its attention in a way of its own")
    return eager_function  # type: ignore[no-any-return]
