"""Check each layer's attention as it comes, and pass it on as an exact value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from attention_gallery.capturing import checks
from attention_gallery.records import AttentionLayer, ModelFacts, Precision

# Probabilities are taken in float32, whose rows sum to 1 within a few units of 6e-8.
ROW_SUM_TOLERANCE = 1e-5


class InexactAttentionError(Exception):
    """What the model gave is not the attention that was expected; the message says why."""


class LayerSink:
    """Receives the probabilities of one sentence, layer by layer, and holds no more than one of them.

    They are checked and rounded where they were computed, then moved. `row_sum_error` is the largest
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
        self._kept = torch.empty(0)
        self._heads = facts.heads
        self.count = 0
        self.row_sum_error = 0.0
        self.storage_error = 0.0

    def __call__(self, weights: torch.Tensor, first: int = 0) -> None:
        """Check the next heads, [head, query, key], of which `first` is the number; pass on a whole layer.

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
        exact = weights.float()
        self._keep(index, exact, first)
        self._check_reach(index, exact)
        self._heads = last
        if last == self._facts.heads:
            found = self._kept.contiguous().cpu().numpy()
            self._kept = torch.empty(0)  # whoever takes the layer may let it go
            self._emit(AttentionLayer(index, self._facts.kind, found))

    def _keep(self, index: int, exact: torch.Tensor, first: int) -> None:
        """Check heads of a layer, the first of which has the number `first`, and round them."""
        if first == 0 and len(exact) == self._facts.heads and not self._halved:
            self._kept = exact
        elif first == 0:
            kind = torch.float16 if self._halved else torch.float32
            self._kept = torch.empty(self._shape, dtype=kind, device=exact.device)
        for heads in checks.in_pieces(exact):
            piece = exact[heads]
            self._check_sums(index, piece)
            if self._kept is exact:
                continue
            kept = self._kept[first + heads.start : first + heads.start + len(piece)]
            kept.copy_(piece)
            if self._halved:
                self.storage_error = max(self.storage_error, checks.rounding_error(piece, kept))

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

    def _check_sums(self, index: int, weights: torch.Tensor) -> None:
        error = checks.row_sum_error(weights)
        if not error <= ROW_SUM_TOLERANCE:  # also true for NaN
            raise InexactAttentionError(f"the attention of layer {index} has rows that miss 1 by {error:.2g}")
        if checks.has_negative(weights):
            raise InexactAttentionError(f"the attention of layer {index} has negative weights")
        self.row_sum_error = max(self.row_sum_error, error)

    def _check_reach(self, index: int, weights: torch.Tensor) -> None:
        if self._facts.causal and checks.looks_ahead(weights):
            raise InexactAttentionError(
                f"layer {index} attends to later tokens, although the model is causal"
            )
        window = self._facts.windows[index] if self._facts.windows else None
        if window is not None and checks.reaches_beyond(weights, window):
            raise InexactAttentionError(
                f"layer {index} reaches further back than its window of {window} tokens"
            )


class BatchSink:
    """Receives the probabilities of a batch, layer by layer, and gives each sentence its own part.

    Sentences begin at the first place of their row, and padding follows them.
    """

    def __init__(
        self, sinks: Sequence[LayerSink | None], queries: Sequence[int], keys: Sequence[int]
    ) -> None:
        """Expect a batch whose sentences have so many queries and keys; nobody wants those without a sink."""
        self._sinks = sinks
        self._queries = queries
        self._keys = keys

    def __call__(self, weights: torch.Tensor, first: int = 0) -> None:
        """Split the next heads, [batch, head, query, key], from number `first`, by sentences.

        Raises `InexactAttentionError`.
        """
        shape = tuple(weights.shape)
        expected = (len(self._sinks), max(self._queries), max(self._keys))
        if weights.dim() != 4 or (shape[0], *shape[2:]) != expected:
            raise InexactAttentionError(
                f"attention has the shape {shape} instead of (batch, head, query, key) = "
                f"({expected[0]}, …, {expected[1]}, {expected[2]})"
            )
        for row, sink in enumerate(self._sinks):
            if sink is not None:
                sink(weights[row, :, : self._queries[row], : self._keys[row]], first)

    def finish(self) -> None:
        """Compare the number of layers with the expected one. Raises `InexactAttentionError`."""
        for sink in self._sinks:
            if sink is not None:
                sink.finish()
