"""The weights of an explorer as files beside it, which its script loads when they are looked at.

A tile is all heads of a layer on a rectangle of cells, addressed by `(level, layer, row, column)`. Level 0
has the weights themselves, and a text whose matrices fit into one tile has a single one a layer. A tile is a
classic script, since pages that are opened from disk may load nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from attention_gallery.figures.encode import EncodedWeights
from attention_gallery.hashing import digest


class TileAddress(NamedTuple):
    """Where a tile stands; all four count from 0."""

    level: int
    layer: int
    row: int
    column: int

    @property
    def name(self) -> str:
        """`0-3-0-0` for the whole of layer 3."""
        return "-".join(map(str, self))


def whole_layer(layer: int) -> TileAddress:
    """The tile of a layer that has only one."""
    return TileAddress(0, layer, 0, 0)


def tile_version(layers: Iterable[EncodedWeights]) -> str:
    """What tells the tiles of a capture apart from others: a page refuses those of a later build."""
    return digest([[layer.codec, layer.data] for layer in layers])[:12]


def tile_script(address: TileAddress, version: str, weights: EncodedWeights) -> bytes:
    """The file of a tile: a call with its name, version, codec, whether it is deflated, and base64."""
    deflated = "true" if weights.deflated else "false"
    call = f'AG.tile("{address.name}","{version}","{weights.codec}",{deflated},"{weights.data}");\n'
    return call.encode("ascii")
