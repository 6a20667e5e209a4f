"""Small pictures of a matrix of attention, as PNG with one colour and growing opacity.

Opacity instead of a colour ramp lets the same file stand on light and dark pages.
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attention_gallery.records import Float32

_COLOUR = (86, 92, 214)
_LEVELS = 32
_LARGEST = 64


def thumbnail(weights: Float32) -> tuple[bytes, int]:
    """A PNG of float32[query, key] and its side in pixels: one pixel a cell, at most 64 a side.

    Larger matrices are max-pooled, so that no strong cell drops out. The scale is the square root
    of the weight over the largest weight, so that broad attention does not look empty.
    """
    pooled = _pool(weights, _LARGEST)
    top = float(pooled.max()) or 1.0
    levels = np.rint(np.sqrt(np.maximum(pooled, 0.0) / top) * (_LEVELS - 1)).astype(np.uint8)
    side = levels.shape[0]
    picture = Image.frombytes("P", (side, side), levels.tobytes())
    palette, opacity = _palette()
    picture.putpalette(palette)
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=opacity, compress_level=9)
    return out.getvalue(), side


def thumbnail_side(tokens: int) -> int:
    """The side in pixels of the thumbnail of a sentence of this many tokens."""
    return min(tokens, _LARGEST)


def data_uri(png: bytes) -> str:
    """The picture as a `data:` address, for many small ones on one page."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


@lru_cache(maxsize=1)
def _palette() -> tuple[bytes, bytes]:
    opacity = bytes(round(255 * level / (_LEVELS - 1)) for level in range(_LEVELS))
    return bytes(_COLOUR) * _LEVELS, opacity


def _pool(weights: Float32, largest: int) -> NDArray[np.float32]:
    side = weights.shape[0]
    if side <= largest:
        return weights
    edges = np.arange(largest) * side // largest
    rows = np.maximum.reduceat(weights, edges, axis=0)
    return np.maximum.reduceat(rows, edges, axis=1)
