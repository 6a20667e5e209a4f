"""Templates, macros and blocks that lead back to themselves: by which way, told instead of Python's limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from traceback import FrameSummary

ENDS = "take one of them out, or end it with a condition: {% if … %} … {% endif %}"
NESTED = "the template is nested too deep to be read"
FLATTER = "put parts of it into templates or macros of their own, or take brackets out"
_SHOWN = 6  # places of one way


def leads_back(frames: Sequence[FrameSummary], folders: Sequence[Path]) -> tuple[FrameSummary, str]:
    """The place from which the templates lead back to it, and the way that they take, in words.

    `frames` are those of templates in `folders`, from the outermost, of which there is at least one.
    """
    positions = [(frame.filename, frame.lineno, frame.name) for frame in frames]
    times = Counter(positions)
    # The first position that comes twice is where the circle is entered.
    first = next((number for number, position in enumerate(positions) if times[position] > 1), None)
    if first is None:
        return frames[-1], "the templates lead into one another too deep"
    end = positions.index(positions[first], first + 1)
    way = [_named(frame, folders) for frame in frames[first : end + 1]]
    if len(way) > _SHOWN:
        # The beginning, and the end that closes the circle.
        way[_SHOWN - 2 : -1] = ["…"]
    return frames[first], f"the templates lead back to the same place again and again: {' → '.join(way)}"


def _named(frame: FrameSummary, folders: Sequence[Path]) -> str:
    path = Path(frame.filename)
    folder = next((folder for folder in folders if path.is_relative_to(folder)), path.parent)
    return f"{path.relative_to(folder).as_posix()} line {frame.lineno}"
