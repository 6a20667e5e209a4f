"""Where the words of a text stand, and to which word each token belongs. This is the one place that says so.

A word is what stands between two boundaries of Unicode's word segmentation (UAX #29, as the regex package
has it), without blanks: "can't", "O'Neill's", "3.14" and "हिन्दी" are one word each, "well-known" is
three, and every other sign is a word of its own. A lone blank is none. Scripts that are written without
spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) have no such boundaries without a dictionary: there a
run of letters is one word, divided where a tokenizer divides it before it looks for its pieces.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

Span = tuple[int, int]

_BOUNDARY = regex.compile(r"\b", regex.WORD | regex.V1)
# Flags are told apart beforehand, two letters each (rules WB15 and WB16): regex is slow where many follow
# each other, and joins half a flag to the blank after it.
_STRETCH = regex.compile(r"(?:\p{RI}[\p{M}\p{Cf}]*){1,2}|\P{RI}+", regex.V1)
_UNSPACED = r"[[\p{L}\p{N}\p{M}]&&[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{lb=SA}]]"
_RUN = regex.compile(rf"{_UNSPACED}[{_UNSPACED}\p{{M}}\u200c\u200d\u2060]*", regex.V1)


def text_words(text: str, cuts: Iterable[int] = ()) -> tuple[Span, ...]:
    """The words and signs of a text as half-open code-point ranges, in order, blanks left out.

    At `cuts` (indices of code points) a word is divided, which tells words apart in a script without spaces.
    """
    words = _segmented(text)[0]
    indices = sorted(set(cuts))
    if not indices:
        return words
    divided: list[Span] = []
    for start, end in words:
        inside = indices[bisect_right(indices, start) : bisect_left(indices, end)]
        divided += pairwise([start, *inside, end])
    return tuple(divided)


def is_blank(character: str) -> bool:
    """Whether a character is white space, the one without width included."""
    return character.isspace() or character == "\u200b"


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether a half-open range of `text` neither begins nor ends inside a word."""
    words = _segmented(text)[0]
    return not any(_inside(words, index) for index in (start, end))


def _inside(words: Sequence[Span], index: int) -> bool:
    before = bisect_left(words, (index, 0)) - 1
    return before >= 0 and words[before][0] < index < words[before][1]


def words_of_tokens(
    text: str, offsets: NDArray[np.int32], special: Sequence[bool], splits: Sequence[bool]
) -> NDArray[np.int32]:
    """The word of each token, int32[token], counted from 0 without gaps; -1 for what belongs to none.

    offsets: int32[token, 2], half-open code-point ranges of `text`. special: tokens that belong to no word.
    splits: tokens before which the tokenizer divides the text by itself, which counts in scripts without
    spaces.

    A token belongs to the word in which its first character that is no blank lies, and one that reaches into
    further words makes them one with it. Blanks belong to no word, and neither does a token that stands for
    none of the text, unless it stands inside a word.
    """
    ranges = [_without_blanks(text, start, end) for start, end in offsets.tolist()]
    words = text_words(text, _cuts(text, ranges, special, splits))
    starts = [start for start, _ in words]
    first, last = [-1] * len(ranges), [-1] * len(ranges)
    joined = [False] * len(words)  # with the word before
    for token, (start, end) in enumerate(ranges):
        word = bisect_right(starts, start) - 1
        if special[token] or word < 0 or start >= words[word][1] or (start == end and start == starts[word]):
            continue
        first[token], last[token] = word, max(word, bisect_left(starts, end) - 1)
        joined[word + 1 : last[token] + 1] = [True] * (last[token] - word)
    merged = np.cumsum([not join for join in joined], dtype=np.int32)
    used = [int(merged[word]) if word >= 0 else -1 for word in first]
    numbers = {word: number for number, word in enumerate(sorted(set(used) - {-1}))}
    return np.array([numbers.get(word, -1) for word in used], np.int32)


def _without_blanks(text: str, start: int, end: int) -> Span:
    """A range without the blanks at its ends; an empty one stays where it is, one of blanks ends empty."""
    end = min(end, len(text))
    while start < end and is_blank(text[start]):
        start += 1
    while start < end and is_blank(text[end - 1]):
        end -= 1
    return start, end


def _cuts(
    text: str, ranges: Sequence[Span], special: Sequence[bool], splits: Sequence[bool]
) -> Iterator[int]:
    """Where a tokenizer divides the words of scripts without spaces.

    It is not followed in a run that it divides inside a character, as those do that look for letters only and
    take a vowel sign for something else.
    """
    boundaries, runs = _segmented(text)[1:]
    if not runs:
        return
    known = sorted(
        start
        for token, (start, end) in enumerate(ranges)
        if splits[token] and not special[token] and start < end
    )
    for first, end in runs:
        inside = known[bisect_right(known, first) : bisect_left(known, end)]
        if boundaries.issuperset(inside):
            yield from inside


@lru_cache(maxsize=64)
def _segmented(text: str) -> tuple[tuple[Span, ...], frozenset[int], tuple[Span, ...]]:
    """The words of a text, all boundaries of UAX #29 in it, and its runs of letters without spaces."""
    boundaries = sorted({0, len(text), *_boundaries(text)})
    runs = tuple((match.start(), match.end()) for match in _RUN.finditer(text))
    inner: set[int] = set()
    for start, end in runs:
        inner.update(boundaries[bisect_right(boundaries, start) : bisect_left(boundaries, end)])
    edges = [index for index in boundaries if index not in inner]
    ranges = (_without_blanks(text, start, end) for start, end in pairwise(edges))
    words = tuple((start, end) for start, end in ranges if start < end)
    return words, frozenset(boundaries), runs


def _boundaries(text: str) -> Iterator[int]:
    for stretch in _STRETCH.finditer(text):
        yield stretch.start()
        if not "\U0001f1e6" <= stretch[0][0] <= "\U0001f1ff":
            yield from (stretch.start() + boundary.start() for boundary in _BOUNDARY.finditer(stretch[0]))
