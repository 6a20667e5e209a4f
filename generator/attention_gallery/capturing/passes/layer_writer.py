"""Check each layer's attention as it comes, and pass it on as an exact value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import torch

from attention_gallery.capturing.passes import checks
from attention_gallery.records import AttentionLayer, ModelFacts, Precision

# Probabilities are taken in float32, whose rows sum to 1 within a few units of 6e-8.
ROW_SUM_TOLERANCE = 1e-5
# So many weights (256 KiB) of small layers are gathered before they are checked.
TOGETHER = 1 << 16


class InexactAttentionError(Exception):
    """What the model gave is not the attention that was expected; the message says why."""


class LayerSink:
    """Receives the probabilities of one sentence, layer by layer, and holds no more than a few small ones.

    They are checked and rounded where they were computed, then moved: a large layer as it comes, small ones
    together, since a check of a few numbers takes as long as one of many. `row_sum_error` is the largest
    |row sum - 1| so far, `storage_error` the largest difference that rounding made, `count` the number of
    layers that have begun.
    """

    def __init__(
        self,
        facts: ModelFacts,
        size: tuple[int, int],
        emit: Callable[[AttentionLayer], None],
        precision: Precision = "float32",
    ) -> None:
        """Expect the layers of a model with `facts`, of `size` (queries, keys); `emit` takes each one."""
        self._facts = facts
        self._shape = (facts.heads, *size)
        self._emit = emit
        self._halved = precision == "float16"
        self._together = max(1, TOGETHER // max(1, math.prod(self._shape)))
        self._kept = torch.empty(0)
        self._hidden: torch.Tensor | None = None
        self._heads = facts.heads
        self.count = 0
        self.row_sum_error = 0.0
        self.storage_error = 0.0

    def __call__(self, weights: torch.Tensor, first: int = 0) -> None:
        """Take the next heads, [head, query, key], of which `first` is the number; pass on whole layers.

        Raises `InexactAttentionError`.
        """
        if first == 0:
            self._require_whole()
            self.count += 1
            self._heads = 0
        index, last = self.count - 1, first + len(weights)
        if index >= self._facts.layers:
            self._heads = self._facts.heads
            return  # the count is reported as a whole when the model is done
        if first != self._heads or last > self._facts.heads or tuple(weights.shape[1:]) != self._shape[1:]:
            shape = (last, *weights.shape[1:])
            raise InexactAttentionError(
                f"the attention of layer {index} has the shape {shape} instead of {self._shape}"
            )
        self._heads = last
        if self._together > 1:
            self._gather(index, weights, first)
        else:
            self._keep(index, weights.float(), first)

    def _gather(self, index: int, weights: torch.Tensor, first: int) -> None:
        """Put heads of a small layer to those before it, and pass them on when there are enough."""
        slot = index % self._together
        if slot == first == 0:
            count = min(self._together, self._facts.layers - index)
            self._kept = torch.empty((count, *self._shape), device=weights.device)
        exact = self._kept
        exact[slot, first : self._heads] = weights
        if self._heads < self._facts.heads or slot + 1 < len(exact):
            return
        try:
            self._check(index - slot, exact)
        except InexactAttentionError:
            for back in range(slot + 1):  # which of them it is
                self._check(index - slot + back, exact[back : back + 1])
            raise
        if self._halved:
            self._kept = exact.half()
            self.storage_error = max(self.storage_error, checks.rounding_error(exact, self._kept))
        self._pass_on(index - slot, self._kept)

    def _keep(self, index: int, exact: torch.Tensor, first: int) -> None:
        """Check and round heads of a layer, the first of which has the number `first`; pass on the last."""
        if first == 0 and len(exact) == self._facts.heads and not self._halved:
            self._kept = exact
        elif first == 0:
            kind = torch.float16 if self._halved else torch.float32
            self._kept = torch.empty(self._shape, dtype=kind, device=exact.device)
        for heads in checks.in_pieces(exact):
            piece = exact[heads]
            self._check(index, piece[None])
            if self._kept is exact:
                continue
            stored = self._kept[first + heads.start : first + heads.start + len(piece)]
            stored.copy_(piece)
            if self._halved:
                self.storage_error = max(self.storage_error, checks.rounding_error(piece, stored))
        if self._heads == self._facts.heads:
            self._pass_on(index, self._kept[None])

    def _pass_on(self, index: int, stored: torch.Tensor) -> None:
        """Hand on whole layers, [layer, head, query, key], the first of which has the number `index`."""
        self._kept = torch.empty(0)  # whoever takes a layer may let it go
        for layer in stored.contiguous().cpu().numpy():
            self._emit(AttentionLayer(index, self._facts.kind, layer))
            index += 1

    @property
    def full(self) -> bool:
        """Whether all heads of all layers have come."""
        return (self.count, self._heads) == (self._facts.layers, self._facts.heads)

    def finish(self) -> None:
        """Compare the number of layers with the expected one. Raises `InexactAttentionError`."""
        self._require_whole()
        if self.count != self._facts.layers:
            raise InexactAttentionError(
                f"{self.count} layers gave their attention, but the model has {self._facts.layers}"
            )

    def _require_whole(self) -> None:
        if self._heads != self._facts.heads:
            raise InexactAttentionError(
                f"layer {self.count - 1} gave the attention of {self._heads} heads, "
                f"but the model has {self._facts.heads}"
            )

    def _check(self, index: int, weights: torch.Tensor) -> None:
        """Check heads of some layers, [layer, head, query, key], from number `index`."""
        error = checks.row_sum_error(weights)
        if not error <= ROW_SUM_TOLERANCE:  # also true for NaN
            raise InexactAttentionError(f"the attention of layer {index} has rows that miss 1 by {error:.2g}")
        if checks.has_negative(weights):
            raise InexactAttentionError(f"the attention of layer {index} has negative weights")
        self.row_sum_error = max(self.row_sum_error, error)
        if self._facts.causal and checks.sees_ahead(weights, self._future(weights)):
            raise InexactAttentionError(
                f"layer {index} attends to later tokens, although the model is causal"
            )
        for offset, window in enumerate(self._facts.windows[index : index + len(weights)]):
            if window is not None and checks.reaches_beyond(weights[offset], window):
                raise InexactAttentionError(
                    f"layer {index} reaches further back than its window of {window} tokens"
                )

    def _future(self, weights: torch.Tensor) -> torch.Tensor:
        if self._hidden is None or self._hidden.device != weights.device:  # a model may lie on several
            self._hidden = checks.future(weights.shape[-1], weights.device)
        return self._hidden


class HeadSink(Protocol):
    """Takes heads of a batch, layer by layer."""

    def __call__(self, weights: torch.Tensor, first: int = 0) -> None:
        """Take the next heads, [batch, head, query, key], of which `first` is the number."""

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""

    def finish(self) -> None:
        """The pass has ended. Raises `InexactAttentionError` where something is missing."""


class BatchSink:
    """Receives the probabilities of a batch, layer by layer, and gives each sentence its own row."""

    def __init__(self, sinks: Sequence[LayerSink | None], rows: int, size: tuple[int, int]) -> None:
        """Expect so many rows of `size` (queries, keys).

        Nobody wants the rows whose sink is None, nor those behind the last sink, which are copies.
        """
        self._sinks = sinks
        self._expected = (rows, *size)

    def __call__(self, weights: torch.Tensor, first: int = 0) -> None:
        """Split the next heads, [batch, head, query, key], from number `first`, by sentences.

        Raises `InexactAttentionError`.
        """
        shape, (rows, queries, keys) = tuple(weights.shape), self._expected
        if weights.dim() != 4 or (shape[0], *shape[2:]) != self._expected:
            raise InexactAttentionError(
                f"attention has the shape {shape} instead of (batch, head, query, key) = "
                f"({rows}, …, {queries}, {keys})"
            )
        for row, sink in enumerate(self._sinks):
            if sink is not None:
                sink(weights[row], first)

    @property
    def full(self) -> bool:
        """Whether every sentence of which layers are wanted has all of them."""
        return all(sink is None or sink.full for sink in self._sinks)

    def finish(self) -> None:
        """Compare the number of layers with the expected one. Raises `InexactAttentionError`."""
        for sink in self._sinks:
            if sink is not None:
                sink.finish()
