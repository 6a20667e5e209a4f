"""What every token looks at and draws from in every layer: a script beside the explorer, for its tables.

A page arrives with the tables of one token. The numbers of the others come when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.addresses.routes import TOKEN_DATA
from attention_gallery.figures.describe import Described
from attention_gallery.figures.embed import json_for_html

# A share in thousandths and the number of its token share one number. Scripts read it from the file.
STEP = 1024
TopKeys = tuple[NDArray[np.int32], NDArray[np.float32]]


def token_data_html(version: str) -> str:
    """The element that tells scripts where the numbers are; `version` must be that of the file."""
    place = json_for_html({"src": TOKEN_DATA, "version": version})
    return f'<script type="application/json" id="token-data">{place}</script>'


def token_data_script(version: str, analysis: Described, flows: Mapping[str, TopKeys]) -> bytes:
    """The file: a call with its version, and `traces` and `flows` as JSON.

    Of traces the keys are int32[layer, token, rank], -1 where there is none, and the weights thousandths;
    `content` leaves special tokens out, which otherwise hide what happens between words. `flows` are by name
    of the view [layer, token, rank], one number each: key · `step` + share · 1000, or -1.
    """
    value: dict[str, Any] = {
        "traces": {
            "keys": analysis.top_keys.tolist(),
            "weights": _thousandths(analysis.top_weights).tolist(),
            "content_keys": analysis.top_content_keys.tolist(),
            "content_weights": _thousandths(analysis.top_content_weights).tolist(),
        },
        "step": STEP,
        "flows": {name: _packed(keys, shares).tolist() for name, (keys, shares) in flows.items()},
    }
    return f'AG.tokenFile("{version}",{json_for_html(value)});\n'.encode()


def _thousandths(shares: NDArray[np.float32]) -> NDArray[np.int32]:
    # Three digits are all that the tables show, and shorter than a float.
    return np.rint(np.nan_to_num(shares) * 1000).astype(np.int32)


def _packed(keys: NDArray[np.int32], shares: NDArray[np.float32]) -> NDArray[np.int32]:
    # Up to 1000, which is below `STEP`: key and share come apart again.
    packed: NDArray[np.int32] = np.where(keys < 0, -1, keys * STEP + _thousandths(shares)).astype(np.int32)
    return packed
