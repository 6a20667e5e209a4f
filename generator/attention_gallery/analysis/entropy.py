"""The entropy of rows of attention, as distances and lengths need it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def negative_entropy(shares: Floats, room: Floats | None = None) -> NDArray[np.float64]:
    """The sum over keys of share times its logarithm, in bits: float64[...] of [..., key].

    `room` is written over.
    """
    # What is added keeps the logarithm finite; it is lost on any share but zero.
    logarithms = np.add(shares, np.finfo(shares.dtype).tiny, out=room)
    np.log2(logarithms, out=logarithms)
    entropies: NDArray[np.float64] = np.vecdot(shares, logarithms).astype(np.float64, copy=False)
    return entropies
