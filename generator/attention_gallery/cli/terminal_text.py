"""How numbers, paths and untrusted text read in a terminal."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from attention_gallery.errors import COLUMNLESS


def plain(text: str) -> str:
    """`text` without characters that would steer a terminal; line ends and tabs stay.

    Escape sequences in a title or a model's metadata could otherwise recolour, clear or rewrite the screen.
    """
    return "".join(map(_visible, text))


def one_line(text: str, width: int = 72) -> str:
    """`text` on one line of at most `width` characters, shortened with an ellipsis."""
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"


def size(count: int) -> str:
    """A number of bytes as people read it, in decimal units: `12.4 MB`."""
    if count < 1000:
        return f"{count} B"
    units = {"kB": 1e3, "MB": 1e6}
    unit, factor = next((unit for unit in units.items() if count / unit[1] < 999.95), ("GB", 1e9))
    return f"{count / factor:.1f} {unit}"


def duration(seconds: float) -> str:
    """A span of time as people read it: `0.12 s`, `34.1 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def estimate(seconds: float) -> str:
    """A span of time that is only guessed, in whole seconds: `1 s`, `34 s`, `3 min 05 s`."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else duration(whole)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 page`, `2 pages`, `1,200 pages`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def shown(path: Path) -> str:
    """A path as short as it can be typed from the current folder."""
    here = Path.cwd()
    return plain(str(path.relative_to(here))) if path.is_relative_to(here) else plain(str(path))


def colour() -> bool | None:
    """False when NO_COLOR asks for plain text, None to let the terminal decide."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _visible(character: str) -> str:
    if character in "\n\t" or character in COLUMNLESS:
        return character
    category = unicodedata.category(character)
    if category == "Cc" and ord(character) < 0x20:
        return chr(0x2400 + ord(character))
    return "\ufffd" if category in ("Cc", "Cf", "Cs") else character
