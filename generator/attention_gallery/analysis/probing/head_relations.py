"""Which relation each head follows best, of all that a probe asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probing.intervals import Float64
from attention_gallery.analysis.probing.probe import HalvedHits, Probe, RelationScore
from attention_gallery.analysis.probing.relation_tests import LEVEL

LayerHead = tuple[int, int]


@dataclass(frozen=True, slots=True)
class HeadRelation:
    """How often one head is right about one kind of relation, on the half of sentences to score on.

    `direction` and `baseline`, how often the best fixed offset is right there, are those of `BestHead`, and
    so is `adjusted`, the corrected p-value, 0.05 at most. `best`: whether this head was chosen as the best of
    all for the kind.
    """

    kind: str
    title: str
    direction: int
    right: int
    examples: int
    baseline: float
    best: bool
    adjusted: float = 1.0

    @property
    def share(self) -> float:
        """The share that was right, 0 to 1."""
        return self.right / self.examples


def head_relations(probe: Probe) -> dict[LayerHead, HeadRelation]:
    """The relation that each head follows best, for the heads that follow any better than guessing does.

    For a head that is the best of all at some kinds, the one of these that it is right about most often. For
    any other, of the kinds at which it stands out, the one at which it leads the best fixed offset by most on
    the half of the sentences to choose on. Relations to neighbouring words are only told of their best heads.
    """
    scores = [score for score in probe.result() if score.best is not None]
    halves = [probe.halved(score.kind) for score in scores]
    leading = _leading(scores, halves)
    best: dict[LayerHead, HeadRelation] = {}
    for score, halved in zip(scores, halves, strict=True):
        if score.best is not None and score.best.stands_out:
            head = (score.best.layer, score.best.head)
            relation = _relation(score, halved, (score.best.direction, *head), best=True)
            # Of equal shares the first stays: scores come by group, the most frequent kind first.
            if head not in best or relation.share > best[head].share:
                best[head] = relation
    return {**leading, **best}


def _leading(scores: list[RelationScore], halves: list[HalvedHits]) -> dict[LayerHead, HeadRelation]:
    gains = [_gain(score, halved) for score, halved in zip(scores, halves, strict=True)]
    if not gains:
        return {}
    stacked = np.stack(gains)
    kinds, directions, layers, heads = stacked.shape
    leading = np.moveaxis(stacked, (2, 3), (0, 1)).reshape(layers, heads, kinds * directions)
    relations: dict[LayerHead, HeadRelation] = {}
    for layer, head in np.argwhere(np.isfinite(leading.max(axis=2))).tolist():
        kind, direction = divmod(int(leading[layer, head].argmax()), directions)
        relations[layer, head] = _relation(scores[kind], halves[kind], (direction, layer, head), best=False)
    return relations


def _gain(score: RelationScore, halved: HalvedHits) -> Float64:
    """By how much each head leads the offset where heads are chosen: float64[direction, layer, head].

    Minus infinity for those that do not stand out.
    """
    gain: NDArray[np.float64] = (halved.chosen - halved.chosen_offset) / score.chosen_on
    adjusted = _adjusted(score)
    # A neighbour is what a fixed offset is always right about: nothing leads it.
    if score.group == "positional" or adjusted is None:
        return np.full_like(gain, -np.inf)
    return np.where(adjusted <= LEVEL, gain, -np.inf)


def _adjusted(score: RelationScore) -> Float64 | None:
    """The corrected p-values of all heads, float64[direction, layer, head], where there was a test."""
    return None if score.heads is None else score.heads.adjusted


def _relation(
    score: RelationScore, halved: HalvedHits, at: tuple[int, int, int], *, best: bool
) -> HeadRelation:
    adjusted = _adjusted(score)
    return HeadRelation(
        kind=score.kind,
        title=score.title,
        direction=at[0],
        right=int(halved.scored[at]),
        examples=score.scored_on,
        baseline=halved.scored_offset / score.scored_on,
        best=best,
        adjusted=1.0 if adjusted is None else float(adjusted[at]),
    )
