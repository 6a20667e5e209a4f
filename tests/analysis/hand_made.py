"""Attention made by hand, so that every answer is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from attention_gallery.analysis import Layout
from attention_gallery.records import (
    NO_SIDE_OUTPUTS,
    AttentionLayer,
    ModelFacts,
    Provenance,
    SideOutputs,
    Tokens,
)
from sample_environment import sample_environment


@dataclass(frozen=True)
class HandMade:
    """A `StoredAttention` whose weights are given: float32[layer, head, query, key]."""

    weights: np.ndarray
    tokens: Tokens
    facts: ModelFacts
    others: Tokens | None = None
    key: str = "0" * 64
    text: str = "made by hand"
    side_outputs: SideOutputs = NO_SIDE_OUTPUTS
    provenance: Provenance = field(
        default_factory=lambda: Provenance("m", "t", "hand", None, sample_environment(), 0.0)
    )

    @property
    def keys(self) -> Tokens:
        return self.tokens if self.others is None else self.others

    def layer(self, index: int) -> AttentionLayer:
        return AttentionLayer(index, self.facts.kind, self.weights[index])

    def parts(self, first: int, end: int, heads: int) -> Iterator[np.ndarray]:
        weights = self.weights[first:end]
        step = heads if end == first + 1 else weights.shape[1]
        yield from (weights[:, head : head + step] for head in range(0, weights.shape[1], step))


def hand_made(
    weights: np.ndarray, *, causal: bool = False, special: Sequence[int] = (), texts: Sequence[str] = ()
) -> HandMade:
    """`texts` that are the same are the same token; all tokens differ where none are given."""
    weights = np.asarray(weights, dtype=np.float32)
    layers, heads, count, _ = weights.shape
    tokens = marked("t", count, special, texts)
    facts = ModelFacts("Hand", "hand", layers, heads, heads, causal, None, 8, 100, 1, "safetensors")
    return HandMade(weights, tokens, facts)


def hand_crossed(weights: np.ndarray, *, special: Sequence[int] = (), keys: Sequence[int] = ()) -> HandMade:
    """Cross attention float32[layer, head, query, key]; `special` queries and `keys`."""
    weights = np.asarray(weights, dtype=np.float32)
    layers, heads, rows, columns = weights.shape
    facts = ModelFacts(
        "Hand", "hand", layers, heads, heads, False, None, 8, 100, 1, "safetensors", None, cross=True
    )
    return HandMade(weights, marked("t", rows, special), facts, marked("s", columns, keys))


def marked(prefix: str, count: int, special: Sequence[int] = (), texts: Sequence[str] = ()) -> Tokens:
    marks = np.zeros(count, dtype=bool)
    marks[list(special)] = True
    names = tuple(texts) or tuple(f"{prefix}{index}" for index in range(count))
    ids = np.array([names.index(name) for name in names], dtype=np.int64)
    return Tokens(ids, names, marks, np.zeros(count, dtype=bool))


def layout_for(
    count: int,
    *,
    causal: bool = False,
    special: Sequence[int] = (),
    window: int = 3,
    texts: Sequence[str] = (),
) -> Layout:
    """The layout of so many tokens that look at each other."""
    return Layout.from_tokens(marked("t", count, special, texts), causal=causal, window=window)
