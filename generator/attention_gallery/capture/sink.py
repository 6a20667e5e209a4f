"""Check each layer's attention as it comes, and pass it on as an exact value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from attention_gallery.records import AttentionLayer, ModelFacts

# Probabilities are taken in float32, whose rows sum to 1 within a few units of 6e-8.
ROW_SUM_TOLERANCE = 1e-5


class InexactAttentionError(Exception):
    """What the model gave is not the attention that was expected; the message says why."""


class LayerSink:
    """Receives the probabilities of one sentence, layer by layer, and holds none of them.

    `row_sum_error` is the largest |row sum - 1| so far, `count` the number of layers.
    """

    def __init__(self, facts: ModelFacts, tokens: int, emit: Callable[[AttentionLayer], None]) -> None:
        """Expect the layers of a model with `facts` for a sentence of `tokens`; `emit` takes each one."""
        self._facts = facts
        self._tokens = tokens
        self._emit = emit
        self.count = 0
        self.row_sum_error = 0.0

    def __call__(self, weights: torch.Tensor) -> None:
        """Check and pass on the next layer, [1, head, query, key]. Raises `InexactAttentionError`."""
        index = self.count
        self.count += 1
        if index >= self._facts.layers:
            return  # the count is reported as a whole when the model is done
        expected = (1, self._facts.heads, self._tokens, self._tokens)
        if tuple(weights.shape) != expected:
            raise InexactAttentionError(
                f"the attention of layer {index} has the shape {tuple(weights.shape)} instead of {expected}"
            )
        matrix = weights[0].to("cpu", torch.float32).contiguous().numpy()
        self._check(index, matrix)
        self._emit(AttentionLayer(index, "decoder" if self._facts.causal else "encoder", matrix))

    def finish(self) -> None:
        """Compare the number of layers with the expected one. Raises `InexactAttentionError`."""
        if self.count != self._facts.layers:
            raise InexactAttentionError(
                f"{self.count} layers gave their attention, but the model has {self._facts.layers}"
            )

    def _check(self, index: int, matrix: np.ndarray) -> None:
        error = float(np.abs(matrix.sum(axis=-1, dtype=np.float64) - 1.0).max(initial=0.0))
        if not error <= ROW_SUM_TOLERANCE:  # also true for NaN
            raise InexactAttentionError(f"the attention of layer {index} has rows that miss 1 by {error:.2g}")
        if matrix.min(initial=0.0) < 0:
            raise InexactAttentionError(f"the attention of layer {index} has negative weights")
        if self._facts.causal:
            later = np.triu(np.ones(matrix.shape[-2:], dtype=bool), k=1)
            if np.any(matrix, axis=0)[later].any():
                raise InexactAttentionError(
                    f"layer {index} attends to later tokens, although the model is causal"
                )
        self.row_sum_error = max(self.row_sum_error, error)
