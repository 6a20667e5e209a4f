"""From tokens to words: what a word looks at, and what looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attention_gallery.records import Bool, Float32, Int32, Tokens
from attention_gallery.texts.readable import readable
from attention_gallery.texts.words import Span


def word_groups(tokens: Tokens) -> Int32 | None:
    """What is taken together of tokens, int32[token], counted from 0 without gaps: words, all else by itself.

    None where words are not known. Special tokens and blanks, which belong to no word, are groups of one.
    """
    if tokens.words is None:
        return None
    words = tokens.words
    begins = np.ones(len(words), bool)
    # What belongs to no word is a group by itself, however many stand together.
    begins[1:] = (words[1:] != words[:-1]) | (words[1:] < 0)
    groups: Int32 = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    return groups


def words_of(tokens: Tokens, text: str | None) -> Tokens:
    """The words as if they were tokens, and with them what belongs to none; ids are those of first tokens.

    They are cut from `text`, in the readable form that tokens have, or put together from their tokens where
    the text is not at hand.

    Raises `ValueError` where the words are not known.
    """
    groups = word_groups(tokens)
    if groups is None:
        raise ValueError("the tokenizer does not tell which tokens belong to one word")
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    last = np.append(first[1:], len(groups)) - 1
    offsets = None
    if tokens.offsets is not None:
        offsets = np.stack([tokens.offsets[first, 0], tokens.offsets[last, 1]], axis=1)
    return Tokens(
        ids=tokens.ids[first],
        texts=tuple(_text(tokens, text, int(a), int(b)) for a, b in zip(first, last, strict=True)),
        special=tokens.special[first],
        continues=np.zeros(len(first), bool),
        offsets=offsets,
        words=None if tokens.words is None else tokens.words[first],
        segments=None if tokens.segments is None else tokens.segments[first],
        segment_names=tokens.segment_names,
        left_out=tokens.left_out,
        unread=tokens.unread,
    )


def _text(tokens: Tokens, text: str | None, first: int, last: int) -> str:
    if first == last or tokens.offsets is None or text is None:
        return "".join(tokens.texts[first : last + 1])
    written = text[int(tokens.offsets[first, 0]) : int(tokens.offsets[last, 1])].strip()
    return readable(written) or "".join(tokens.texts[first : last + 1])


def to_words(weights: Float32, queries: Int32, keys: Int32) -> Float32:
    """Attention between words: columns of one word summed, then rows of one word averaged.

    weights: float32[..., query, key]; queries int32[query] and keys int32[key] as from `word_groups`.
    Rows still sum to 1. Source: Clark et al. 2019, What Does BERT Look At?, section 4.1.
    """
    summed = np.add.reduceat(weights, np.flatnonzero(np.diff(keys, prepend=-1)), axis=-1)
    first = np.flatnonzero(np.diff(queries, prepend=-1))
    sizes = np.diff(np.append(first, len(queries))).astype(np.float32)
    averaged = np.add.reduceat(summed, first, axis=-2) / sizes[:, None]
    return averaged.astype(np.float32, copy=False)


def tokens_of_words(tokens: Tokens, words: Sequence[Span]) -> Bool | None:
    """Which tokens each word consists of: bool[word, token]; None where the tokens have no offsets.

    `words` are half-open code-point ranges, such as those of a treebank, which need not be those of
    `Tokens.words`. A token that reaches over the boundary of two belongs to both: to every word that it
    shares a character with. Special tokens belong to none, and neither do those that stand for no text.
    """
    if tokens.offsets is None:
        return None
    ranges = np.array(words, np.int32).reshape(-1, 2)
    first, last = tokens.offsets[:, 0], tokens.offsets[:, 1]
    shared = (first < ranges[:, 1:]) & (ranges[:, :1] < last) & (first < last)
    members: Bool = shared & ~tokens.special
    return members


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of tokens, which may share some and leave some out.

    indices: the tokens of all groups that have any, group by group, a slice where they follow each other.
    starts: where each of these groups begins in them, None where each is one token. filled: which groups have
    any. sizes: float32[group], how many tokens, at least 1.
    """

    indices: slice | NDArray[np.intp]
    starts: NDArray[np.intp] | None
    filled: Bool
    sizes: Float32

    @classmethod
    def from_members(cls, members: Bool) -> Groups:
        """Groups from what belongs to them: bool[group, token]."""
        tokens = np.flatnonzero(members) % max(1, members.shape[1])
        sizes = members.sum(axis=1)
        several = sizes[filled := sizes > 0]
        indices: slice | NDArray[np.intp] = tokens
        if tokens.size and np.array_equal(tokens, np.arange(tokens[0], tokens[0] + tokens.size)):
            # A slice is a view, where indices would copy all weights.
            indices = slice(int(tokens[0]), int(tokens[0]) + tokens.size)
        starts = np.cumsum(several) - several if (several > 1).any() else None
        return cls(indices, starts, filled, np.maximum(sizes, 1).astype(np.float32))

    def between(self, weights: Float32) -> Float32:
        """Attention from each group to each group: columns of a group summed, rows of one averaged.

        weights: float32[head, query, key]. Returns float32[head, row, column], which may be a view of the
        weights; rows and columns of empty groups are 0. For groups that divide the tokens it is `to_words`;
        here rows need not sum to 1.
        """
        summed = self._summed(self._summed(weights, -2), -1)
        return summed if self.starts is None else summed / self.sizes[:, None]

    def _summed(self, weights: Float32, axis: int) -> Float32:
        """The tokens of each group summed along an axis; 0 for an empty group."""
        if isinstance(self.indices, slice):
            picked = weights[:, self.indices] if axis == -2 else weights[:, :, self.indices]
        else:
            picked = weights.take(self.indices, axis=axis)
        if self.starts is not None:
            picked = np.add.reduceat(picked, self.starts, axis=axis)
        if self.filled.all():
            return picked
        shape = list(picked.shape)
        shape[axis] = len(self.filled)
        summed = np.zeros(shape, np.float32)
        np.moveaxis(summed, axis, 0)[self.filled] = np.moveaxis(picked, axis, 0)
        return summed
