"""Where each token's information comes from, in other ways than by raw attention, so that it can be compared.

A view gives for each layer and token the tokens that it draws from most. Raw attention itself is kept in the
`SentenceAnalysis`, with as many keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.kept import code_digest, pack, unpack
from attention_gallery.analysis.pairs import strongest_keys
from attention_gallery.analysis.rollout import rollout
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import Float32, Int32, StoredAttention

MAGIC = b"attention-gallery flow views 1\n"
_DTYPES = {"rollout_keys": "<i4", "rollout_shares": "<f4"}


@dataclass(frozen=True, eq=False)
class FlowViews:
    """The strongest sources of each token in each layer, by every view but raw attention.

    Keys are int32[layer, query, rank], strongest first, -1 where there are fewer; shares are
    float32[layer, query, rank], 0 to 1 of all that the token draws. A view that there is none of has arrays
    without elements.
    """

    rollout_keys: Int32
    rollout_shares: Float32

    def top(self, name: str) -> tuple[Int32, Float32] | None:
        """Keys and shares of one view, None where there is none."""
        keys: Int32 = getattr(self, f"{name}_keys")
        return (keys, getattr(self, f"{name}_shares")) if keys.size else None


def flow_views(attention: StoredAttention, settings: AnalysisSettings) -> FlowViews:
    """Every view of one capture, layer by layer; `settings.top_keys` sources of each token.

    Cross attention has no rollout. Raises `DamagedEntry` when a layer cannot be read.
    """
    count = settings.top_keys
    keys, shares = _strongest(rollout(attention), count) if attention.facts.kind != "cross" else _nothing()
    return FlowViews(keys, shares)


def _strongest(layers: Any, count: int) -> tuple[Int32, Float32]:
    found = [strongest_keys(layer.astype(np.float32), count) for layer in layers]
    return np.stack([keys for keys, _ in found]), np.stack([shares for _, shares in found])


def _nothing() -> tuple[Int32, Float32]:
    return np.zeros((0, 0, 0), np.int32), np.zeros((0, 0, 0), np.float32)


def views_key(capture_key: str, settings: AnalysisSettings) -> str:
    """SHA-256 of all that can change the views: the capture, the settings and the code."""
    return digest({"code": code_digest(), "views": capture_key, "settings": settings.model_dump(mode="json")})


def save_views(views: FlowViews) -> bytes:
    """The views as bytes; equal views give equal bytes."""
    arrays: dict[str, NDArray[Any]] = {
        name: getattr(views, name).astype(dtype, copy=False) for name, dtype in _DTYPES.items()
    }
    return pack(MAGIC, {}, arrays)


def load_views(data: bytes) -> FlowViews:
    """The views that `save_views` wrote. Raises `DamagedEntry` for any other bytes."""
    return FlowViews(**unpack(MAGIC, data, _DTYPES)[1])
