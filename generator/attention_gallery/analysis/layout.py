"""What a measure sees: the weights of some heads, and what is fixed for all heads of a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention_gallery.records import Bool, Float32


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What all heads of one sentence share; made once and read by every measure.

    special: bool[token]. window: the distance in tokens that counts as local.
    visible: float32[query], how many keys a query can see. choosing: bool[query], true where it sees
    more than one. separators: bool[token], special tokens other than the first.
    content: bool[token], tokens worth naming: not special and, in causal models, not the first.
    distance: float32[query, key], |i - j|. near: float32[query, key], 1 where |i - j| <= window.
    far: float32[query, key], 1 between two content tokens that are two or more apart.
    """

    tokens: int
    causal: bool
    window: int
    special: Bool
    visible: Float32
    choosing: Bool
    separators: Bool
    content: Bool
    distance: Float32
    near: Float32
    far: Float32

    @classmethod
    def of(cls, special: Bool, *, causal: bool, window: int) -> Layout:
        """The layout of a sentence whose tokens are `special` or not: bool[token]."""
        count = len(special)
        position = np.arange(count, dtype=np.float32)
        distance = np.abs(position[:, None] - position)
        separators = special.copy()
        separators[:1] = False
        content = ~special
        if causal:
            # Causal models pour attention into their first token whatever it is.
            content[:1] = False
        visible = position + 1 if causal else np.full(count, count, dtype=np.float32)
        far = (distance >= 2) & content[:, None] & content
        return cls(
            tokens=count,
            causal=causal,
            window=window,
            special=special,
            visible=visible,
            choosing=visible > 1,
            separators=separators,
            content=content,
            distance=distance,
            near=(distance <= window).astype(np.float32),
            far=far.astype(np.float32),
        )

    def uniform(self) -> Float32:
        """Attention spread evenly over what is visible: float32[query, key], rows sum to 1."""
        seen = np.ones((self.tokens, self.tokens), dtype=np.float32)
        even: Float32 = (np.tril(seen) if self.causal else seen) / self.visible[:, None]
        return even


@dataclass(frozen=True, slots=True, eq=False)
class LayerView:
    """The heads that are measured: weights float32[head, query, key], row_sums float32[head, query]."""

    weights: Float32
    row_sums: Float32
    layout: Layout

    @classmethod
    def of(cls, weights: Float32, layout: Layout) -> LayerView:
        """A view of `weights` float32[head, query, key]; the heads may come from several layers."""
        return cls(weights, weights.sum(axis=2), layout)

    @property
    def heads(self) -> int:
        """How many heads are in view."""
        return len(self.weights)

    def absent(self) -> Float32:
        """The answer of a measure that is not defined here: NaN for every head, float32[head]."""
        return np.full(self.heads, np.nan, dtype=np.float32)
