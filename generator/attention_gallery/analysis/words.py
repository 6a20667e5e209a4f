"""From tokens to words: what a word looks at, and what looks at it."""

from __future__ import annotations

import numpy as np

from attention_gallery.records import Float32, Int32, Tokens


def word_groups(tokens: Tokens) -> Int32 | None:
    """The word of each token, int32[token], counted from 0 without gaps; None where words are not known.

    Special tokens are words of their own.
    """
    if tokens.words is None:
        return None
    words = tokens.words
    begins = np.ones(len(words), bool)
    begins[1:] = (words[1:] != words[:-1]) | (words[1:] < 0)
    groups: Int32 = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    return groups


def words_of(tokens: Tokens, text: str | None) -> Tokens:
    """The words as if they were tokens; ids are those of their first tokens.

    They are cut from `text`, or put together from their tokens where the text is not at hand.

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
        words=np.where(tokens.special[first], -1, np.cumsum(~tokens.special[first]) - 1).astype(np.int32),
        segments=None if tokens.segments is None else tokens.segments[first],
        segment_names=tokens.segment_names,
        left_out=tokens.left_out,
    )


def _text(tokens: Tokens, text: str | None, first: int, last: int) -> str:
    if first == last or tokens.offsets is None or text is None:
        return "".join(tokens.texts[first : last + 1])
    return text[int(tokens.offsets[first, 0]) : int(tokens.offsets[last, 1])].strip()


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
