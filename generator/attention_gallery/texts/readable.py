"""How a piece of text is written so that people can read it: nothing in it is invisible."""

from __future__ import annotations

import unicodedata

_VISIBLE = {" ": "␣", "\n": "⏎", "\r": "␍", "\t": "⇥", "\u00a0": "⍽"}
# Without a shape of their own, they make one emoji of several, or keep letters apart.
JOINERS = ("\u200c", "\u200d")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def readable(piece: str) -> str:
    """A piece of text with whitespace and invisible characters made visible.

    Blanks stay as they are before visible characters, joiners between two of them (the parts of an emoji, the
    letters of a Persian word). A combining mark at the start gets a dotted circle to stand on; characters
    without a shape are written as `‹U+200D›`.
    """
    if not piece:
        return ""
    inner = len(piece.rstrip(" "))
    visible = "".join(
        mark if (mark == " " and n < inner) or _joins(piece, n) else _shown(mark)
        for n, mark in enumerate(piece)
    )
    return "◌" + visible if unicodedata.category(piece[0]).startswith("M") else visible


def _joins(piece: str, index: int) -> bool:
    """Whether a joiner, which shapes its neighbours and has no shape itself, stands between two that have."""
    around = piece[max(0, index - 1) : index + 2]
    return around[1:2] in JOINERS and len(around) == 3 and all(mark.isprintable() for mark in around[::2])


def _shown(mark: str) -> str:
    if mark in _VISIBLE:
        return _VISIBLE[mark]
    if mark.isprintable():
        return mark
    return f"‹U+{ord(mark):04X}›"


def numbered(text: str, number: int) -> str:
    """The text with a subscript part number, from 1: `🙂₁`."""
    return text + str(number).translate(_SUBSCRIPTS)
