"""Which words of one text stand for which of another, and attention laid out so that the two can be compared.

Units       the words of a text, or its tokens, each a run of tokens
Alignment   the units of both texts in one order: in both, or in one alone
Frame       attention of two captures on the same rows and columns
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from attention_gallery.analysis.text.word_attention import to_words, word_groups, words_of
from attention_gallery.records import Bool, Float32, Int32, StoredAttention, Tokens
from attention_gallery.texts.readable import readable
from attention_gallery.texts.words import text_words

_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Units:
    """What is compared of a text: words, or tokens where these are the same.

    groups: int32[token], the unit of each token, counted from 0 without gaps. tokens: the units as if they
    were tokens. names: what a unit is recognised by in the other text.
    """

    groups: Int32
    tokens: Tokens
    names: tuple[tuple[object, ...], ...]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def choosing(self) -> Bool:
        """Which units see more than one key in a causal model: bool[unit]."""
        # A word of several tokens sees more than one key, even where it is the first.
        return np.bincount(self.groups, minlength=len(self)).cumsum() > 1


def token_units(tokens: Tokens) -> Units:
    """Every token by itself."""
    groups = np.arange(len(tokens), dtype=np.int32)
    return Units(groups, tokens, _spelt(tokens))


def word_units(tokens: Tokens, text: str | None) -> Units:
    """The words as the tokenizer tells them, or every token by itself where it does not."""
    groups = word_groups(tokens)
    if groups is None:
        return token_units(tokens)
    words = words_of(tokens, text)
    return Units(groups, words, _spelt(words))


def text_units(tokens: Tokens, text: str, *, by_position: bool = True) -> Units:
    """The words as the text tells them, the same whatever the tokenizer.

    They are recognised by their position, which is right for one text; or else by how they are spelt.

    Words that a token reaches into are one, in the place of the first; a token of none, such as [CLS], is by
    itself. Without places in the text the words are those of the tokenizer.
    """
    if tokens.offsets is None:
        return word_units(tokens, text)
    owned = replace(tokens, splits=None).worded(text)
    groups = word_groups(owned)
    assert groups is not None
    words = _as_written(words_of(owned, text), text)
    # By position a word is found again however a tokenizer spells it.
    indices = [-1] * len(words)
    if by_position and words.words is not None and words.offsets is not None:
        starts = [start for start, _ in text_words(text)]
        word_starts = words.offsets[:, 0] + [
            len(text[a:b]) - len(text[a:b].lstrip()) for a, b in words.offsets.tolist()
        ]
        word_indices = np.searchsorted(starts, word_starts, side="right") - 1
        indices = np.where(words.words >= 0, word_indices, -1).tolist()
    names = tuple(
        ("word", word) if word >= 0 else name for word, name in zip(indices, _spelt(words), strict=True)
    )
    return Units(groups, words, names)


def _as_written(words: Tokens, text: str) -> Tokens:
    """The words as they stand in the text, whatever a tokenizer shows for what it does not know."""
    assert words.offsets is not None
    written = (readable(text[start:end].strip()) for start, end in words.offsets.tolist())
    texts = (text or label for text, label in zip(written, words.texts, strict=True))
    return replace(words, texts=tuple(texts))


def _spelt(tokens: Tokens) -> tuple[tuple[object, ...], ...]:
    return tuple((bool(flag), text.strip()) for text, flag in zip(tokens.texts, tokens.special, strict=True))


@dataclass(frozen=True, eq=False)
class Alignment:
    """The units of two texts in one order. left, right: int32[row], -1 where a text has no such unit.

    changed: bool[row], where the two have different units. Iterates over left, right and changed of each row.
    """

    left: Int32
    right: Int32
    changed: Bool

    def __len__(self) -> int:
        return len(self.left)

    def __iter__(self) -> Iterator[tuple[int, int, bool]]:
        return zip(self.left.tolist(), self.right.tolist(), self.changed.tolist(), strict=True)

    @property
    def both(self) -> Bool:
        """Which rows both texts have."""
        both: Bool = (self.left >= 0) & (self.right >= 0)
        return both

    @property
    def differs(self) -> Bool:
        """Which rows are changed, or those of one text alone."""
        differs: Bool = self.changed | ~self.both
        return differs


def align(left: Units, right: Units, *, exchange: bool = True) -> Alignment:
    """Equal units stand for each other, and so do runs of as many different ones between them.

    Without `exchange` the different ones stand alone, as in one text that two tokenizers cut.

    Source of the matching: Ratcliff & Metzener 1988, as `difflib` has it, without its heuristics.
    """
    rows: list[tuple[int, int, bool]] = []
    # Its heuristic passes over whatever comes back often in a long text: commas, articles.
    matcher = SequenceMatcher(None, left.names, right.names, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            rows += [(a + n, c + n, False) for n in range(b - a)]
        elif exchange and b - a == d - c and _alike(left.tokens, a, b, right.tokens, c):
            rows += [(a + n, c + n, True) for n in range(b - a)]
        else:
            rows += [(n, -1, False) for n in range(a, b)] + [(-1, n, False) for n in range(c, d)]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Alignment(
        np.array(columns[0], np.int32), np.array(columns[1], np.int32), np.array(columns[2], bool)
    )


def _alike(left: Tokens, start: int, end: int, right: Tokens, other: int) -> bool:
    """Whether both runs are of words, or both of special tokens, one by one."""
    return bool((left.special[start:end] == right.special[other : other + end - start]).all())


@dataclass(frozen=True, eq=False)
class Side:
    """One of two captures: the units that look, and those that are looked at."""

    queries: Units
    keys: Units
    causal: bool

    def visible(self) -> Bool:
        """Which unit each unit can see: bool[query, key]."""
        everything = np.ones((len(self.queries), len(self.keys)), dtype=bool)
        return np.tril(everything) if self.causal else everything

    def choosing(self) -> Bool:
        """Which units see more than one key: bool[query]."""
        return self.queries.choosing if self.causal else np.full(len(self.queries), self.keys.groups.size > 1)


@dataclass(frozen=True, eq=False)
class Frame:
    """Two captures on the same rows (that look) and columns (that are looked at).

    one_model: whether both captures are of one model. by_words: whether the units are words; else they are
    the tokens themselves, which are the same on both sides. only: the one row that is asked for; all without.
    """

    left: Side
    right: Side
    rows: Alignment
    columns: Alignment
    one_model: bool
    by_words: bool
    only: int | None = None

    @cached_property
    def comparable(self) -> Bool:
        """Which rows both sides have, and see more than one key in: bool[row]."""
        rows = np.flatnonzero(self.rows.both)
        free = self.left.choosing()[self.rows.left[rows]] & self.right.choosing()[self.rows.right[rows]]
        comparable = np.zeros(len(self.rows), dtype=bool)
        comparable[rows[free]] = True
        return comparable

    @cached_property
    def compared(self) -> Int32:
        """The rows in which two heads are compared: int32[n]; see `docs/analysis.md`."""
        rows = np.flatnonzero(self.comparable)
        if self.left.causal and self.right.causal and self.one_model and self.rows.differs.any():
            # No earlier word can know of the first difference.
            rows = rows[rows >= int(np.argmax(self.rows.differs))]
        if self.only is not None:
            rows = rows[rows == self.only]
        return rows.astype(np.int32)

    def units_of(self, side: Side) -> tuple[Int32, Int32]:
        """The unit of one side in each row, and in each column; -1 where it has none."""
        if side is self.left:
            return self.rows.left, self.columns.left
        return self.rows.right, self.columns.right

    def visible(self, side: Side) -> Bool:
        """Which columns each row of one side can see: bool[row, column]."""
        return self._placed(side, side.visible())

    def spread(self, side: Side, weights: Float32) -> Float32:
        """Attention float32[..., query, key] on the rows and columns of the frame: float32[..., row, column].

        Rows that the side does not have are 0, and so are columns; all other rows sum to 1.
        """
        return self._placed(side, to_words(weights, side.queries.groups, side.keys.groups))

    def _placed(self, side: Side, matrix: NDArray[_Number]) -> NDArray[_Number]:
        rows, columns = self.units_of(side)
        shape = (*matrix.shape[:-2], len(rows), len(columns))
        placed: NDArray[_Number] = np.zeros(shape, matrix.dtype)
        has_row, has_column = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
        placed[..., has_row[:, None], has_column] = matrix[..., rows[has_row][:, None], columns[has_column]]
        return placed


def frame_of(
    left: StoredAttention, right: StoredAttention, texts: tuple[str, str], *, one_model: bool
) -> Frame:
    """The frame of two captures; `texts` are those of the sentences, which in cross attention are looked at.

    Tokens stand for each other where they are the same on both sides, words otherwise: those of the tokenizer
    where one model reads both, those of the text where two tokenizers cut it.
    """
    sources = [(left.tokens, right.tokens, (left.text, right.text))]
    if left.keys is not left.tokens:
        sources.append((left.keys, right.keys, texts))
    # Words only where tokens differ: putting them together loses what happens inside words.
    by_words = not all(_same(ours, theirs) for ours, theirs, _ in sources)
    units = [_units(*source, one_model, by_words) for source in sources]
    sides = [
        Side(units[0][number], units[-1][number], capture.facts.kind == "decoder")
        for number, capture in enumerate((left, right))
    ]
    alignments = [
        align(*both, exchange=one_model or read[0] != read[1])
        for both, (_, _, read) in zip(units, sources, strict=True)
    ]
    return Frame(sides[0], sides[1], alignments[0], alignments[-1], one_model, by_words)


def _units(
    left: Tokens, right: Tokens, texts: tuple[str, str], one_model: bool, by_words: bool
) -> tuple[Units, Units]:
    if not by_words:
        return token_units(left), token_units(right)
    if one_model or left.offsets is None or right.offsets is None:
        return word_units(left, texts[0]), word_units(right, texts[1])
    same = texts[0] == texts[1]
    return text_units(left, texts[0], by_position=same), text_units(right, texts[1], by_position=same)


def _same(left: Tokens, right: Tokens) -> bool:
    """Whether both are cut in the same way into the same tokens."""
    if left.texts != right.texts or not np.array_equal(left.special, right.special):
        return False
    if left.offsets is None or right.offsets is None:
        return left.offsets is right.offsets
    return np.array_equal(left.offsets, right.offsets)
