"""What every capture strategy has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch

# Takes the probabilities of one layer, [batch, head, query, key], and the place in the model they come from.
# A place always gives the same kind of attention; what it is called is the strategy's own affair.
Receiver = Callable[[str, torch.Tensor], None]


class Strategy(Protocol):
    """One way to get the attention probabilities out of a model that was loaded with eager attention.

    `run` runs the model once on `inputs`, hands each layer to `receive` in the order of the layers, leaves
    the model as it was, and returns the final states, [batch, token, feature]. What `receive` raises goes
    through. It is for the caller to count the layers: a strategy that sees nothing does not say so.
    """

    @property
    def name(self) -> str:
        """What the provenance of a capture calls it."""

    def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        """Run `model` on `inputs` and hand on every layer's attention."""
