"""What kind of head a head is: decided from its measures by thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Float32, Int32

Int8 = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a type begins. A head must go beyond a threshold, not merely reach it.

    previous, next, self, separator, first, punctuation, duplicate and induction are shares of attention
    (Clark et al. 2019 for the first two, the separator and punctuation). A local head keeps more than `local`
    of its attention within the window, a diagonal head of cross attention more than `diagonal` around the
    diagonal. For these two, and for punctuation, duplicate and induction, at least `gain` of what even
    attention would put elsewhere must have moved there. The last three must rest on `queries` tokens or more.
    `broad` and `focused` are shares of the largest possible entropy.
    """

    previous: float = 0.5
    next: float = 0.5
    self: float = 0.5
    separator: float = 0.6
    first: float = 0.6
    punctuation: float = 0.6
    duplicate: float = 0.5
    induction: float = 0.5
    queries: int = 4
    local: float = 0.8
    diagonal: float = 0.8
    gain: float = 0.5
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
    phrase: str
    definition: str
    sign: int = 1


KINDS: tuple[Kind, ...] = (
    Kind(
        "previous-token",
        "Previous-token head",
        "position",
        "previous",
        "of its attention goes to the previous token",
        "Most of its attention goes to the token just before.",
    ),
    Kind(
        "next-token",
        "Next-token head",
        "position",
        "next",
        "of its attention goes to the next token",
        "Most of its attention goes to the token just after.",
    ),
    Kind(
        "self",
        "Self head",
        "position",
        "self",
        "of its attention stays on the token itself",
        "Most of its attention stays on the token itself.",
    ),
    Kind(
        "separator",
        "Separator head",
        "sink",
        "separator",
        "of its attention goes to special tokens other than the first",
        "Most of its attention rests on special tokens such as [SEP].",
    ),
    Kind(
        "first-token",
        "First-token sink",
        "sink",
        "first",
        "of its attention goes to the first token",
        "Most of its attention rests on the first token.",
    ),
    Kind(
        "punctuation",
        "Punctuation head",
        "sink",
        "punctuation",
        "of its attention goes to punctuation",
        "Most of its attention rests on punctuation.",
    ),
    Kind(
        "duplicate-token",
        "Duplicate-token head",
        "repeat",
        "duplicate",
        "of the attention of tokens that occur elsewhere goes to their equals",
        "A token that occurs elsewhere looks mostly at its equals.",
    ),
    Kind(
        "induction",
        "Induction head",
        "repeat",
        "induction",
        "of the attention of tokens that came before goes to what came next then",
        "A token that came before looks mostly at what came next then.",
    ),
    Kind(
        "local",
        "Local head",
        "local",
        "local",
        "of its attention stays within {window} tokens",
        "Nearly all of its attention stays close by, far more than its length alone would explain.",
    ),
    Kind(
        "diagonal",
        "Diagonal head",
        "position",
        "diagonal",
        "of its attention stays within {window} tokens of the diagonal",
        "It reads both texts at the same pace: nearly all of its attention stays near the diagonal, far more "
        "than their lengths alone would explain.",
    ),
    Kind(
        "focused",
        "Focused head",
        "focused",
        "entropy",
        "of the largest possible entropy",
        "Each token looks at very few others, at no fixed place.",
        sign=-1,
    ),
    Kind(
        "broad",
        "Broad head",
        "broad",
        "entropy",
        "of the largest possible entropy",
        "Attention is spread almost evenly.",
    ),
    Kind("mixed", "Mixed head", "mixed", "", "", "No measure passes its threshold.", sign=0),
)
_CODES = {kind.name: code for code, kind in enumerate(KINDS)}
LOCAL, DIAGONAL, FOCUSED, BROAD, MIXED = (
    _CODES[name] for name in ("local", "diagonal", "focused", "broad", "mixed")
)
SHARES = KINDS[: _CODES["duplicate-token"]]
# Types that say where a head looks. The others say only how far or how sharply, which follows from these.
SPECIFIC = KINDS[:LOCAL]
# The code of a second type for a head that has none.
NONE = -1
# Scores on random tokens that are evidence for a type as well as the measure on real texts.
RANDOM = {"duplicate": "random-duplicate", "induction": "random-induction"}
# Measures that may rest on so few queries that they tell nothing.
SPARSE = frozenset({"punctuation", "duplicate", "induction"})
# Measures that even attention can make large: how much of the rest must have moved is asked, too.
GAINED = SPARSE | {"local", "diagonal"}


def decide_types(
    values: Mapping[str, Float32],
    uniform: Mapping[str, Float32],
    thresholds: Thresholds,
    queries: Mapping[str, Int32],
) -> tuple[Int8, Int8]:
    """The types of every head, as indices into `KINDS`: the first, and a second or `NONE`, int8[layer, head].

    values: measures by name, each float32[layer, head]; a missing or NaN measure decides nothing.
    uniform: what even attention would give, queries: on how many queries a measure rests, [layer] each.
    Of the types that say where a head looks all that pass are weighed by what their shares of attention tell
    against even attention: the weightiest comes first, and the next is the second type. Where none passes it
    is local or diagonal, focused or broad, or else mixed.
    """
    evidence = _Evidence(values, uniform, thresholds, queries)
    entropy = values["entropy"]
    codes = np.full(entropy.shape, MIXED, dtype=np.int8)
    # What comes later takes the place of what comes before.
    codes[entropy > thresholds.broad] = BROAD
    codes[entropy < thresholds.focused] = FOCUSED
    for code in (LOCAL, DIAGONAL):
        codes[evidence.passing(KINDS[code].measure) > 0] = code
    weights = np.stack([evidence.weight(kind) for kind in SPECIFIC])
    # Stable: of equal weights the kind that is listed first comes first.
    order = np.argsort(-weights, axis=0, kind="stable")[:2]
    first, second = np.take_along_axis(weights, order, axis=0) > 0
    codes = np.where(first, order[0], codes).astype(np.int8)
    return codes, np.where(second, order[1], NONE).astype(np.int8)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What `decide_types` decides from."""

    values: Mapping[str, Float32]
    uniform: Mapping[str, Float32]
    thresholds: Thresholds
    queries: Mapping[str, Int32]

    def passing(self, name: str) -> Float32:
        """One measure where it is beyond its threshold, else -1: float32[layer, head]."""
        if name not in self.values:
            return np.full(self.values["entropy"].shape, -1, dtype=np.float32)
        evens = np.atleast_1d(self.uniform.get(name, np.float32(1))).tolist()
        limits = [limit_of(name, {name: even}, self.thresholds) for even in evens]
        # A threshold is to be exceeded, as the evidence says; NaN is not.
        beyond = self.values[name] > np.array(limits, np.float32)[:, None]  # false for NaN
        if name in SPARSE:
            beyond &= np.atleast_1d(self.queries[name] >= self.thresholds.queries)[:, None]
        return np.where(beyond, self.values[name], np.float32(-1))

    def weight(self, kind: Kind) -> Float32:
        """What the share of a kind tells against even attention, -1 where it does not pass.

        float32[layer, head], the Kullback-Leibler divergence in bits of the share and the rest from what even
        attention gives to the two; of measure and score on random tokens the larger. Where no even share is
        known, the share.
        """
        best = np.full(self.values["entropy"].shape, -1, dtype=np.float32)
        for name in filter(None, (kind.measure, RANDOM.get(kind.measure))):
            share = weight = self.passing(name)
            if name in self.uniform:
                # Off the ends, where logarithms are infinite.
                even = np.clip(np.atleast_1d(self.uniform[name]), 1e-6, 1 - 1e-6).astype(np.float32)[:, None]
                known = np.clip(share, 1e-6, 1 - 1e-6)
                weight = known * np.log2(known / even) + (1 - known) * np.log2((1 - known) / (1 - even))
            best = np.maximum(best, np.where(share > 0, weight, np.float32(-1)))
        return best


def limit_of(measure: str, uniform: Mapping[str, float], thresholds: Thresholds) -> float:
    """The share that a head must exceed; 1 where even attention has all of it."""
    least: float = getattr(thresholds, measure.removeprefix("random-"))
    even = uniform.get(measure, 1.0)
    if measure not in GAINED or even != even:
        return least
    # In a short text even attention has most of it near by: a threshold by itself would say nothing.
    return max(least, even + thresholds.gain * (1 - even))


def strength(code: int, values: Mapping[str, Float32]) -> Float32:
    """How clear a case of `KINDS[code]` each head is, for ranking: float32[layer, head]."""
    kind = KINDS[code]
    if kind.measure not in values:
        return np.full(values["entropy"].shape, -np.inf, dtype=np.float32)
    ranked = values[kind.measure] * np.float32(kind.sign)
    return np.where(np.isnan(ranked), np.float32(-np.inf), ranked)


def names_of(*codes: int) -> tuple[str, ...]:
    """The names of the types of a head."""
    return tuple(KINDS[code].name for code in codes if code != NONE)


def count_types(types: Int8, also: Int8) -> tuple[tuple[str, int], ...]:
    """How many heads have each type, in the order of `KINDS`; a head of two counts for both."""
    codes = np.concatenate([types.ravel(), also[also != NONE]])
    counts = np.bincount(codes, minlength=len(KINDS)).tolist()
    return tuple((kind.name, count) for kind, count in zip(KINDS, counts, strict=True) if count)
