"""What a reader of an explorer page sees of its weights, as the scripts of the page decode them."""

from __future__ import annotations

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

from attention_gallery.figures.encode import EncodedWeights, visible_cells


def decode_grid(
    encoded: EncodedWeights, shape: tuple[int, int, int, int], causal: bool
) -> NDArray[np.float64]:
    """What a reader of the page sees: float64[layer, head, query, key] of this shape, the hidden half 0."""
    data = base64.b64decode(encoded.data)
    if encoded.deflated:
        data = zlib.decompress(data, -15)
    if encoded.codec == "sqrt8":
        cells = (np.frombuffer(data, np.uint8) / 255.0) ** 2
    else:
        high, low = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.uint32)
        cells = (high * 256 + low) / 65535.0
    layers, heads, queries, keys = shape
    flat = np.zeros((layers, heads, queries * keys))
    where = visible_cells(queries) if causal else np.arange(queries * keys)
    flat[:, :, where] = cells.reshape(layers, heads, len(where))
    weights = flat.reshape(shape)
    return _renormalised(weights) if encoded.codec == "sqrt8" else weights


def _renormalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = weights.sum(axis=-1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    return shares
