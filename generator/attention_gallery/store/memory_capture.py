"""A capture that is kept in memory, and read as one of the store is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import (
    NO_SIDE_OUTPUTS,
    AttentionLayer,
    ModelFacts,
    Provenance,
    SideOutputs,
    Tokens,
)


@dataclass(frozen=True, slots=True, eq=False)
class MemoryCapture:
    """A capture that was never stored; implements `StoredAttention`.

    `looked_at` are the tokens that are looked at where they are not those that look, `looked_at_text` is
    their text.
    """

    key: str
    text: str
    tokens: Tokens
    facts: ModelFacts
    provenance: Provenance
    layers: tuple[AttentionLayer, ...]
    looked_at: Tokens | None = None
    side_outputs: SideOutputs = NO_SIDE_OUTPUTS
    looked_at_text: str = ""

    @property
    def key_text(self) -> str:
        """The text of `keys`."""
        return self.text if self.looked_at is None else self.looked_at_text

    @property
    def keys(self) -> Tokens:
        """The tokens that are looked at."""
        return self.tokens if self.looked_at is None else self.looked_at

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key]. Raises `IndexError` when the model has no such layer."""
        if not 0 <= index < len(self.layers):
            raise IndexError(f"layer {index} of {len(self.layers)}")
        return self.layers[index]

    def parts(self, first: int, end: int, heads: int) -> Iterator[NDArray[Any]]:
        """Layers `first` to `end` (not itself), or one of them so many heads at a time."""
        weights = np.stack([layer.weights for layer in self.layers[first:end]])
        step = heads if end == first + 1 else weights.shape[1]
        yield from (weights[:, head : head + step] for head in range(0, weights.shape[1], step))
