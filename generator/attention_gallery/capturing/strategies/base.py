"""What every capture strategy has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch


class Receiver(Protocol):
    """Takes the probabilities of some heads of one layer, and the place in the model that they come from.

    A place always gives the same kind of attention; what it is called is the strategy's own affair.
    """

    def __call__(self, name: str, weights: torch.Tensor, first: int = 0, /) -> None:
        """Take `weights`, [batch, head, query, key], whose heads begin with number `first` of their layer."""


class ValueReceiver(Protocol):
    """Takes the values of one layer, and the place in the model that they come from."""

    def __call__(self, name: str, value: torch.Tensor, /) -> None:
        """Take `value`, [batch, key-value head, key, feature], before the weights of the same place."""


class Strategy(Protocol):
    """One way to get the attention probabilities out of a model that was loaded with eager attention.

    `run` runs the model once on `inputs`, hands each layer to `receive` in the order of the layers, whole or
    a few heads at a time, leaves the model as it was, and returns the final states, [batch, token, feature].
    What `receive` raises goes through. It is for the caller to count the layers: a strategy that sees nothing
    does not say so.
    """

    @property
    def name(self) -> str:
        """What the provenance of a capture calls it."""

    def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        """Run `model` on `inputs` and hand on every layer's attention."""

    def on_trial(self) -> Strategy:
        """What a trial on a few tokens runs: this, made to do all that it may do on many."""
        return self

    def taking_values(self, take: ValueReceiver) -> Strategy:
        """The same, handing on values, too; this one itself where it never sees them."""
        return self

    def bound(self, model: Any) -> Strategy:
        """The same for many runs of `model`, with what has to be looked up in it looked up once."""
        return self
