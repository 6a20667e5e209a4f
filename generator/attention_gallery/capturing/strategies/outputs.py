"""The last resort: the attention that a model returns by itself, all layers of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from attention_gallery.capturing.strategies.base import Receiver, Strategy
from attention_gallery.models.inspecting.trial import final_states

_FIELDS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")


class OutputsStrategy(Strategy):
    """Asks the model for `output_attentions`. All layers of a batch are in memory at once."""

    name = "outputs"

    def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        """Run `model` on `inputs`, then hand on every layer's attention."""
        output = model(**inputs, output_attentions=True)
        layers = {field: list(output.get(field) or ()) for field in _FIELDS}
        states = final_states(output)
        del output
        for field, weights_of_layers in layers.items():
            while weights_of_layers:
                weights = weights_of_layers.pop(0)
                if weights is not None:
                    receive(field, weights)
        return states
