"""Bundle a theme's styles and scripts, and name every asset after its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from attention_gallery.hashing import digest_bytes
from attention_gallery.theme.find import OptionValue, Theme


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file to write: its fingerprinted name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ThemeAssets:
    """All assets of a theme. `style` and `script` are fingerprinted names, "" for none."""

    files: tuple[AssetFile, ...]
    style: str
    script: str
    static: Mapping[str, str]


def fingerprinted(name: str, data: bytes) -> str:
    """`gallery.css` and its bytes give `gallery.1a2b3c4d5e.css`."""
    path = PurePosixPath(name)
    return f"{path.stem}.{digest_bytes(data)[:10]}{path.suffix}"


def bundle(theme: Theme, options: Mapping[str, OptionValue]) -> ThemeAssets:
    """One style sheet, one script and the static files of a theme under this choice of options."""
    files: dict[str, bytes] = {}

    def add(name: str, data: bytes) -> str:
        if not data:
            return ""
        files[fingerprinted(name, data)] = data
        return fingerprinted(name, data)

    style = add("gallery.css", _joined(theme, theme.styles) + _custom_properties(theme, options))
    script = add("gallery.js", _joined(theme, theme.scripts))
    static = {name: add(name, theme.asset(name).read_bytes()) for name in theme.static}
    written = tuple(AssetFile(name, files[name]) for name in sorted(files))
    return ThemeAssets(written, style, script, static)


def _joined(theme: Theme, names: tuple[str, ...]) -> bytes:
    return b"".join(theme.asset(name).read_bytes().rstrip(b"\n") + b"\n" for name in names)


def _custom_properties(theme: Theme, options: Mapping[str, OptionValue]) -> bytes:
    rules = [
        f"{option.css}:{options[name]};"
        for name, option in sorted(theme.options.items())
        if option.css and options[name] != option.default
    ]
    return (":root{" + "".join(rules) + "}\n").encode() if rules else b""
