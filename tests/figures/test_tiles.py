"""The files beside an explorer: named by where they stand, and told apart by version."""

from __future__ import annotations

import base64
import re

from attention_gallery.figures.encode import EncodedWeights
from attention_gallery.figures.tiles import TileAddress, tile_script, tile_version, whole_layer

LAYER = EncodedWeights("sqrt8", base64.b64encode(b"weights").decode(), 0.001, deflated=True)


def test_a_tile_is_named_by_level_layer_row_and_column() -> None:
    assert whole_layer(3) == (0, 3, 0, 0)
    assert TileAddress(1, 12, 0, 4).name == "1-12-0-4"


def test_a_tile_is_one_call() -> None:
    script = tile_script(whole_layer(3), "0123456789ab", LAYER).decode("ascii")
    assert script == f'AG.tile("0-3-0-0","0123456789ab","sqrt8",true,"{LAYER.data}");\n'


def test_other_weights_are_another_version() -> None:
    version = tile_version([LAYER, LAYER])
    assert re.fullmatch("[0-9a-f]{12}", version)
    assert tile_version([LAYER, LAYER]) == version
    assert len({version, tile_version([LAYER]), tile_version([LAYER, LAYER._replace(data="AAAA")])}) == 3
