"""Token labels for the axes of a heatmap."""

from __future__ import annotations

from collections.abc import Sequence

_ZERO_WIDTH_SPACE = "\u200b"
_LONGEST = 18


def axis_labels(texts: Sequence[str]) -> tuple[str, ...]:
    """Labels that are short enough to stand on an axis and all different.

    A category axis merges equal labels, so repeats carry zero-width spaces, which nobody sees.
    """
    repeats: dict[str, int] = {}
    labels: dict[str, None] = {}
    for text in texts:
        short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        label = short + _ZERO_WIDTH_SPACE * repeats.get(short, 0)
        while label in labels:  # a token may hold such spaces of its own
            repeats[short] = repeats.get(short, 0) + 1
            label = short + _ZERO_WIDTH_SPACE * repeats[short]
        labels[label] = None
    return tuple(labels)
