"""How a token's text is written so that people can read it: nothing invisible, no tokenizer marks."""

from __future__ import annotations

import unicodedata

_VISIBLE = {" ": "␣", "\n": "⏎", "\r": "␍", "\t": "⇥", "\u00a0": "⍽"}
_JOINERS = ("\u200c", "\u200d")
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
    shown = "".join(
        mark if (mark == " " and n < inner) or _joins(piece, n) else _shown(mark)
        for n, mark in enumerate(piece)
    )
    return "◌" + shown if unicodedata.category(piece[0]).startswith("M") else shown


def _joins(piece: str, place: int) -> bool:
    """Whether a joiner, which shapes its neighbours and has no shape itself, stands between two that have."""
    around = piece[max(0, place - 1) : place + 2]
    return around[1:2] in _JOINERS and len(around) == 3 and all(mark.isprintable() for mark in around[::2])


def _shown(mark: str) -> str:
    if mark in _VISIBLE:
        return _VISIBLE[mark]
    if mark.isprintable():
        return mark
    return f"‹U+{ord(mark):04X}›"


def numbered(text: str, part: int) -> str:
    """The text with a subscript part number, from 1: `🙂₁`."""
    return text + str(part).translate(_SUBSCRIPTS)


def plain_vocabulary(name: str) -> str:
    """A token's name in the vocabulary without the marks of its tokenizer, for when offsets are missing."""
    decoded = _from_bytes(name)
    decoded = decoded.removeprefix("##").removesuffix("</w>").replace("▁", " ").replace("Ġ", " ")
    if decoded.strip() and decoded.startswith(" "):
        decoded = decoded[1:]
    return readable(decoded) or "␣"


def _from_bytes(name: str) -> str:
    """Undo the byte alphabet of byte-level tokenizers; other names come back as they are."""
    alphabet = _byte_alphabet()
    if not name or any(mark not in alphabet for mark in name) or name.isascii():
        return name
    try:
        return bytes(alphabet[mark] for mark in name).decode("utf-8")
    except UnicodeDecodeError:
        return name


def _byte_alphabet() -> dict[str, int]:
    """How byte-level tokenizers write bytes: printable ones as themselves, others moved up."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(moved)}
