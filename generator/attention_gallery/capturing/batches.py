"""Which sentences run together: sorted by length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Sequence

# So many files are open at once: one for each sentence and kind of attention.
MOST_SENTENCES = 64


def plan_batches(lengths: Sequence[int], budget: int, most: int = MOST_SENTENCES) -> list[list[int]]:
    """Indices of sentences of so many tokens, batch by batch; every sentence is in exactly one.

    A batch holds at most `most` sentences and, padding included, at most `budget` tokens; a sentence that is
    longer than that runs alone. The longest come first: where memory does not suffice, it shows at once.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda one: -lengths[one]):
        room = max(1, min(most, budget // max(1, lengths[batches[-1][0]]))) if batches else 0
        if batches and len(batches[-1]) < room:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def halves(batch: Sequence[int]) -> list[list[int]]:
    """A batch that did not fit, as two that may. Raises `ValueError` for a single sentence."""
    if len(batch) < 2:
        raise ValueError("a single sentence cannot be halved")
    middle = (len(batch) + 1) // 2
    return [list(batch[:middle]), list(batch[middle:])]
