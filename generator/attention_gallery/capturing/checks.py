"""What must hold of a layer's probabilities, checked where they were computed, before they are moved.

All functions take float32[head, query, key] on any device. They are a small part of the pass that gave the
layer: each reads it about once.
"""

from __future__ import annotations

import torch

from attention_gallery.records import Precision


def row_sum_error(weights: torch.Tensor) -> float:
    """The largest |row sum - 1|, summed in float64; NaN where a weight is not a number."""
    if not weights.numel():
        return 0.0
    exact = weights.cpu() if weights.device.type == "mps" else weights  # which has no float64
    return float((exact.sum(-1, dtype=torch.float64) - 1.0).abs().max())


def has_negative(weights: torch.Tensor) -> bool:
    """Whether any weight is below zero."""
    return bool(weights.numel()) and bool(weights.amin() < 0)


def looks_ahead(weights: torch.Tensor) -> bool:
    """Whether any query gives weight to a key after it."""
    return bool(weights.triu(1).any())


def reaches_beyond(weights: torch.Tensor, window: int) -> bool:
    """Whether any query gives weight to a key that is `window` or more tokens before it."""
    return bool(weights.tril(-window).any())


def rounded(weights: torch.Tensor, precision: Precision) -> tuple[torch.Tensor, float]:
    """The weights in the precision of the store, and the largest absolute difference that it makes."""
    if precision == "float32":
        return weights, 0.0
    half = weights.half()
    if not weights.numel():
        return half, 0.0
    low, high = torch.aminmax(half.float().sub_(weights))
    return half, max(-float(low), float(high))
