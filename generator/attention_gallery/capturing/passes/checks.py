"""What must hold of a layer's probabilities, checked where they were computed, before they are moved.

All functions take float32[…, query, key] on any device. They are a small part of the pass that gave the
layer: each reads it about once.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

# A few heads at a time stay in the processor's cache, and what is computed of them takes little memory.
_PIECE = 1 << 18
_BLOCK = 256
# How far what is computed apart may be from the same in the whole model, relative to the largest number.
SAME = {"float32": 1e-4, "bfloat16": 0.05, "float16": 0.01}


def in_pieces(weights: torch.Tensor) -> Iterator[slice]:
    """Slices of heads, together all of them, of about a million bytes each."""
    heads, queries, keys = weights.shape
    step = max(1, _PIECE // max(1, queries * keys))
    return (slice(first, first + step) for first in range(0, heads, step))


def row_sum_error(weights: torch.Tensor) -> float:
    """The largest |row sum - 1|, summed in float64; NaN where a weight is not a number."""
    if not weights.numel():
        return 0.0
    exact = weights.cpu() if weights.device.type == "mps" else weights  # which has no float64
    low, high = torch.aminmax(exact.sum(-1, dtype=torch.float64))
    return max(1.0 - float(low), float(high) - 1.0)


def has_negative(weights: torch.Tensor) -> bool:
    """Whether any weight is below zero."""
    return bool(weights.numel()) and float(weights.amin()) < 0


def future(tokens: int, device: torch.device) -> torch.Tensor:
    """For a block of the tokens: 1 where a key comes after the query, float32[query, key]."""
    block = min(tokens, _BLOCK)
    return torch.ones(block, block, device=device).triu_(1)


def sees_ahead(weights: torch.Tensor, hidden: torch.Tensor) -> bool:
    """Whether any query gives weight to a key after it; `weights` are square and not negative.

    `hidden` is the `future` of so many tokens, which all layers of a sentence share.
    """
    tokens, block = weights.shape[-1], len(hidden)
    largest = []
    # By blocks, since a mask of the whole would be as large as the layer and take longer to apply.
    for first in range(0, tokens, block):
        last = min(first + block, tokens)
        size = last - first
        largest.append((weights[..., first:last, first:last] * hidden[:size, :size]).amax())
        if last < tokens:
            largest.append(weights[..., first:last, last:].amax())
    return any(float(weight) > 0 for weight in largest)


def reaches_beyond(weights: torch.Tensor, window: int) -> bool:
    """Whether any query gives weight to a key that is `window` or more tokens before it."""
    return bool(weights.tril(-window).any())


def rounding_error(weights: torch.Tensor, stored: torch.Tensor) -> float:
    """The largest absolute difference between the weights and what is kept of them."""
    if not weights.numel():
        return 0.0
    low, high = torch.aminmax(stored.float().sub_(weights))
    return max(-float(low), float(high))
