"""Where every token draws from in every layer and view, as compact JSON for the explorer's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.figures.embed import json_for_html

# A share in thousandths and the number of its token share one number. Scripts read it from the element.
STEP = 1024


def flow_views_html(views: Mapping[str, tuple[NDArray[np.int32], NDArray[np.float32]]]) -> str:
    """A data element with one number for each view, layer, token and rank: key · `STEP` + share · 1000.

    `views` are keys int32[layer, token, rank] and shares float32[layer, token, rank] by name. -1 means that
    there is no such key.
    """
    value: dict[str, Any] = {name: _packed(keys, shares).tolist() for name, (keys, shares) in views.items()}
    return (
        f'<script type="application/json" id="flow-views" data-step="{STEP}">{json_for_html(value)}</script>'
    )


def _packed(keys: NDArray[np.int32], shares: NDArray[np.float32]) -> NDArray[np.int32]:
    # Up to 1000, which is below `STEP`: key and share come apart again.
    thousandths = np.rint(np.nan_to_num(shares) * 1000).astype(np.int32)
    packed: NDArray[np.int32] = np.where(keys < 0, -1, keys * STEP + thousandths).astype(np.int32)
    return packed
