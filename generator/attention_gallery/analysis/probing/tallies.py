"""What heads and guesses get right, text by text: what probes are scored from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.analysis.probing.examples import OFFSETS, Examples
from attention_gallery.analysis.probing.gold_relations import text_key
from attention_gallery.analysis.probing.intervals import Float64
from attention_gallery.records import Int64

Counts = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One kind of relation on one sentence.

    text: what it has in common with sentences that are the same evidence. hits: uint16[direction, layer,
    head], guesses: uint16[guess], chance: float64[direction], seen: (direction, direction), all as of
    `Examples`. first_words, parsed: of how many examples the right word is the first, and how many a parser
    found.
    """

    text: str
    examples: int
    hits: Counts
    guesses: Counts
    chance: Float64
    seen: tuple[int, int]
    first_words: int
    parsed: int


def tallies_of(text: str, examples: Examples, argmax_targets: Int16, causal: bool) -> dict[str, Tally]:
    """The tallies of one sentence by kind; `argmax_targets` are those of `find_argmax_targets`."""
    # A tally for each sentence and kind is held until all are read.
    hits = examples.right(argmax_targets).astype(np.uint16)
    guesses = examples.guess_hits().astype(np.uint16)
    chance = examples.chance(causal)
    seen = examples.seen(causal).T.tolist()
    first, parsed = examples.first_words().tolist(), examples.parsed_counts().tolist()
    return {
        kind: Tally(
            text,
            count,
            # Copies, since a view would keep the hits of all kinds alive.
            hits[..., index].copy(),
            guesses[:, index].copy(),
            chance[:, index].copy(),
            tuple(seen[index]),
            first[index],
            parsed[index],
        )
        for index, (kind, count) in enumerate(examples.kinds)
    }


@dataclass(frozen=True, slots=True, eq=False)
class TextTallies:
    """One kind of relation over texts, in the order of these, whatever the order of sentences.

    examples: int64[text]. hits: int64[text, direction, layer, head], how often heads are right. guesses:
    int64[text, guess], how often each guess is, the fixed offsets first. chance: float64[text, direction],
    how often a random other word is, on average. seen: (direction, direction), in how many examples one side
    can see the other.
    """

    examples: Int64
    hits: NDArray[np.int64]
    guesses: Int64
    chance: Float64
    seen: tuple[int, int]

    @classmethod
    def from_tallies(cls, tallies: Sequence[Tally]) -> TextTallies:
        """The tallies of sentences, those of one text added up."""
        # Sorted, so that sums over texts do not depend on the order of sentences.
        numbers = {text: index for index, text in enumerate(sorted({tally.text for tally in tallies}))}
        text_numbers = np.array([numbers[tally.text] for tally in tallies], np.int64)
        return cls(
            examples=_added(text_numbers, len(numbers), [np.array(tally.examples) for tally in tallies]),
            hits=_added(text_numbers, len(numbers), [tally.hits for tally in tallies]),
            guesses=_added(text_numbers, len(numbers), [tally.guesses for tally in tallies]),
            chance=_added(text_numbers, len(numbers), [tally.chance for tally in tallies]),
            seen=(sum(tally.seen[0] for tally in tallies), sum(tally.seen[1] for tally in tallies)),
        )

    def bar(self, direction: int) -> float:
        """How many examples the best guess is right about, or random words on average if these are more."""
        return float(max(self.guesses.sum(axis=0).max(initial=0), self.chance[:, direction].sum()))

    @property
    def total(self) -> int:
        """How many examples."""
        return int(self.examples.sum())

    @property
    def offset_hits(self) -> Int64:
        """How often each fixed offset is right: int64[offset]."""
        hits: Int64 = self.guesses[:, : len(OFFSETS)].sum(axis=0)
        return hits

    @property
    def head_hits(self) -> Int64:
        """How often each head is right: int64[direction, layer, head]."""
        hits: Int64 = self.hits.sum(axis=0)
        return hits


def _added(text_numbers: Int64, count: int, values: Sequence[NDArray]) -> NDArray:  # type: ignore[type-arg]
    """The values of each of `count` texts, added up."""
    kind = np.int64 if np.issubdtype(values[0].dtype, np.integer) else np.float64
    total = np.zeros((count, *np.shape(values[0])), kind)
    for index, value in zip(text_numbers.tolist(), values, strict=True):
        total[index] += value
    return total


def half_of(text: str) -> int:
    """Which half a text belongs to: 0 to choose heads on, 1 to score them on.

    The first digit of the SHA-256 of its `text_key` decides, below 8 or not: the same on every machine,
    whatever the slugs and the order of sentences, and new sentences leave the old ones where they are.
    """
    return int(int(hashlib.sha256(text_key(text).encode("utf-8")).hexdigest()[0], 16) >= 8)
