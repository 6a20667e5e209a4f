"""What the length of a text does to heads: entropy, local mass and mass on sinks of one capture.

Only queries that see many keys are asked: those that see at least half as many as the query that sees most.
In an encoder these are all. In a causal model they are the second half, without which the mean of a long text
would be made of the same short rows as that of a short one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack_fields, unpack_fields
from attention_gallery.analysis.entropy import negative_entropy
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.records import Bool, Float32, StoredAttention

LengthMeasure = Literal["bits", "entropy", "local", "first", "sink"]
MEASURES: tuple[LengthMeasure, ...] = ("bits", "entropy", "local", "first", "sink")

_MAGIC = b"attention-gallery length 1\n"


@dataclass(frozen=True, slots=True, eq=False)
class LengthReading:
    """The heads of a model on a text of one length.

    tokens, left_out: how many tokens were read and how many were not. asked: how many queries count.
    values: float32[measure, layer, head] in the order of `MEASURES`: entropy in bits, 0 to log2(tokens), and
    as a share of the maximum; the shares of attention within the window, on the first token, and on the key
    that gets most. Shares are 0 to 1; NaN where no query counts. even: float32[measure], what evenly spread
    attention gives.
    """

    tokens: int
    left_out: int
    asked: int
    values: Float32
    even: Float32


def read_length(attention: StoredAttention, window: int) -> LengthReading:
    """Measure every head of one capture, a layer at a time."""
    layout = layout_of(attention, window)
    asked = _asked(layout)
    layers = [
        _measure(attention.layer(index).weights, layout, asked) for index in range(attention.facts.layers)
    ]
    even = _measure(layout.uniform()[None], layout, asked)[:, 0]
    tokens = attention.tokens
    return LengthReading(len(tokens), tokens.left_out, int(asked.sum()), np.stack(layers, axis=1), even)


def _asked(layout: Layout) -> Bool:
    """The queries that see many keys, bool[query]."""
    many: Bool = layout.visible * 2 >= layout.visible.max(initial=0)
    return many & layout.choosing


def _measure(weights: Float32, layout: Layout, asked: Bool) -> Float32:
    """float32[measure, head] of weights float32[head, query, key]."""
    if not asked.any():
        return np.full((len(MEASURES), len(weights)), np.nan, np.float32)
    # In double precision: of long texts thousands of small weights are added.
    rows = weights[:, asked].astype(np.float64)
    # Of a row with a single weight rounding may leave less than nothing.
    bits = np.maximum(-negative_entropy(rows), 0)
    near = (layout.distance[asked] <= layout.window).astype(np.float64)
    mass = _column_mass(rows, np.flatnonzero(asked), layout.keys)
    measured = {
        "bits": bits.mean(axis=1),
        "entropy": (bits / np.log2(layout.visible[asked])).mean(axis=1),
        "local": (rows * near).sum(axis=2).mean(axis=1),
        "first": mass[:, 0],
        "sink": mass[:, _seen_by_all(layout, asked)].max(axis=1),
    }
    values: Float32 = np.stack([measured[name] for name in MEASURES]).astype(np.float32)
    return values


def _column_mass(rows: NDArray[np.float64], queries: NDArray[np.intp], keys: int) -> NDArray[np.float64]:
    """What each key gets from these queries on average, its own look at itself left out.

    float64[head, key]. A query that does not see a key gives it nothing.
    """
    own = np.zeros((len(queries), keys), bool)
    own[np.arange(len(queries)), queries] = True
    # No query may be left, where the only one is the key itself.
    others = np.maximum(1, len(queries) - own.sum(axis=0))
    mass: NDArray[np.float64] = np.where(own, 0.0, rows).sum(axis=1) / others
    return mass


def _seen_by_all(layout: Layout, asked: Bool) -> Bool:
    """The keys that every query which counts can see, bool[key]."""
    return np.asarray(layout.seen()[asked].all(axis=0))


PREFIX_READING: Result[LengthReading] = Result(
    name="prefix reading",
    needs=("capture",),
    settings=("window",),
    compute=lambda captures, settings, about: read_length(next(captures), settings.window),
    dump=partial(pack_fields, _MAGIC),
    load=lambda data, about: unpack_fields(_MAGIC, LengthReading, data),
    subjects=lambda inventory: map(Subject.from_key, inventory.prefixes),
)
