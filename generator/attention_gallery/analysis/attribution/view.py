"""A view of where a token's information comes from: what it tells, what it does not, how it is worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import StoredAttention


def always(attention: StoredAttention, settings: AnalysisSettings) -> str:
    """No reason for a view to be absent."""
    return ""


@dataclass(frozen=True, slots=True)
class View:
    """One way to tell where a token's information comes from, with what it does not tell.

    layers: float[query, key] after each layer, the shares of what a token draws; None for raw attention,
    which the `SentenceAnalysis` has. absent: why a capture has no such view, "" where it has one.
    """

    name: str
    title: str
    definition: str
    caveat: str
    source: str
    layers: Callable[[StoredAttention], Iterable[NDArray[Any]]] | None = None
    absent: Callable[[StoredAttention, AnalysisSettings], str] = always
