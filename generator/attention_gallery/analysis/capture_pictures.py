"""The pictures of one model on one sentence, which cost more to draw than all else on their page.

They depend on the capture and on the code that draws them, so that a build whose titles, notes or theme
changed takes them as they are.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.measures.top_pairs import average_heads
from attention_gallery.analysis.result import Result
from attention_gallery.errors import DamagedEntry
from attention_gallery.figures import thumbnail
from attention_gallery.figures.encode import EncodedWeights, encode_layer, encode_pooled
from attention_gallery.figures.grid import HeadThumbnails
from attention_gallery.figures.tiles import tile_version
from attention_gallery.records import AttentionLayer, Float32, StoredAttention

MAGIC = b"attention-gallery pictures 2\n"
# Cells that a small picture of a head has at most, along either side.
_LONGEST = 32
_DTYPES = {
    # Layers and the small pictures of all heads, one behind the other, as the text that pages carry.
    "weights": "|u1",
    "weight_ends": "<i8",
    "pictures": "|u1",
    # PNGs differ in length: they lie end to end, and these are their ends.
    "ends": "<i8",
    "sizes": "<i4",
    "keys": "<i4",
    "column_mass": "<f4",
}


class AveragePicture(NamedTuple):
    """One layer, heads averaged, as a PNG, and the key that receives most with its share, 0 to 1."""

    png: bytes
    size: tuple[int, int]
    key: int
    column_mass: float

    @classmethod
    def from_layer(cls, layer: AttentionLayer) -> AveragePicture:
        """Average and draw one layer."""
        average = average_heads(layer)
        column_mass = average.mean(axis=0)
        key = int(column_mass.argmax())
        return cls(*thumbnail.thumbnail(average), key, float(column_mass[key]))


@dataclass(frozen=True)
class CapturePictures:
    """The weights of all heads for the explorer, layer by layer, and pictures of heads and layers."""

    layers: tuple[EncodedWeights, ...]
    thumbnails: HeadThumbnails
    averages: tuple[AveragePicture, ...]

    @cached_property
    def version(self) -> str:
        """The version of its tiles."""
        return tile_version(self.layers)

    @property
    def error(self) -> float:
        """The largest absolute error of the layers, in units of probability."""
        return max(layer.error for layer in self.layers)


def draw_pictures(attention: StoredAttention) -> CapturePictures:
    """Draw them, reading each layer once. Raises `DamagedEntry`."""
    causal = attention.facts.kind == "decoder"
    layers: list[EncodedWeights] = []
    averages: list[AveragePicture] = []
    heads = HeadPictures()
    for index in range(attention.facts.layers):
        layer = attention.layer(index)
        layers.append(encode_layer(layer.weights, causal))
        averages.append(AveragePicture.from_layer(layer))
        heads.add(layer.weights)
    return CapturePictures(tuple(layers), heads.encoded(), tuple(averages))


class HeadPictures:
    """Small pictures of heads, gathered layer by layer, and of the means over heads and over layers."""

    def __init__(self) -> None:
        self._pooled: list[Float32] = []
        self._sum: Float32 | None = None

    def add(self, weights: Float32) -> None:
        """Draw the heads of the next layer, float32[head, query, key]."""
        self._pooled.append(self._of_heads(weights))
        self._sum = weights.copy() if self._sum is None else self._sum + weights

    def encoded(self) -> HeadThumbnails:
        """All of them, at least one layer."""
        assert self._sum is not None
        means = self._of_heads(self._sum / np.float32(len(self._pooled)))
        rows, columns = means.shape[-2:]
        return HeadThumbnails(encode_pooled(np.stack([*self._pooled, means])), (columns, rows))

    @staticmethod
    def _of_heads(weights: Float32) -> Float32:
        """The heads of a layer and their mean, pooled: float32[head + 1, row, column]."""
        size = thumbnail.thumbnail_size(weights.shape[1], weights.shape[2], _LONGEST)
        mean = weights.mean(axis=0, keepdims=True)
        return np.concatenate([thumbnail.pool(weights, size), thumbnail.pool(mean, size)])


def save_pictures(pictures: CapturePictures) -> bytes:
    """The pictures as bytes; equal ones give equal bytes."""
    texts, averages = (*pictures.layers, pictures.thumbnails.levels), pictures.averages
    facts = {
        "codecs": [[text.codec, text.error, text.deflated] for text in texts],
        "size": list(pictures.thumbnails.size),
    }
    arrays: dict[str, NDArray[Any]] = {
        "weights": np.frombuffer("".join(text.data for text in texts).encode("ascii"), np.uint8),
        "weight_ends": np.cumsum([len(text.data) for text in texts], dtype=np.int64),
        "pictures": np.frombuffer(b"".join(picture.png for picture in averages), np.uint8),
        "ends": np.cumsum([len(picture.png) for picture in averages], dtype=np.int64),
        "sizes": np.array([picture.size for picture in averages], np.int32),
        "keys": np.array([picture.key for picture in averages], np.int32),
        "column_mass": np.array([picture.column_mass for picture in averages], np.float32),
    }
    return pack(MAGIC, facts, arrays)


def load_pictures(data: bytes) -> CapturePictures:
    """The pictures that `save_pictures` wrote. Raises `DamagedEntry` for any other bytes."""
    facts, arrays = unpack(MAGIC, data, _DTYPES)
    try:
        *layers, levels = _loaded_texts(facts, arrays)
        columns, rows = facts["size"]
    except (KeyError, TypeError, UnicodeDecodeError, ValueError) as error:
        raise DamagedEntry(f"cached pictures cannot be read: {error}") from error
    every, ends = arrays["pictures"].tobytes(), [0, *arrays["ends"].tolist()]
    rest = (arrays["sizes"].tolist(), arrays["keys"].tolist(), arrays["column_mass"].tolist())
    averages = tuple(
        AveragePicture(every[start:end], (size[0], size[1]), key, column_mass)
        for start, end, size, key, column_mass in zip(ends, ends[1:], *rest, strict=False)
    )
    return CapturePictures(tuple(layers), HeadThumbnails(levels, (columns, rows)), averages)


def _loaded_texts(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> list[EncodedWeights]:
    text, ends = arrays["weights"].tobytes().decode("ascii"), arrays["weight_ends"].tolist()
    return [
        EncodedWeights(codec, text[start:end], error, deflated)
        for (codec, error, deflated), start, end in zip(facts["codecs"], [0, *ends[:-1]], ends, strict=True)
    ]


PICTURES = Result(
    name="pictures",
    needs=("capture",),
    compute=lambda captures, settings, about: draw_pictures(next(captures)),
    dump=save_pictures,
    load=lambda data, about: load_pictures(data),
    subjects=lambda inventory: inventory.capture_subjects,
    # Another zlib may pack the same weights into other bytes, and these stand on the page.
    identify=lambda about: zlib.ZLIB_RUNTIME_VERSION,
    libraries=("numpy", "Pillow"),
    optional=False,
)
