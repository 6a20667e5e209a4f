"""What the linear measures look for: which keys count, how much, and for which queries.

A measure is linear when it is a mean over queries of sums of weights times fixed numbers. All such
measures are taken together, and what chance would give them is known without any draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.measures.attention_layout import Layout
from attention_gallery.records import Bool, Float32


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The mean over `rows` of the sum over keys of weight times `worth`.

    worth: float32[query, key]; what a query cannot see has no weight, so that its worth is never asked.
    rows: bool[query], the queries that count; none where the measure is not defined.
    """

    worth: Float32
    rows: Bool

    @classmethod
    def where_any(cls, looked_for: Bool) -> Pattern:
        """The mass on the pairs looked for, bool[query, key], over the queries that have one."""
        rows: Bool = np.any(looked_for, axis=1)
        return cls(looked_for.astype(np.float32), rows)


def distance(layout: Layout) -> Pattern:
    """How far apart query and key are."""
    return Pattern(layout.distance, _all(layout))


def near(layout: Layout) -> Pattern:
    """Keys within the window."""
    return Pattern((layout.distance <= layout.window).astype(np.float32), _all(layout))


def diagonality(layout: Layout) -> Pattern:
    """1 on the diagonal, 0 at the largest distance that the texts allow."""
    longest = layout.distance.max(initial=0)
    if longest == 0:
        return Pattern(np.zeros_like(layout.distance), np.zeros(layout.queries, dtype=bool))
    return Pattern(np.float32(1) - layout.distance / longest, layout.choosing)


def itself(layout: Layout) -> Pattern:
    """The query itself."""
    return Pattern(np.eye(layout.queries, layout.keys, dtype=np.float32), layout.choosing)


def previous(layout: Layout) -> Pattern:
    """The token just before."""
    return Pattern.where_any(layout.in_sight & np.eye(layout.queries, layout.keys, -1, dtype=bool))


def following(layout: Layout) -> Pattern:
    """The token just after."""
    return Pattern.where_any(layout.in_sight & np.eye(layout.queries, layout.keys, 1, dtype=bool))


def first(layout: Layout) -> Pattern:
    """The first token."""
    worth = np.zeros((layout.queries, layout.keys), dtype=np.float32)
    worth[:, :1] = 1
    return Pattern(worth, layout.choosing & layout.in_sight[:, :1].any(axis=1))


def separators(layout: Layout) -> Pattern:
    """Special tokens other than the first."""
    return Pattern.where_any(layout.in_sight & layout.separators)


def punctuation(layout: Layout) -> Pattern:
    """Punctuation other than the first token and the query itself."""
    signs = layout.in_sight & layout.punctuation
    if layout.kind != "cross":
        np.fill_diagonal(signs, False)
    return Pattern.where_any(signs)


def duplicates(layout: Layout) -> Pattern:
    """Equal content tokens, which must be two or more apart unless they are of different texts."""
    return Pattern.where_any(layout.in_sight & layout.equal & (layout.far > 0))


def induction(layout: Layout) -> Pattern:
    """The content token after an earlier equal one, two or more before the query."""
    after = np.zeros_like(layout.equal)
    after[:, 1:] = layout.equal[:, :-1]
    return Pattern.where_any(layout.in_sight & np.tril(after, -2) & (layout.far > 0))


def _all(layout: Layout) -> Bool:
    return np.ones(layout.queries, dtype=bool)
