"""What kind of head a head is: decided from its measures by thresholds, with the numbers as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Float32, HeadType

Int8 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a type begins. A head must go beyond a threshold, not merely reach it.

    previous, next, self, separator and first are shares of attention (Clark et al. 2019 for the first
    two and the separator). A local head keeps more than `local` of its attention within the window, and
    at least `local_gain` of what even attention would put outside the window has moved inside; a diagonal
    head of cross attention does so around the diagonal, with `diagonal` in the place of `local`.
    `broad` and `focused` are shares of the largest possible entropy.
    """

    previous: float = 0.5
    next: float = 0.5
    self: float = 0.5
    separator: float = 0.6
    first: float = 0.6
    local: float = 0.8
    diagonal: float = 0.8
    local_gain: float = 0.5
    broad: float = 0.85
    focused: float = 0.25


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of head: the measure that decides it and how the evidence reads.

    `sign` is +1 where more of the measure makes a clearer case, -1 where less does, 0 for the rest.
    """

    name: str
    title: str
    family: str
    measure: str
    sign: int
    phrase: str
    definition: str


KINDS: tuple[Kind, ...] = (
    Kind(
        "previous-token",
        "Previous-token head",
        "position",
        "previous",
        1,
        "of its attention goes to the previous token",
        "Most of its attention goes to the token just before.",
    ),
    Kind(
        "next-token",
        "Next-token head",
        "position",
        "next",
        1,
        "of its attention goes to the next token",
        "Most of its attention goes to the token just after.",
    ),
    Kind(
        "self",
        "Self head",
        "position",
        "self",
        1,
        "of its attention stays on the token itself",
        "Most of its attention stays on the token itself.",
    ),
    Kind(
        "separator",
        "Separator head",
        "sink",
        "separator",
        1,
        "of its attention goes to special tokens other than the first",
        "Most of its attention rests on special tokens such as [SEP].",
    ),
    Kind(
        "first-token",
        "First-token sink",
        "sink",
        "first",
        1,
        "of its attention goes to the first token",
        "Most of its attention rests on the first token.",
    ),
    Kind(
        "local",
        "Local head",
        "local",
        "local",
        1,
        "of its attention stays within {window} tokens",
        "Nearly all of its attention stays close by, far more than its length alone would explain.",
    ),
    Kind(
        "diagonal",
        "Diagonal head",
        "position",
        "diagonal",
        1,
        "of its attention stays within {window} tokens of the diagonal",
        "It reads both texts at the same pace: nearly all of its attention stays near the diagonal, far more "
        "than their lengths alone would explain.",
    ),
    Kind(
        "focused",
        "Focused head",
        "focused",
        "entropy",
        -1,
        "of the largest possible entropy",
        "Each token looks at very few others, at no fixed place.",
    ),
    Kind(
        "broad",
        "Broad head",
        "broad",
        "entropy",
        1,
        "of the largest possible entropy",
        "Attention is spread almost evenly.",
    ),
    Kind("mixed", "Mixed head", "mixed", "", 0, "", "No measure passes its threshold."),
)
SHARES = KINDS[:5]
LOCAL, DIAGONAL, FOCUSED, BROAD, MIXED = 5, 6, 7, 8, 9


def classify(values: Mapping[str, Float32], uniform: Mapping[str, float], thresholds: Thresholds) -> Int8:
    """The type of every head, as an index into `KINDS`: int8[layer, head].

    values: measures by name, each float32[layer, head]; a missing or NaN measure decides nothing.
    uniform: what even attention would give. A head that passes several shares is what it is most;
    then come local or diagonal, focused and broad, in this order.
    """
    entropy = values["entropy"]
    nothing = np.full(entropy.shape, -1, dtype=np.float32)
    shares = np.stack([_known(values, kind.measure, nothing) for kind in SHARES])
    limits = np.array([getattr(thresholds, kind.measure) for kind in SHARES], dtype=np.float32)
    passing = np.where(shares > limits[:, None, None], shares, np.float32(-1))
    codes = np.full(entropy.shape, MIXED, dtype=np.int8)
    codes[entropy > thresholds.broad] = BROAD
    codes[entropy < thresholds.focused] = FOCUSED
    for code in (LOCAL, DIAGONAL):
        near = _known(values, KINDS[code].measure, nothing)
        codes[near > near_limit(code, uniform, thresholds)] = code
    best = passing.argmax(axis=0).astype(np.int8)
    return np.where(passing.max(axis=0) > 0, best, codes)


def near_limit(code: int, uniform: Mapping[str, float], thresholds: Thresholds) -> float:
    """The mass that a local or diagonal head must exceed; 1 where even attention is all within the window."""
    measure = KINDS[code].measure
    even = uniform.get(measure, 1.0)
    least: float = getattr(thresholds, measure)
    return max(least, even + thresholds.local_gain * (1 - even))


def strength(code: int, values: Mapping[str, Float32]) -> Float32:
    """How clear a case of `KINDS[code]` each head is, for ranking: float32[layer, head]."""
    kind = KINDS[code]
    if kind.measure not in values:
        return np.full(values["entropy"].shape, -np.inf, dtype=np.float32)
    ranked = values[kind.measure] * np.float32(kind.sign)
    return np.where(np.isnan(ranked), np.float32(-np.inf), ranked)


def head_type(
    code: int,
    numbers: Mapping[str, float],
    uniform: Mapping[str, float],
    thresholds: Thresholds,
    window: int,
) -> HeadType:
    """The type of one head with its evidence: `numbers` are its measures by name."""
    kind = KINDS[code]
    return HeadType(kind.name, kind.title, kind.family, _evidence(code, numbers, uniform, thresholds, window))


def _evidence(
    code: int,
    numbers: Mapping[str, float],
    uniform: Mapping[str, float],
    thresholds: Thresholds,
    window: int,
) -> str:
    kind = KINDS[code]
    if code == MIXED:
        return _nearest(numbers, thresholds)
    value = numbers[kind.measure]
    if code in (LOCAL, DIAGONAL):
        limit = near_limit(code, uniform, thresholds)
        even = f"; spread evenly it would be {uniform[kind.measure]:.2f}"
        return f"{_beside(value, limit)} {kind.phrase.format(window=window)} (threshold {limit:.2g}{even})"
    if code == FOCUSED:
        return f"{_beside(value, thresholds.focused)} {kind.phrase} (threshold: below {thresholds.focused:g})"
    limit = thresholds.broad if code == BROAD else getattr(thresholds, kind.measure)
    return f"{_beside(value, limit)} {kind.phrase} (threshold {limit:g})"


def _nearest(numbers: Mapping[str, float], thresholds: Thresholds) -> str:
    """Evidence of a mixed head: the share that comes nearest to its threshold."""
    best, ratio = None, 0.0
    for kind in SHARES:
        value = numbers.get(kind.measure, 0.0)
        part = value / getattr(thresholds, kind.measure)
        if part > ratio:  # false for NaN
            best, ratio = kind, part
    if best is None:
        return "there is nothing to choose between"
    limit = getattr(thresholds, best.measure)
    return f"{_beside(numbers[best.measure], limit)} {best.phrase}, short of the threshold {limit:g}"


def _beside(value: float, limit: float) -> str:
    """Two decimals, or as many as it takes to show on which side of the limit a value lies."""
    for digits in (2, 3, 4):
        text = f"{value:.{digits}f}"
        if float(text) != round(limit, digits):
            break
    return text


def _known(values: Mapping[str, Float32], name: str, nothing: Float32) -> Float32:
    found = values.get(name, nothing)
    return np.where(np.isnan(found), nothing, found)
