"""What a measure sees: the weights of some heads, and what is fixed for all heads of a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention_gallery.records import AttentionKind, Bool, Float32


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What all heads of one sentence share; made once and read by every measure.

    queries, keys: how many tokens look, and how many are looked at. window: the distance in tokens that
    counts as local. visible: float32[query], how many keys a query can see. choosing: bool[query], true
    where it sees more than one. separators: bool[key], special tokens other than the first.
    asking: bool[query] and content: bool[key], tokens worth naming: not special and, in causal models, not
    the first. distance: float32[query, key], |i - j|, or for cross attention, whose queries and keys are
    different tokens, how far j lies from the diagonal. near: float32[query, key], 1 where that is at most
    the window. far: float32[query, key], 1 between two content tokens, which must be two or more apart
    unless they are of different texts.
    """

    queries: int
    keys: int
    kind: AttentionKind
    window: int
    visible: Float32
    choosing: Bool
    separators: Bool
    asking: Bool
    content: Bool
    distance: Float32
    near: Float32
    far: Float32

    @classmethod
    def of(cls, special: Bool, *, causal: bool, window: int) -> Layout:
        """The layout of a sentence whose tokens look at each other, `special` or not: bool[token]."""
        count = len(special)
        position = np.arange(count, dtype=np.float32)
        content = ~special
        if causal:
            # Causal models pour attention into their first token whatever it is.
            content[:1] = False
        visible = position + 1 if causal else np.full(count, count, dtype=np.float32)
        distance = np.abs(position[:, None] - position)
        far = (distance >= 2) & content[:, None] & content
        kind: AttentionKind = "decoder" if causal else "encoder"
        return cls._made(kind, window, visible, special, (content, content), distance, far)

    @classmethod
    def crossing(cls, queries: Bool, keys: Bool, *, window: int) -> Layout:
        """The layout of cross attention: which `queries` bool[query] and `keys` bool[key] are special."""
        rows, columns = len(queries), len(keys)
        # Where a query would look if both texts were read at the same pace.
        pace = (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(columns / max(1, rows)) - 0.5
        distance = np.abs(pace[:, None] - np.arange(columns, dtype=np.float32)).astype(np.float32)
        visible = np.full(rows, columns, dtype=np.float32)
        content = ~queries, ~keys
        return cls._made("cross", window, visible, keys, content, distance, content[0][:, None] & content[1])

    @classmethod
    def _made(
        cls,
        kind: AttentionKind,
        window: int,
        visible: Float32,
        special: Bool,
        content: tuple[Bool, Bool],
        distance: Float32,
        far: Bool,
    ) -> Layout:
        separators = special.copy()
        separators[:1] = False
        return cls(
            queries=len(content[0]),
            keys=len(content[1]),
            kind=kind,
            window=window,
            visible=visible,
            choosing=visible > 1,
            separators=separators,
            asking=content[0],
            content=content[1],
            distance=distance,
            near=(distance <= window).astype(np.float32),
            far=far.astype(np.float32),
        )

    @property
    def causal(self) -> bool:
        """Whether a query sees only itself and what came before."""
        return self.kind == "decoder"

    def uniform(self) -> Float32:
        """Attention spread evenly over what is visible: float32[query, key], rows sum to 1."""
        seen = np.ones((self.queries, self.keys), dtype=np.float32)
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
