"""The examples of a probe on one sentence: what each asks, what is right, what guessing would say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.analysis.probing.gold_relations import GoldSentence, Relation
from attention_gallery.analysis.probing.intervals import Float64
from attention_gallery.records import Bool, Int64

# The nearer of two that are equally good counts; 0 would be the word itself, which is never right.
OFFSETS = (-1, 1, -2, 2, -3, 3)
# Words counted from the first one or from the last: what a head finds that rests on one word of every text.
POSITIONS = (0, -1, 1, -2, 2, -3)
# Relations that every sentence has without being told: only what a word looks at is asked.
PREVIOUS, NEXT = "previous word", "next word"
_ONE_WAY = (PREVIOUS, NEXT)
Numbers = TypeVar("Numbers", Int64, Float64)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """All examples of one sentence, sorted by kind.

    kinds: each kind with how many examples it has. sources, targets: int64[example], the unit that is asked
    for, and the one that is right. both: bool[example], false where only direction 0 is meant. parsed:
    bool[example], those that a parser found. member: bool[unit, word], the words of each unit. read:
    bool[word]. starts: where each kind begins.
    """

    kinds: tuple[tuple[str, int], ...]
    sources: Int64
    targets: Int64
    both: Bool
    parsed: Bool
    member: Bool
    read: Bool
    starts: Int64

    @classmethod
    def from_gold(cls, gold: GoldSentence, read: Bool, earlier: Iterable[GoldSentence] = ()) -> Examples:
        """The examples of a sentence whose sides were `read`, bool[unit]; neighbouring words are some.

        An example that stands twice counts once, and so does one that a sentence of `earlier` has, each of
        which says the same text.
        """
        known = {_spelling(other, relation) for other in earlier for relation in _relations(other)}
        distinct = {
            (relation.kind, relation.source, relation.target): relation
            # Backwards, so that of two that are the same the first stays.
            for relation in reversed(_relations(gold))
        }
        asked = [
            relation
            for _, relation in sorted(distinct.items())
            if read[relation.source]
            and read[relation.target]
            and not (known and _spelling(gold, relation) in known)
        ]
        names = [relation.kind for relation in asked]
        kinds = {kind: names.count(kind) for kind in dict.fromkeys(names)}
        return cls(
            kinds=tuple(kinds.items()),
            sources=np.array([relation.source for relation in asked], np.int64),
            targets=np.array([relation.target for relation in asked], np.int64),
            both=np.array([kind not in _ONE_WAY for kind in names], bool),
            parsed=np.array([bool(relation.parser) for relation in asked], bool),
            member=gold.members(),
            read=read[: len(gold.words)],
            starts=np.cumsum([0, *kinds.values()])[:-1].astype(np.int64),
        )

    def right(self, argmax_targets: Int16) -> NDArray[np.int64]:
        """How often each head is right: int64[direction, layer, head, kind].

        argmax_targets: int16[direction, layer, head, unit], as `find_argmax_targets` gives them.
        """
        right = self._is_right(argmax_targets[..., self.sources])
        # The other way round the previous word is the next one, which is asked by itself.
        right[1] &= self.both
        return self._summed(right)

    def guess_hits(self) -> NDArray[np.int64]:
        """How often each guess that knows nothing but positions is right: int64[guess, kind].

        Each of `OFFSETS` first, then each of `POSITIONS`, twice: a word of the phrase itself gives way to the
        word before it, or to the word after. All are clamped to the sentence. A phrase is left at its last
        word to look ahead, at its first to look back.
        """
        first, last = self._edges(self.sources)
        words = self.member.shape[1]
        ways = np.array(OFFSETS)[:, None]
        guessed = [np.where(ways > 0, last, first) + ways]
        positions = np.array(
            [position % words if abs(position) < words else position for position in POSITIONS]
        )[:, None]
        positions = np.clip(positions, 0, max(0, words - 1))
        in_phrase = (first <= positions) & (positions <= last)
        guessed += [np.where(in_phrase, beside, positions) for beside in (first - 1, last + 1)]
        return self._summed(self._is_right(np.clip(np.concatenate(guessed), 0, max(0, words - 1))))

    def chance(self, causal: bool) -> Float64:
        """How often a random other word would be right, on average: float64[direction, kind].

        Random among the words that were read and, in a causal model, that one side can see.
        """
        # The side itself is no answer, and words that were cut off none can find.
        others = self.read & ~self.member[self.sources]
        sides = np.stack([others, others & self.both[:, None]])
        if causal:
            first, last = self._edges(self.sources)
            words = np.arange(self.member.shape[1])
            # A phrase sees what stands before its last word, and is seen from after its first.
            sides &= np.stack([words < last[:, None], words > first[:, None]])
        right = (sides & self.member[self.targets]).sum(axis=2)
        # Where nothing can be seen nothing is right: 0 of 0 is 0.
        return self._added(right / np.maximum(sides.sum(axis=2), 1))

    def first_words(self) -> NDArray[np.int64]:
        """In how many examples of each kind the first word of the text is right: int64[kind]."""
        return self._summed(self.member[self.targets, 0])

    def parsed_counts(self) -> NDArray[np.int64]:
        """How many examples of each kind a parser found: int64[kind]."""
        return self._summed(self.parsed)

    def seen(self, causal: bool) -> NDArray[np.int64]:
        """In how many examples of each kind the right word can be found: int64[direction, kind]."""
        seen = np.stack([np.ones(len(self.both), bool), self.both])
        if causal:
            (first, last), (begin, end) = self._edges(self.sources), self._edges(self.targets)
            seen &= np.stack([begin < last, first < end])
        return self._summed(seen)

    def _is_right(self, guessed: NDArray[np.integer]) -> Bool:
        """Whether each guess, a word or a negative number, is one of the target: [..., example]."""
        right: Bool = (guessed >= 0) & self.member[self.targets, np.maximum(guessed, 0)]
        return right

    def _edges(self, units: Int64) -> tuple[Int64, Int64]:
        """The first and the last word of these units."""
        words = self.member[units]
        return words.argmax(axis=1), words.shape[1] - 1 - words[:, ::-1].argmax(axis=1)

    def _summed(self, right: Bool) -> NDArray[np.int64]:
        """Sums over the examples of each kind: [..., kind]."""
        return self._added(right.astype(np.int64))

    def _added(self, values: Numbers) -> Numbers:
        """The same of numbers."""
        if not len(self.starts):
            return np.zeros((*values.shape[:-1], 0), values.dtype)
        added: Numbers = np.add.reduceat(values, self.starts, axis=-1)
        return added


def _relations(gold: GoldSentence) -> list[Relation]:
    """The relations that a sentence was given, and those of neighbouring words, which every sentence has."""
    relations = list(gold.relations)
    for word in range(1, len(gold.words)):
        relations += [Relation(PREVIOUS, word, word - 1), Relation(NEXT, word - 1, word)]
    return relations


def _spelling(gold: GoldSentence, relation: Relation) -> tuple[object, ...]:
    """An example by where its sides stand in the text, whatever the words around them are."""
    return relation.kind, gold.span(relation.source), gold.span(relation.target)
