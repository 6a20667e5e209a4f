"""Which sentences run together: only those of equal length, so that nothing has to be padded.

Padding would change the last bits of a sentence with the length of its neighbours. Without it the bits of a
row do not depend on how many rows there are, as far as the libraries take the same way for every number of
rows; see `sharing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# So many files are open at once: one for each sentence and kind of attention.
MOST_SENTENCES = 64
# With fewer tokens in one pass the libraries take another way, which gives other last bits. Measured with
# torch 2.13 and MKL 2024.2 on AVX-512. Linear layers of 384 to 2048 features, 1 to 96 rows against 1024:
# other bits for 1 to 3 rows with 1, 3 or 4 threads, for up to 11 with 2 or 5 to 8 (with more, for up to 27,
# 51 and 75 at 16, 32 and 64: there a trial finds that texts between run one by one). Queries times keys of
# all-MiniLM-L6-v2, one text against two: other bits below 12 tokens, with 1 and with 4 threads.
FEWEST_TOKENS = 12

# How many tokens a model reads of a sentence, and for an encoder-decoder, how many its decoder reads.
Shape = tuple[int, ...]


def fewest_rows(shape: Shape) -> int:
    """How many rows a pass has at least; a sentence is filled up with copies of itself."""
    return -(-FEWEST_TOKENS // max(1, min(shape)))


def plan_batches(shapes: Sequence[Shape], budget: int, most: int = MOST_SENTENCES) -> list[list[int]]:
    """Indices of sentences of these shapes, batch by batch; every sentence is in exactly one.

    A batch holds sentences of one shape, at most `most` of them and at most `budget` tokens; a sentence that
    is longer than that runs alone. The longest come first: where memory does not suffice, it shows at once.
    """
    alike: dict[Shape, list[int]] = {}
    for index, shape in enumerate(shapes):
        alike.setdefault(shape, []).append(index)
    batches: list[list[int]] = []
    for shape in sorted(alike, key=lambda lengths: (-sum(lengths), lengths)):
        room = max(1, min(most, budget // max(1, sum(shape))))
        batches.extend(_cut(alike[shape], room))
    return batches


def halves(batch: Sequence[int]) -> list[list[int]]:
    """A batch that did not fit, as two that may. Raises `ValueError` for a single sentence."""
    if len(batch) < 2:
        raise ValueError("a single sentence cannot be halved")
    return list(_cut(batch, (len(batch) + 1) // 2))


def _cut(indices: Sequence[int], room: int) -> Iterable[list[int]]:
    return (list(indices[first : first + room]) for first in range(0, len(indices), room))
