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


def thumbnail(weights: Float32, longest: int = _LARGEST) -> tuple[bytes, tuple[int, int]]:
    """A PNG of float32[query, key], its width and height: one pixel a cell, at most `longest` a side.

    Larger matrices are max-pooled, so that no strong cell drops out. The scale is the square root
    of the weight over the largest weight, so that broad attention does not look empty.
    """
    size = thumbnail_size(weights.shape[0], weights.shape[1], longest)
    pooled = pool(weights, size)
    # A matrix of zeros is drawn as nothing.
    top = float(pooled.max()) or 1.0
    levels = np.rint(np.sqrt(np.maximum(pooled, 0.0) / top) * (_LEVELS - 1)).astype(np.uint8)
    picture = Image.frombytes("P", size, levels.tobytes())
    palette, opacity = _palette()
    picture.putpalette(palette)
    out = io.BytesIO()
    # Opacity by palette: a byte for each pixel, where colours with opacity take four.
    picture.save(out, "PNG", transparency=opacity, compress_level=9)
    return out.getvalue(), size


def thumbnail_size(queries: int, keys: int, longest: int = _LARGEST) -> tuple[int, int]:
    """Width and height in pixels of the thumbnail of a matrix of queries × keys, in its proportions."""
    longer = max(queries, keys, longest)
    # Where one text is many times as long as the other, the shorter one keeps a line of its own.
    return max(1, round(keys * longest / longer)), max(1, round(queries * longest / longer))


def data_uri(png: bytes) -> str:
    """The picture as a `data:` address, for many small ones on one page."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


@lru_cache(maxsize=1)
def _palette() -> tuple[bytes, bytes]:
    opacity = bytes(round(255 * level / (_LEVELS - 1)) for level in range(_LEVELS))
    return bytes(_COLOUR) * _LEVELS, opacity


def pool(weights: Float32, size: tuple[int, int]) -> NDArray[np.float32]:
    """The largest weight of each block of float32[…, query, key]: float32[…, row, column].

    `size` is (columns, rows).
    """
    columns, rows = size
    if weights.shape[-2:] == (rows, columns):
        return weights
    # Blocks of whole cells, as even as they can be.
    down = np.arange(rows) * weights.shape[-2] // rows
    along = np.arange(columns) * weights.shape[-1] // columns
    return np.maximum.reduceat(np.maximum.reduceat(weights, down, axis=-2), along, axis=-1)
