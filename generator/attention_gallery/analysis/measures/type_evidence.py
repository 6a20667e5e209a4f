"""The numbers that a head has its types for, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.measures.head_types import (
    BROAD,
    FOCUSED,
    GAINED,
    KINDS,
    MIXED,
    RANDOM,
    SHARES,
    SPARSE,
    Kind,
    Thresholds,
    limit_of,
)
from attention_gallery.records import Float32, HeadType, Int32


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the heads of one layer are judged by, each by name of the measure.

    limits: the share that a head must exceed. uniform: what even attention would give. queries: on how many
    queries a measure rests.
    """

    thresholds: Thresholds
    window: int
    limits: Mapping[str, float]
    uniform: Mapping[str, float]
    queries: Mapping[str, int]

    @classmethod
    def per_layer(
        cls,
        thresholds: Thresholds,
        window: int,
        uniform: Mapping[str, Float32],
        queries: Mapping[str, Int32],
    ) -> tuple[Criteria, ...]:
        """Those of every layer; `uniform` and `queries` are [layer] each. Equal layers share theirs."""
        criteria: list[Criteria] = []
        rows = np.array([*uniform.values(), *queries.values()])
        for layer in range(len(uniform["entropy"])):
            # As bytes, since NaN is not equal to itself.
            if layer and rows[:, layer].tobytes() == rows[:, layer - 1].tobytes():
                criteria.append(criteria[-1])
                continue
            even = {name: float(row[layer]) for name, row in uniform.items()}
            # From focused on, types rest on entropy, whose thresholds no even share moves.
            limits = {kind.measure: limit_of(kind.measure, even, thresholds) for kind in KINDS[:FOCUSED]}
            counts = {name: int(row[layer]) for name, row in queries.items()}
            criteria.append(cls(thresholds, window, limits, even, counts))
        return tuple(criteria)


def type_with_evidence(code: int, numbers: Mapping[str, float], criteria: Criteria) -> HeadType:
    """One type of one head: `numbers` are its measures by name."""
    kind = KINDS[code]
    if code == MIXED:
        evidence = _nearest(numbers, criteria.limits)
    elif code in (FOCUSED, BROAD):
        limit = criteria.thresholds.focused if code == FOCUSED else criteria.thresholds.broad
        side = "threshold: below" if code == FOCUSED else "threshold"
        evidence = f"{_decimals(numbers[kind.measure], limit)} {kind.phrase} ({side} {limit:g})"
    elif on_random_tokens(kind, numbers, criteria):
        evidence = _on_random(kind, numbers, criteria.thresholds)
    else:
        evidence = _share(kind, numbers, criteria)
    return HeadType(kind.name, kind.title, kind.family, evidence)


def on_random_tokens(kind: Kind, numbers: Mapping[str, float], criteria: Criteria) -> bool:
    """Whether the score on random tokens is the evidence for a type, and not the measure on real texts."""
    score = numbers.get(RANDOM.get(kind.measure, ""), math.nan)
    if math.isnan(score) or score <= getattr(criteria.thresholds, kind.measure):
        return False
    share = numbers.get(kind.measure, math.nan)
    rests = criteria.queries.get(kind.measure, 0) >= criteria.thresholds.queries
    return not (rests and share > criteria.limits[kind.measure] and share >= score)


def _on_random(kind: Kind, numbers: Mapping[str, float], thresholds: Thresholds) -> str:
    limit = getattr(thresholds, kind.measure)
    # “of the attention of … goes to their equals”: what comes after holds of random tokens, too.
    phrase = kind.phrase.partition(" goes ")[2]
    score = _decimals(numbers[RANDOM[kind.measure]], limit)
    return f"{score} of the attention of random tokens, read twice, goes {phrase} (threshold {limit:.2g})"


def _share(kind: Kind, numbers: Mapping[str, float], criteria: Criteria) -> str:
    name, limit = kind.measure, criteria.limits[kind.measure]
    phrase = kind.phrase.format(window=criteria.window)
    sentence = f"{_decimals(numbers[name], limit)} {phrase} (threshold {limit:.2g}"
    if name in GAINED:
        sentence += f"; spread evenly it would be {criteria.uniform[name]:.2f}"
    if name in SPARSE:
        sentence += f"; measured on {criteria.queries[name]} tokens"
    return sentence + ")"


def _nearest(numbers: Mapping[str, float], limits: Mapping[str, float]) -> str:
    """Evidence of a mixed head: the share that comes nearest to its threshold."""
    best, ratio = None, 0.0
    for kind in SHARES:
        fraction = numbers.get(kind.measure, 0.0) / limits[kind.measure]
        if fraction > ratio:  # false for NaN
            best, ratio = kind, fraction
    if best is None:
        return "there is nothing to choose between"
    limit = limits[best.measure]
    return f"{_decimals(numbers[best.measure], limit)} {best.phrase}, short of the threshold {limit:.2g}"


def _decimals(value: float, limit: float) -> str:
    """Two decimals, or as many as it takes to show on which side of the limit a value lies."""
    for digits in (2, 3, 4):
        text = f"{value:.{digits}f}"
        if float(text) != round(limit, digits):
            break
    return text
