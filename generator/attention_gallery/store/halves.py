"""Half precision to single precision, exactly and fast: numpy's own conversion goes number by number.

Without it measuring a text of 512 tokens takes a sixth longer, and its other views twice as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Float32

# The bits of the first half that is no number; negative ones have larger bits still.
_INFINITE = 0x7C00
# So many at a time, so that all steps find them in the processor's cache.
_STEP = 2**16
# What the exponent of a single is larger by, and the least half with all its digits.
_BIAS = np.uint32((127 - 15) << 23)
_LEAST = np.float32(2.0**-14)


def widened(weights: NDArray[Any]) -> Float32:
    """The same numbers, float16 or float32, as float32 of their own."""
    if weights.dtype != np.float16 or weights.view(np.uint16).max(initial=0) >= _INFINITE:
        return weights.astype(np.float32)
    room = np.empty(weights.size, np.float32)
    bits = weights.reshape(-1).view(np.uint16)
    twice = np.empty(min(bits.size, _STEP), np.float32)
    for start in range(0, bits.size, _STEP):
        single = room[start : start + _STEP]
        moved = single.view(np.uint32)
        moved[:] = bits[start : start + _STEP]
        moved <<= 13
        moved += _BIAS
        # Halves below the least x have no leading 1, which was now read into them as (x + least) / 2.
        # Doubling that and taking the least away makes them x again, and every other number larger.
        double = np.add(single, single, out=twice[: single.size])
        double -= _LEAST
        np.minimum(single, double, out=single)
    return room.reshape(weights.shape)
