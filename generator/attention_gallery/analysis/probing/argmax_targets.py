"""Which word every head picks for each word, in both directions: all that a probe needs of one sentence.

Clark et al. 2019, What Does BERT Look At?, section 4.2: words instead of tokens, special tokens dropped, the
strongest other word of the sentence; either the word that is looked at most, or the one that looks most.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.codec import pack, unpack
from attention_gallery.analysis.measures.head_blocks import Block, feed_blocks
from attention_gallery.analysis.probing.gold_relations import GoldSentence
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.analysis.text.word_attention import Groups, tokens_of_words
from attention_gallery.records import Float32, StoredAttention

Int16 = NDArray[np.int16]

NOTHING, UNREAD = -1, -2
_MAGIC = b"attention-gallery argmax targets 1\n"


def find_argmax_targets(attention: StoredAttention, gold: GoldSentence) -> Int16 | None:
    """The word that each head picks for each unit of a sentence: int16[direction, layer, head, unit].

    Direction 0: the word that the unit looks at most; 1: the word that looks at the unit most. A unit's own
    words do not count. `NOTHING` where there is no other word (the first of a causal model looks at none, and
    none looks at the last), `UNREAD` where none of the unit's tokens was read (a text that was cut). None
    where the tokenizer does not tell where tokens stand. Of equal words the first is taken. Holds one layer
    at a time. Raises `DamagedEntry` when a layer has the wrong shape or cannot be read.
    """
    accumulator = TargetAccumulator(attention, gold)
    if accumulator.has_words:
        feed_blocks(attention, [accumulator])
    return accumulator.result()


class TargetAccumulator:
    """Takes the heads of one capture, block by block, for `find_argmax_targets`."""

    def __init__(self, attention: StoredAttention, gold: GoldSentence) -> None:
        self._words = len(gold.words)
        self._targets: Int16 | None = None
        columns = tokens_of_words(attention.tokens, gold.words)
        if columns is None:
            return
        # Units are the words, each by itself, and then phrases: one matrix between all of them answers both
        # ways.
        members = gold.members()[self._words :]
        phrases, words = np.nonzero(members)
        phrases += self._words
        self._phrases = np.concatenate([phrases, words]), np.concatenate([words, phrases])
        self._groups = Groups.from_members(np.concatenate([columns, members @ columns]))
        self._read = self._groups.filled
        heads = attention.facts.layers * attention.facts.heads
        self._shape = (2, attention.facts.layers, attention.facts.heads, len(gold.units))
        self._targets = np.full((2, heads, len(gold.units)), UNREAD, np.int16)
        self._next = 0

    @property
    def has_words(self) -> bool:
        """Whether any word was read, so that blocks are of use."""
        return self._targets is not None and bool(self._read.any())

    def take(self, block: Block) -> None:
        """Find the words that the heads of a block pick."""
        if self._targets is None or not self.has_words:
            return
        weights = self._groups.between(block.weights)
        # It may be a part of the block, which others measure, too: what is hidden comes back.
        itself = np.einsum("hww->hw", weights[:, : self._words, : self._words])
        rows, columns = self._phrases
        own_weights = itself.copy(), weights[:, rows, columns]
        itself[:] = 0
        weights[:, rows, columns] = 0
        heads = slice(self._next, self._next + len(weights))
        self._next = heads.stop
        self._targets[0, heads, self._read] = _strongest_keys(weights[:, :, : self._words])[:, self._read].T
        self._targets[1, heads, self._read] = _strongest_queries(weights[:, : self._words])[:, self._read].T
        itself[:], weights[:, rows, columns] = own_weights

    def result(self) -> Int16 | None:
        """The words of all blocks."""
        return None if self._targets is None else self._targets.reshape(self._shape)


def _strongest_keys(weights: Float32) -> Int16:
    """The greatest column of each row, int16[head, row]; the first of equals; `NOTHING` where all are 0."""
    best = weights.argmax(axis=2)
    heads, rows = np.ix_(range(best.shape[0]), range(best.shape[1]))
    seen = weights[heads, rows, best] > 0
    return np.where(seen, best, NOTHING).astype(np.int16)


def _strongest_queries(weights: Float32) -> Int16:
    """The greatest row of each column, int16[head, column]; of equals the first, `NOTHING` if all are 0."""
    greatest = weights.max(axis=1)
    # Against the grain argmax takes several times as long as finding where the greatest stands.
    rows, columns = weights.shape[1:]
    indices = np.flatnonzero(weights == greatest[:, None])[::-1]  # from the last, so that the first stays
    best = np.empty(greatest.size, np.int16)
    best[indices // (rows * columns) * columns + indices % columns] = indices // columns % rows
    return np.where(greatest > 0, best.reshape(greatest.shape), np.int16(NOTHING))


def save_targets(targets: Int16 | None) -> bytes:
    """Argmax targets, or that there are none, as bytes; equal ones give equal bytes."""
    if targets is None:
        return pack(_MAGIC, {"none": True}, {})
    return pack(_MAGIC, {}, {"targets": targets.astype("<i2", copy=False)})


def load_targets(data: bytes) -> Int16 | None:
    """What `save_targets` was given. Raises `DamagedEntry` for any other bytes."""
    # Equal values give equal bytes: that there are none is known without unpacking.
    return None if data == save_targets(None) else unpack(_MAGIC, data, {"targets": "<i2"})[1]["targets"]


def _subjects(inventory: Inventory) -> Iterator[Subject]:
    """Every sentence under every model that reads it; texts that are the same may have other words."""
    for (_, sentence), key in inventory.captures.items():
        yield Subject((key,), inventory.gold[sentence])


ARGMAX_TARGETS = Result(
    name="argmax targets",
    needs=("capture",),
    compute=lambda captures, settings, gold: find_argmax_targets(next(captures), gold),
    dump=save_targets,
    load=lambda data, gold: load_targets(data),
    subjects=_subjects,
    # Which relations hold between the words changes nothing of what heads look at.
    identify=lambda gold: [gold.words, gold.units],
    libraries=("regex",),
)
