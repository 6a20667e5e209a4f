"""What every token looks at in every layer, as compact JSON for the explorer's table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.figures.describe import Described
from attention_gallery.figures.embed import json_for_html


def traces_html(analysis: Described) -> str:
    """A data element with key indexes int32[layer, token, rank] and weights in thousandths.

    An index of -1 means that there is no such key. "content" leaves special tokens out, which
    otherwise hide what happens between words.
    """
    value: dict[str, Any] = {
        "keys": analysis.top_keys.tolist(),
        "weights": _thousandths(analysis.top_weights),
        "content_keys": analysis.top_content_keys.tolist(),
        "content_weights": _thousandths(analysis.top_content_weights),
    }
    return f'<script type="application/json" id="traces">{json_for_html(value)}</script>'


def _thousandths(weights: NDArray[np.float32]) -> Any:
    # Three digits are all that the table shows, and shorter than a float.
    return np.rint(np.nan_to_num(weights) * 1000).astype(np.int32).tolist()
