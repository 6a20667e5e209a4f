"""The pictures of one model on one sentence, which cost more to draw than all else on their page.

They depend on the capture and on the code that draws them, so that a build whose titles, notes or theme
changed takes them as they are.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.measures.top_pairs import average_heads
from attention_gallery.analysis.result import Result
from attention_gallery.errors import DamagedEntry
from attention_gallery.figures import thumbnail
from attention_gallery.figures.encode import EncodedWeights, encode_grid
from attention_gallery.records import AttentionLayer, Float32, StoredAttention

MAGIC = b"attention-gallery pictures 1\n"
_DTYPES = {
    "grid": "|u1",
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


@dataclass(frozen=True, slots=True)
class CapturePictures:
    """The weights of all heads for the explorer, and a picture of each layer."""

    grid: EncodedWeights
    averages: tuple[AveragePicture, ...]


def draw_pictures(attention: StoredAttention) -> CapturePictures:
    """Draw them, reading each layer once. Raises `DamagedEntry`."""
    averages: dict[int, AveragePicture] = {}

    def weights_of(index: int) -> Float32:
        """The weights of a layer, whose average is drawn on the way."""
        layer = attention.layer(index)
        # Drawn while the layer is at hand, since reading it costs more.
        averages[index] = AveragePicture.from_layer(layer)
        return layer.weights

    grid = encode_grid(weights_of, attention.facts.layers, attention.facts.kind == "decoder")
    return CapturePictures(grid, tuple(averages.values()))


def save_pictures(pictures: CapturePictures) -> bytes:
    """The pictures as bytes; equal ones give equal bytes."""
    grid, averages = pictures.grid, pictures.averages
    facts = {"codec": grid.codec, "error": grid.error, "deflated": grid.deflated}
    arrays: dict[str, NDArray[Any]] = {
        "grid": np.frombuffer(grid.data.encode("ascii"), np.uint8),
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
        grid = EncodedWeights(
            facts["codec"], arrays["grid"].tobytes().decode("ascii"), facts["error"], facts["deflated"]
        )
    except (KeyError, UnicodeDecodeError) as error:
        raise DamagedEntry(f"cached pictures cannot be read: {error}") from error
    every, ends = arrays["pictures"].tobytes(), [0, *arrays["ends"].tolist()]
    rest = (arrays["sizes"].tolist(), arrays["keys"].tolist(), arrays["column_mass"].tolist())
    averages = tuple(
        AveragePicture(every[start:end], (size[0], size[1]), key, column_mass)
        for start, end, size, key, column_mass in zip(ends, ends[1:], *rest, strict=False)
    )
    return CapturePictures(grid, averages)


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
