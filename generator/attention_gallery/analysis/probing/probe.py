"""Which head knows a relation, how well, and against what: probes over many sentences.

For every kind of relation and in both directions: the head that picks the right word most often (Clark et al.
2019, What Does BERT Look At?, section 4.2), beside the best fixed offset. Chosen on one half of the texts and
scored on the other, since the best of hundreds of heads is partly the luckiest; named only where it is better
than guessing, whatever else was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probing.argmax_targets import UNREAD, Int16
from attention_gallery.analysis.probing.examples import OFFSETS, Examples
from attention_gallery.analysis.probing.gold_relations import (
    GROUPS,
    GoldSentence,
    Group,
    group_of,
    kind_title,
    text_key,
)
from attention_gallery.analysis.probing.intervals import LEAST_TEXTS, Float64, lead_interval, share_interval
from attention_gallery.analysis.probing.relation_tests import LEVEL, adjusted_values
from attention_gallery.analysis.probing.tallies import Tally, TextTallies, half_of, tallies_of

Mode = Literal["halves", "same"]

LEAST_EXAMPLES = 10
LEAST_SENTENCES = LEAST_TEXTS


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often something was right, and on how many texts of its own.

    `low` to `high` is a 95 % interval of the share, as of `share_interval`; None where these texts give none.
    """

    right: int
    examples: int
    sentences: int
    low: float | None
    high: float | None

    @property
    def share(self) -> float:
        """The share that was right, 0 to 1."""
        return self.right / self.examples


@dataclass(frozen=True, slots=True)
class Lead:
    """By how much a head is right more often than the best fixed offset, -1 to 1.

    `low` to `high` is a 95 % interval as of `lead_interval`; None where these texts give none. ahead, behind:
    on how many texts the head is right more often, and less often.
    """

    value: float
    low: float | None
    high: float | None
    ahead: int
    behind: int


@dataclass(frozen=True, slots=True)
class BestHead:
    """The head that was chosen for a relation.

    `direction` 0: of all words, `from` looks most at `to`; 1: of all words, it is `to` that looks most at
    `from`. `offset` is the fixed offset from `from`, in words, that was best where the head was chosen, and
    `baseline` how often it is right where the head is scored; `lead` is that of the head over it, and
    `chance` how often a random other word is right there. `adjusted` is the p-value of the head being no
    better than guessing, corrected over all that was asked; 1 where nothing was tested.
    """

    layer: int
    head: int
    direction: int
    accuracy: Accuracy
    offset: int
    baseline: float
    lead: Lead | None = None
    chance: float = 0.0
    adjusted: float = 1.0

    @property
    def stands_out(self) -> bool:
        """Whether it is better than guessing, and may be called the best head."""
        return self.adjusted <= LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class HeadScores:
    """How often every head is right on the half to score on: shares float64[layer, head], 0 to 1.

    directions: int8[layer, head], in which direction each was asked: the one in which it is right more often
    on the half to choose on. adjusted: float64[direction, layer, head], p-values as of `adjusted_values`;
    None where heads are chosen and scored on the same texts, which would flatter them.
    """

    shares: NDArray[np.float64]
    directions: NDArray[np.int8]
    adjusted: Float64 | None = None


@dataclass(frozen=True, slots=True)
class RelationScore:
    """What is known of one kind of relation under one model.

    examples, sentences: of all; sentences of one text count once. chosen_on, scored_on: examples of the two
    halves (the same in mode "same"). seen: for each direction, in how many of all examples one word can see
    the other at all; in a causal model none looks ahead. best, heads: None where there are too few examples,
    or no direction can be seen. first_words: in how many of the examples to score on the first word of the
    text is right. parsed: how many of all examples a parser found.
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
    first_words: int = 0
    parsed: int = 0

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


@dataclass(eq=False)
class Probe:
    """Gathers the argmax targets of one model, sentence by sentence.

    Of each it keeps two bytes for every head, direction and kind of relation. Sentences that say the same
    text are one piece of evidence: they stay in one half, count as one, and what both ask is asked once.

    `mode` "halves" chooses heads on one half of the texts and scores them on the other; "same" does both
    on all of them, which flatters the heads and is only for comparison.
    """

    causal: bool
    mode: Mode = "halves"
    _tallies: dict[str, list[Tally]] = field(default_factory=dict, repr=False)
    _by_text: dict[str, list[GoldSentence]] = field(default_factory=dict, repr=False)

    def add(self, gold: GoldSentence, argmax_targets: Int16) -> None:
        """Take one more sentence into account, with what `find_argmax_targets` gives of it."""
        earlier = self._by_text.setdefault(gold.text, [])
        examples = Examples.from_gold(gold, argmax_targets[0, 0, 0] != UNREAD, earlier)
        earlier.append(gold)
        for kind, tally in tallies_of(text_key(gold.text), examples, argmax_targets, self.causal).items():
            self._tallies.setdefault(kind, []).append(tally)

    def result(self) -> tuple[RelationScore, ...]:
        """The score of every kind that was met, by group, the most frequent first."""
        adjusted = self._adjusted()
        scores = [self._score(kind, adjusted.get(kind)) for kind in self._tallies]
        return tuple(
            sorted(scores, key=lambda score: (GROUPS.index(score.group), -score.examples, score.kind))
        )

    def shares(self, kind: str) -> NDArray[np.float64]:
        """How often each head is right, over all sentences: float64[direction, layer, head].

        Raises `KeyError` for a kind that was not met.
        """
        texts = TextTallies.from_tallies(self._tallies[kind])
        return texts.head_hits / texts.total

    def baseline(self, kind: str) -> float:
        """How often the best fixed offset is right, over all sentences.

        Raises `KeyError` for a kind that was not met.
        """
        texts = TextTallies.from_tallies(self._tallies[kind])
        return int(texts.offset_hits.max()) / texts.total

    def halved(self, kind: str) -> HalvedHits:
        """How often every head is right, in the two halves.

        Raises `KeyError` for a kind that was not met, `ValueError` for one that is missing in a half.
        """
        halves = self._halves(kind)
        if not all(halves):
            raise ValueError(f"one half has no relation of the kind {kind}")
        chosen, scored = map(TextTallies.from_tallies, halves)
        offset = int(chosen.offset_hits.argmax())
        return HalvedHits(
            chosen=chosen.head_hits,
            scored=scored.head_hits,
            chosen_offset=int(chosen.offset_hits[offset]),
            scored_offset=int(scored.offset_hits[offset]),
        )

    def _halves(self, kind: str) -> tuple[list[Tally], list[Tally]]:
        """What there is of a kind to choose heads on, and to score them on."""
        tallies = self._tallies[kind]
        if self.mode == "same":
            return tallies, tallies
        # By text and not by sentence: what was chosen on a text must not be scored on it.
        chosen, scored = ([tally for tally in tallies if half_of(tally.text) == half] for half in (0, 1))
        return chosen, scored

    def _enough(self, kind: str) -> bool:
        """Whether heads can be chosen and scored."""
        if not any(np.sum([tally.seen for tally in self._tallies[kind]], axis=0)):
            return False
        return self.mode == "same" or all(
            sum(tally.examples for tally in half) >= LEAST_EXAMPLES
            and len({tally.text for tally in half}) >= LEAST_SENTENCES
            for half in self._halves(kind)
        )

    def _adjusted(self) -> dict[str, Float64]:
        """The corrected p-values of all heads at every kind that is scored: float64[direction, layer,
        head]."""
        if self.mode == "same":
            return {}
        kinds = [kind for kind in sorted(self._tallies) if self._enough(kind)]
        return dict(zip(kinds, adjusted_values(self._tested(kind) for kind in kinds), strict=True))

    def _tested(self, kind: str) -> TextTallies:
        """All texts of a kind. To a neighbour a fixed offset is no guess, but the relation itself."""
        texts = TextTallies.from_tallies(self._tallies[kind])
        if group_of(kind) == "positional":
            return replace(texts, guesses=texts.guesses[:, len(OFFSETS) :])
        return texts

    def _score(self, kind: str, adjusted: Float64 | None) -> RelationScore:
        tallies, (chosen, scored) = self._tallies[kind], self._halves(kind)
        best, heads = None, None
        if self._enough(kind):
            halves = TextTallies.from_tallies(chosen), TextTallies.from_tallies(scored)
            best, heads = _best(*halves, adjusted), _heads(*halves, adjusted)
        return RelationScore(
            kind=kind,
            title=kind_title(kind),
            group=group_of(kind),
            examples=sum(tally.examples for tally in tallies),
            sentences=len({tally.text for tally in tallies}),
            chosen_on=sum(tally.examples for tally in chosen),
            scored_on=sum(tally.examples for tally in scored),
            seen=(sum(tally.seen[0] for tally in tallies), sum(tally.seen[1] for tally in tallies)),
            best=best,
            heads=heads,
            first_words=sum(tally.first_words for tally in scored),
            parsed=sum(tally.parsed for tally in tallies),
        )


def _best(chosen: TextTallies, scored: TextTallies, adjusted: Float64 | None) -> BestHead:
    """The head with most hits where heads are chosen, among those that stand out if there are any.

    Of equal ones the first, by direction, layer, head.
    """
    hits = _hits(chosen, scored)
    if adjusted is not None and (adjusted <= LEVEL).any():
        # Below the -1 of what nobody sees.
        hits = np.where(adjusted <= LEVEL, hits, -2)
    direction, layer, head = (int(index) for index in np.unravel_index(hits.argmax(), hits.shape))
    right = scored.hits[:, direction, layer, head]
    offset = int(chosen.offset_hits.argmax())
    return BestHead(
        layer,
        head,
        direction,
        _accuracy(right, scored.examples),
        OFFSETS[offset],
        int(scored.guesses[:, offset].sum()) / scored.total,
        _lead(right - scored.guesses[:, offset], scored.examples),
        float(scored.chance[:, direction].sum()) / scored.total,
        1.0 if adjusted is None else float(adjusted[direction, layer, head]),
    )


def _heads(chosen: TextTallies, scored: TextTallies, adjusted: Float64 | None) -> HeadScores:
    # Chosen where heads are chosen, or the better direction would flatter where they are scored.
    directions = _hits(chosen, scored).argmax(axis=0)
    right = np.take_along_axis(scored.head_hits, directions[None], axis=0)[0]
    return HeadScores(right / scored.total, directions.astype(np.int8), adjusted)


def _hits(chosen: TextTallies, scored: TextTallies) -> NDArray[np.int64]:
    """How often each head is right where heads are chosen; -1 in a direction that nobody sees in either
    half."""
    hits = chosen.head_hits
    hits[np.add(chosen.seen, scored.seen) == 0] = -1
    return hits


def _accuracy(right: NDArray[np.int64], examples: NDArray[np.int64]) -> Accuracy:
    """The accuracy over texts with `right` of `examples` each, and its interval."""
    low, high = _ends(*share_interval(right, examples))
    return Accuracy(int(right.sum()), int(examples.sum()), len(right), low, high)


def _lead(ahead: NDArray[np.int64], examples: NDArray[np.int64]) -> Lead:
    """The lead over texts, in each of which so many more examples are right."""
    low, high = _ends(*lead_interval(ahead, examples))
    value = int(ahead.sum()) / int(examples.sum())
    return Lead(value, low, high, int((ahead > 0).sum()), int((ahead < 0).sum()))


def _ends(low: Float64, high: Float64) -> tuple[float | None, float | None]:
    """Two ends, or None for both where there are none."""
    return (None, None) if np.isnan(low) else (float(low), float(high))


def by_group(scores: tuple[RelationScore, ...]) -> Iterator[tuple[Group, tuple[RelationScore, ...]]]:
    """The scores of each group that has any, in the order of the groups."""
    for group in GROUPS:
        of_group = tuple(score for score in scores if score.group == group)
        if of_group:
            yield group, of_group
