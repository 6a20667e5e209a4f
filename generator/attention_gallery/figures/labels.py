"""Token labels for the axes of a heatmap."""

from __future__ import annotations

from collections.abc import Sequence

_ZERO_WIDTH_SPACE = "\u200b"
_LONGEST = 18


def axis_labels(texts: Sequence[str]) -> tuple[str, ...]:
    """Labels that are short enough to stand on an axis and all different.

    A category axis merges equal labels, so repeats carry zero-width spaces, which nobody sees.
    """
    seen: dict[str, int] = {}
    labels = []
    for text in texts:
        short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        repeats = seen.get(short, 0)
        seen[short] = repeats + 1
        labels.append(short + _ZERO_WIDTH_SPACE * repeats)
    return tuple(labels)
