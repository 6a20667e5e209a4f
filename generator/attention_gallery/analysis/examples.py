"""The examples of a probe on one sentence: what each asks, what is right, what a fixed offset would say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probe import Int16
from attention_gallery.analysis.relations import GoldSentence
from attention_gallery.records import Bool, Int64

# The nearer of two that are equally good counts; 0 would be the word itself, which is never right.
OFFSETS = (-1, 1, -2, 2, -3, 3)
# Relations that every sentence has without being told: only what a word looks at is asked.
PREVIOUS, NEXT = "previous word", "next word"
_ONE_WAY = (PREVIOUS, NEXT)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """All examples of one sentence, sorted by kind.

    kinds: each kind with how many examples it has. sources, targets: int64[example], the unit that is asked
    for, and the one that is right. both: bool[example], false where only direction 0 is meant. member:
    bool[unit, word], the words of each unit. starts: where each kind begins.
    """

    kinds: tuple[tuple[str, int], ...]
    sources: Int64
    targets: Int64
    both: Bool
    member: Bool
    starts: Int64

    @classmethod
    def of(cls, gold: GoldSentence, read: Bool) -> Examples:
        """The examples of a sentence whose sides were `read`, bool[unit]; neighbouring words are some."""
        found = [(one.kind, one.source, one.target) for one in gold.relations]
        for word in range(1, len(gold.words)):
            found += [(PREVIOUS, word, word - 1), (NEXT, word - 1, word)]
        found = sorted((one for one in found if read[one[1]] and read[one[2]]), key=lambda one: one[0])
        names = [kind for kind, _, _ in found]
        kinds = {kind: names.count(kind) for kind in dict.fromkeys(names)}
        member = np.zeros((len(gold.units), len(gold.words)), bool)
        for row, words in enumerate(gold.units):
            member[row, list(words)] = True
        return cls(
            kinds=tuple(kinds.items()),
            sources=np.array([source for _, source, _ in found], np.int64),
            targets=np.array([target for _, _, target in found], np.int64),
            both=np.array([kind not in _ONE_WAY for kind in names], bool),
            member=member,
            starts=np.cumsum([0, *kinds.values()])[:-1].astype(np.int64),
        )

    def right(self, looks: Int16) -> NDArray[np.int64]:
        """How often each head is right: int64[direction, layer, head, kind]; looks as from `look`."""
        right = self._is_right(looks[..., self.sources])
        right[1] &= self.both
        return self._summed(right)

    def offset_hits(self) -> NDArray[np.int64]:
        """How often each of `OFFSETS` is right: int64[offset, kind]. Clamped to the sentence.

        A phrase is left at its last word to look ahead, at its first to look back.
        """
        first, last = self._edges(self.sources)
        ways = np.array(OFFSETS)[:, None]
        guessed = np.clip(np.where(ways > 0, last, first) + ways, 0, max(0, self.member.shape[1] - 1))
        return self._summed(self._is_right(guessed))

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
        if not len(self.starts):
            return np.zeros((*right.shape[:-1], 0), np.int64)
        summed: NDArray[np.int64] = np.add.reduceat(right, self.starts, axis=-1, dtype=np.int64)
        return summed
