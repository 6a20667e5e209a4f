"""What an explorer says beside raw attention: other views of the flow, and predictions.

The rules of `contexts` hold here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup


class SourceView(NamedTuple):
    """Where one token draws from in one view: sources as in a `TraceRow`, or in `absent` why there are none.

    `definition`, `caveat` and `source` say what the view is.
    """

    name: str
    title: str
    definition: str
    caveat: str
    source: str
    keys: tuple[tuple[str, int, str, float], ...] = ()
    absent: str = ""


class SinkRow(NamedTuple):
    """What of a head rests on tokens that say nothing of the text: raw, and weighted by vector lengths."""

    name: str
    href: str
    raw: str
    raw_percent: int
    norm: str
    norm_percent: int


class SinkTable(NamedTuple):
    """The heads whose rest changes most when vectors count by their length, and all heads in one sentence."""

    summary: str
    rows: tuple[SinkRow, ...]


class SourceTable(NamedTuple):
    """The views of one token side by side, after one layer.

    `data` is empty: what it once held is in the file that `traces` tells of. `sinks` is None where the
    lengths of vectors are not known.
    """

    token: str
    layer: int
    ranks: int
    views: tuple[SourceView, ...]
    sinks: SinkTable | None = None
    data: Markup = Markup()


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """What a model expects at one token: (text, probability as text, probability), likeliest first.

    `came` is the token that does follow, with its probability; "" where none does, and for masks.
    """

    token: str
    index: int
    expected: tuple[tuple[str, str, float], ...]
    came: str = ""
    came_share: str = ""
    came_part: float = 0.0


class PredictionTable(NamedTuple):
    """What a model expects after each token, or, `masked`, at each mask.

    `absent` says why there are no rows.
    """

    masked: bool
    ranks: int
    rows: tuple[PredictionRow, ...] = ()
    absent: str = ""
