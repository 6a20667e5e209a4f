"""Attention made by hand, so that every answer is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from attention_gallery.records import AttentionLayer, ModelFacts, Provenance, Tokens


@dataclass(frozen=True)
class HandMade:
    """A `StoredAttention` whose weights are given: float32[layer, head, query, key]."""

    weights: np.ndarray
    tokens: Tokens
    facts: ModelFacts
    key: str = "0" * 64
    text: str = "made by hand"
    provenance: Provenance = field(
        default_factory=lambda: Provenance("m", "t", "hand", None, "float32", {}, 0.0, 0.0)
    )

    def layer(self, index: int) -> AttentionLayer:
        return AttentionLayer(index, "decoder" if self.facts.causal else "encoder", self.weights[index])


def hand_made(
    weights: np.ndarray, *, causal: bool = False, special: Sequence[int] = (), texts: Sequence[str] = ()
) -> HandMade:
    weights = np.asarray(weights, dtype=np.float32)
    layers, heads, count, _ = weights.shape
    marks = np.zeros(count, dtype=bool)
    marks[list(special)] = True
    names = tuple(texts) or tuple(f"t{index}" for index in range(count))
    tokens = Tokens(np.arange(count), names, marks, np.zeros(count, dtype=bool))
    facts = ModelFacts("Hand", "hand", layers, heads, heads, causal, None, 8, 100, 1, "safetensors")
    return HandMade(weights, tokens, facts)


@pytest.fixture(scope="session")
def stored() -> Callable[..., HandMade]:
    """Makes stored attention from weights[layer, head, query, key]."""
    return hand_made


@pytest.fixture(autouse=True)
def numbers_are_checked() -> Iterator[None]:
    """A division by zero or an invalid operation anywhere in the analysis is a failure."""
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        yield
