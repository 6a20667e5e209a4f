"""Which head knows a relation, how well, and against what: probes over many sentences.

For every kind of relation and in both directions: the head that picks the right word most often (Clark et al.
2019, What Does BERT Look At?, section 4.2), beside the best fixed offset. Chosen on one half of the sentences
and scored on the other, since the best of hundreds of heads is partly the luckiest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.examples import OFFSETS, Examples
from attention_gallery.analysis.probe import UNREAD, Int16
from attention_gallery.analysis.relations import GROUPS, GoldSentence, Group, group_of, kind_title

Counts = NDArray[np.uint16]
Mode = Literal["halves", "same"]

LEAST_EXAMPLES = 10
LEAST_SENTENCES = 5
RESAMPLES = 1000
CONFIDENCE = 0.95
_SEED = 20190611


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often something was right. `low` to `high` is a 95 % bootstrap interval of the share.

    The interval comes from resampling whole sentences, since the examples of one sentence hang together.
    """

    right: int
    examples: int
    sentences: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share that was right, 0 to 1."""
        return self.right / self.examples


@dataclass(frozen=True, slots=True)
class BestHead:
    """The head that was chosen for a relation.

    `direction` 0: of all words, `from` looks most at `to`; 1: of all words, it is `to` that looks most at
    `from`. `offset` is the fixed offset from `from`, in words, that was best where the head was chosen, and
    `baseline` how often it is right where the head is scored.
    """

    layer: int
    head: int
    direction: int
    accuracy: Accuracy
    offset: int
    baseline: float


@dataclass(frozen=True, slots=True, eq=False)
class HeadScores:
    """How often every head is right on the half to score on: shares float64[layer, head], 0 to 1.

    directions: int8[layer, head], in which direction each was asked: the one in which it is right more often
    on the half to choose on.
    """

    shares: NDArray[np.float64]
    directions: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class RelationScore:
    """What is known of one kind of relation under one model.

    examples, sentences: of all. chosen_on, scored_on: examples of the two halves (the same in mode "same").
    seen: for each direction, in how many of all examples one word can see the other at all; in a causal model
    none looks ahead. best, heads: None where there are too few examples, or no direction can be seen.
    """

    kind: str
    title: str
    group: Group
    examples: int
    sentences: int
    chosen_on: int
    scored_on: int
    seen: tuple[int, int]
    best: BestHead | None
    heads: HeadScores | None = field(default=None, repr=False, compare=False)

    @property
    def impossible(self) -> bool:
        """Whether no head could ever be right, in either direction."""
        return self.seen == (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class HalvedHits:
    """How often heads are right about one kind, where heads are chosen and where they are scored.

    chosen, scored: int64[direction, layer, head]. chosen_offset, scored_offset: how often the fixed offset is
    right that is best where heads are chosen.
    """

    chosen: NDArray[np.int64]
    scored: NDArray[np.int64]
    chosen_offset: int
    scored_offset: int


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """One kind on one sentence: hits uint16[direction, layer, head], offsets uint16[offset]."""

    half: int
    examples: int
    hits: Counts
    offsets: Counts
    seen: tuple[int, int]


@dataclass(eq=False)
class Probe:
    """Gathers the looks of one model, sentence by sentence.

    Of each it keeps two bytes for every head, direction and kind of relation.

    `mode` "halves" chooses heads on one half of the sentences and scores them on the other; "same" does both
    on all of them, which flatters the heads and is only for comparison.
    """

    causal: bool
    mode: Mode = "halves"
    _tallies: dict[str, list[_Tally]] = field(default_factory=dict, repr=False)

    def add(self, gold: GoldSentence, looks: Int16) -> None:
        """Take one more sentence into account: `looks` int16[direction, layer, head, unit] as from `look`."""
        examples = Examples.of(gold, looks[0, 0, 0] != UNREAD)
        half = half_of(gold.slug)
        hits = examples.right(looks).astype(np.uint16)
        offsets = examples.offset_hits().astype(np.uint16)
        seen = examples.seen(self.causal).T.tolist()
        for index, (kind, count) in enumerate(examples.kinds):
            one = _Tally(half, count, hits[..., index].copy(), offsets[:, index].copy(), tuple(seen[index]))
            self._tallies.setdefault(kind, []).append(one)

    def result(self) -> tuple[RelationScore, ...]:
        """The score of every kind that was met, by group, the most frequent first."""
        found = [self._score(kind, tallies) for kind, tallies in self._tallies.items()]
        return tuple(sorted(found, key=lambda one: (GROUPS.index(one.group), -one.examples, one.kind)))

    def shares(self, kind: str) -> NDArray[np.float64]:
        """How often each head is right, over all sentences: float64[direction, layer, head].

        Raises `KeyError` for a kind that was not met.
        """
        tallies = self._tallies[kind]
        return _head_hits(tallies) / _count(tallies)

    def baseline(self, kind: str) -> float:
        """How often the best fixed offset is right, over all sentences.

        Raises `KeyError` for a kind that was not met.
        """
        tallies = self._tallies[kind]
        return int(_offset_hits(tallies).max()) / _count(tallies)

    def halved(self, kind: str) -> HalvedHits:
        """How often every head is right, in the two halves.

        Raises `KeyError` for a kind that was not met, `ValueError` for one that is missing in a half.
        """
        chosen, scored = self._halves(self._tallies[kind])
        if not chosen or not scored:
            raise ValueError(f"one half has no relation of the kind {kind}")
        place = int(_offset_hits(chosen).argmax())
        return HalvedHits(
            chosen=_head_hits(chosen),
            scored=_head_hits(scored),
            chosen_offset=int(_offset_hits(chosen)[place]),
            scored_offset=int(_offset_hits(scored)[place]),
        )

    def _halves(self, tallies: list[_Tally]) -> tuple[list[_Tally], list[_Tally]]:
        """The sentences to choose heads on, and those to score them on."""
        if self.mode == "same":
            return tallies, tallies
        return [one for one in tallies if one.half == 0], [one for one in tallies if one.half == 1]

    def _score(self, kind: str, tallies: list[_Tally]) -> RelationScore:
        chosen, scored = self._halves(tallies)
        seen = (sum(one.seen[0] for one in tallies), sum(one.seen[1] for one in tallies))
        enough = any(seen) and (self.mode == "same" or (_enough(chosen) and _enough(scored)))
        return RelationScore(
            kind=kind,
            title=kind_title(kind),
            group=group_of(kind),
            examples=_count(tallies),
            sentences=len(tallies),
            chosen_on=_count(chosen),
            scored_on=_count(scored),
            seen=seen,
            best=_best(chosen, scored, seen) if enough else None,
            heads=_heads(chosen, scored, seen) if enough else None,
        )


def half_of(slug: str) -> int:
    """Which half a sentence belongs to: 0 to choose heads on, 1 to score them on.

    The first digit of the SHA-256 of its slug decides, below 8 or not: the same on every machine, whatever
    the order of sentences, and new sentences leave the old ones where they are.
    """
    return int(int(hashlib.sha256(slug.encode("utf-8")).hexdigest()[0], 16) >= 8)


def _enough(tallies: list[_Tally]) -> bool:
    return _count(tallies) >= LEAST_EXAMPLES and len(tallies) >= LEAST_SENTENCES


def _count(tallies: list[_Tally]) -> int:
    return sum(one.examples for one in tallies)


def _best(chosen: list[_Tally], scored: list[_Tally], seen: tuple[int, int]) -> BestHead:
    """The head with most hits where heads are chosen; of equal ones the first, by direction, layer, head."""
    hits = _hits(chosen, seen)
    direction, layer, head = (int(place) for place in np.unravel_index(hits.argmax(), hits.shape))
    right = np.array([one.hits[direction, layer, head] for one in scored], np.int64)
    examples = np.array([one.examples for one in scored], np.int64)
    place = int(_offset_hits(chosen).argmax())
    baseline = sum(int(one.offsets[place]) for one in scored) / int(examples.sum())
    accuracy = _accuracy(right, examples)
    return BestHead(layer, head, direction, accuracy, OFFSETS[place], baseline)


def _heads(chosen: list[_Tally], scored: list[_Tally], seen: tuple[int, int]) -> HeadScores:
    directions = _hits(chosen, seen).argmax(axis=0)
    right = np.take_along_axis(_hits(scored, seen), directions[None], axis=0)[0]
    return HeadScores(right / _count(scored), directions.astype(np.int8))


def _hits(tallies: list[_Tally], seen: tuple[int, int]) -> NDArray[np.int64]:
    """How often each head is right, int64[direction, layer, head]; -1 in a direction that nobody sees."""
    hits = _head_hits(tallies)
    hits[np.array(seen) == 0] = -1
    return hits


def _head_hits(tallies: list[_Tally]) -> NDArray[np.int64]:
    """How often each head is right: int64[direction, layer, head]."""
    hits: NDArray[np.int64] = np.sum([one.hits for one in tallies], axis=0, dtype=np.int64)
    return hits


def _offset_hits(tallies: list[_Tally]) -> NDArray[np.int64]:
    hits: NDArray[np.int64] = np.sum([one.offsets for one in tallies], axis=0, dtype=np.int64)
    return hits


def _accuracy(right: NDArray[np.int64], examples: NDArray[np.int64]) -> Accuracy:
    """The accuracy over sentences with `right` of `examples` each, and its interval."""
    drawn = np.random.default_rng(_SEED).integers(0, len(right), (RESAMPLES, len(right)))
    shares = right[drawn].sum(axis=1) / examples[drawn].sum(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(shares, [tail, 1 - tail]).tolist()
    return Accuracy(int(right.sum()), int(examples.sum()), len(right), low, high)


def by_group(scores: tuple[RelationScore, ...]) -> Iterator[tuple[Group, tuple[RelationScore, ...]]]:
    """The scores of each group that has any, in the order of the groups."""
    for group in GROUPS:
        found = tuple(one for one in scores if one.group == group)
        if found:
            yield group, found
