"""Attention weights as compact text: quantised, deflated where that pays, base64, with the error measured.

`linear16` keeps 16 bits of every weight, high bytes before low bytes, which deflate packs better.
`pooled8` keeps one byte of the square root of the largest weight of each block of cells, for small pictures.
`sqrt8` keeps one byte of the square root, so that small weights keep their proportion; a reader
divides each row by its sum. Of causal attention only the visible half, row by row, is kept; it is square,
while in cross attention there may be more keys than queries or fewer.
The error stated is the largest absolute difference between a weight and what a reader decodes.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Float32

_Number = TypeVar("_Number", bound=np.generic)

# 0.004 is promised; what storing in float16 may have taken is left to it.
EXPLORER_ERROR = 0.0037

# zlib’s way to ask for no header; what `DecompressionStream("deflate-raw")` of the page reads.
_DEFLATE_RAW = -15
_SMALL = 1 << 11


class EncodedWeights(NamedTuple):
    """Weights as base64 text. `error` is absolute, in units of probability.

    `deflated` tells whether the bytes behind the text are raw-deflated or plain.
    """

    codec: str
    data: str
    error: float
    deflated: bool


def visible_cells(tokens: int) -> NDArray[np.intp]:
    """Flat indexes intp[cell] of the lower triangle of a tokens × tokens matrix, row by row."""
    rows, columns = np.tril_indices(tokens)
    return rows * tokens + columns


def encode_heads(weights: Float32, causal: bool) -> Iterator[EncodedWeights]:
    """Each head of float32[head, query, key] for its own page, as `linear16`."""
    flat = _visible(weights, causal)
    levels = np.rint(flat * 65535.0)
    planes = np.concatenate(_byte_planes(levels), axis=1)
    # As scripts divide, so that what is stated is what a reader gets.
    errors = np.abs(levels / 65535.0 - flat).max(axis=1).tolist()
    for plane, error in zip(planes, errors, strict=True):
        yield _encoded("linear16", (plane.tobytes(),), error)


def encode_layer(weights: Float32, causal: bool) -> EncodedWeights:
    """All heads of one layer, float32[head, query, key], for the explorer.

    `sqrt8`, unless its measured error would come near 0.004; then `linear16`.
    """
    roots = _sqrt8_levels(weights)
    error = _sqrt8_error(roots, weights)
    if error < EXPLORER_ERROR:
        return _encoded("sqrt8", (_visible(roots, causal).tobytes(),), error)
    levels = np.rint(weights * 65535.0)
    error = float(np.abs(levels / 65535.0 - weights).max())
    return encode_levels("linear16", _visible(levels.astype(np.uint16), causal), error)


def head_of_layer(layer: EncodedWeights, head: int, heads: int) -> EncodedWeights:
    """One of the `heads` that `encode_layer` encoded together, for a figure of its own."""
    # One plane of bytes, or the high and the low ones.
    planes = np.frombuffer(bytes_of(layer), np.uint8).reshape(
        2 if layer.codec == "linear16" else 1, heads, -1
    )
    return _encoded(layer.codec, (planes[:, head].tobytes(),), layer.error)


def bytes_of(weights: EncodedWeights) -> bytes:
    """The bytes behind the text."""
    data = base64.b64decode(weights.data)
    return zlib.decompress(data, _DEFLATE_RAW) if weights.deflated else data


def encode_pooled(weights: Float32) -> EncodedWeights:
    """Small pictures, float32[…, row, column] of weights, as `pooled8`."""
    levels = np.rint(np.sqrt(weights) * np.float32(255)).astype(np.uint8)
    error = float(np.abs((levels / np.float32(255)) ** 2 - weights).max())
    return _encoded("pooled8", (levels.tobytes(),), error)


def codec_attributes(weights: EncodedWeights) -> str:
    """What a figure's element says of its weights, for the script that decodes them."""
    return f'data-codec="{weights.codec}"' + (" data-deflated" if weights.deflated else "")


def encode_levels(codec: str, levels: NDArray[np.uint16], error: float) -> EncodedWeights:
    """Numbers of 16 bits as text, high bytes before low bytes."""
    high, low = _byte_planes(levels)
    return _encoded(codec, (high.tobytes(), low.tobytes()), error)


def _visible(values: NDArray[_Number], causal: bool) -> NDArray[_Number]:
    heads, queries, keys = values.shape
    flat = values.reshape(heads, queries * keys)
    return flat[:, visible_cells(queries)] if causal else flat


def _byte_planes(levels: NDArray[np.generic]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    # High bytes of small weights are mostly 0: by themselves they pack well.
    words = levels.astype(np.uint16)
    return (words >> 8).astype(np.uint8), words.astype(np.uint8)


def _sqrt8_levels(weights: Float32) -> NDArray[np.uint8]:
    """Bytes of the square roots, uint8[head, query, key].

    A reader divides by the row's sum, which the rounding of many small weights moves. The largest weight of
    a row, where that shows most, gets the byte that is nearest to it after the division.
    """
    levels = np.rint(np.sqrt(weights) * np.float32(255)).astype(np.uint8)
    top = weights.argmax(axis=-1)[..., None]
    exact = np.take_along_axis(weights, top, -1)
    own = np.take_along_axis(levels, top, -1).astype(np.int32)
    rest = _squares(levels).sum(axis=-1, keepdims=True) - own**2
    # The byte that is nearest by itself comes first, and stays where another is no better.
    near = np.clip(own + np.array([0, -1, 1]), 1, 255)
    errors = np.abs(near**2 / (near**2 + rest) - exact)
    best = np.take_along_axis(near, errors.argmin(axis=-1)[..., None], -1)
    np.put_along_axis(levels, top, best.astype(np.uint8), -1)
    return levels


def _squares(levels: NDArray[np.uint8]) -> Float32:
    """Squares of bytes as float32: those of a row sum to about 255², of which that has every whole number."""
    squares = levels.astype(np.float32)
    squares *= squares
    return squares


def _sqrt8_error(levels: NDArray[np.uint8], weights: Float32) -> float:
    squares = _squares(levels)
    sums = squares.sum(axis=-1, keepdims=True)
    squares /= np.where(sums > 0, sums, np.float32(1))
    squares -= weights
    return float(np.abs(squares, out=squares).max())


def _encoded(codec: str, parts: Sequence[bytes], error: float) -> EncodedWeights:
    size = sum(map(len, parts))
    # Servers compress the page anyway, and reach the same size for a sentence; only paragraphs gain.
    deflated = size > _SMALL
    data = _deflated(parts) if deflated else b"".join(parts)
    return EncodedWeights(codec, base64.b64encode(data).decode("ascii"), error, deflated)


def _deflated(parts: Sequence[bytes]) -> bytes:
    # Weights are near-random small numbers: coding each byte by how often it occurs gains nearly all there
    # is. Looking for repeats as well takes ten times as long and gains a fiftieth.
    deflate = zlib.compressobj(1, zlib.DEFLATED, _DEFLATE_RAW, 8, zlib.Z_RLE)
    packed = [deflate.compress(chunk) for chunk in parts]
    packed.append(deflate.flush())
    return b"".join(packed)
