"""Bundle a theme's styles and scripts, and name every asset after its content."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from attention_gallery.errors import Problem, ThemeError, did_you_mean
from attention_gallery.hashing import digest_bytes
from attention_gallery.theme.find import LARGEST_FILE, OptionValue, Theme
from attention_gallery.user_files import read_user_file

_URL = re.compile(rb"""url\(\s*(["']?)([^"')\s]*)\1\s*\)|/\*.*?\*/""", re.DOTALL)
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#")


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file to write: its fingerprinted name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ThemeAssets:
    """All assets of a theme. `style` and `script` are fingerprinted names, "" for none.

    `static` gives the fingerprinted name of each static file.
    """

    files: tuple[AssetFile, ...]
    style: str
    script: str
    static: Mapping[str, str]


def fingerprinted(name: str, data: bytes) -> str:
    """`gallery.css` and its bytes give `gallery.1a2b3c4d5e.css`."""
    path = PurePosixPath(name)
    return f"{path.stem}.{digest_bytes(data)[:10]}{path.suffix}"


def bundle(theme: Theme, options: Mapping[str, OptionValue]) -> ThemeAssets:
    """One style sheet, one script and the static files of a theme under this choice of options.

    `url(…)` in a style sheet is relative to the sheet and leads to the static file under its fingerprinted
    name. Raises `ThemeError` for a file that does not exist or that is not listed as static.
    """
    files: dict[str, bytes] = {}

    def add(name: str, data: bytes) -> str:
        if not data:
            return ""
        files[fingerprinted(name, data)] = data
        return fingerprinted(name, data)

    static = {name: add(name, _bytes(theme, name)) for name in theme.static}
    sheets = _joined({name: _linked(theme, name, static) for name in theme.styles})
    style = add("gallery.css", sheets + _custom_properties(theme, options))
    script = add("gallery.js", _joined({name: _bytes(theme, name) for name in theme.scripts}))
    written = tuple(AssetFile(name, files[name]) for name in sorted(files))
    return ThemeAssets(written, style, script, static)


def _bytes(theme: Theme, name: str) -> bytes:
    return read_user_file(theme.asset(name), LARGEST_FILE)


def _joined(parts: Mapping[str, bytes]) -> bytes:
    return b"".join(part.rstrip(b"\n") + b"\n" for part in parts.values())


def _linked(theme: Theme, sheet: str, static: Mapping[str, str]) -> bytes:
    """A style sheet whose `url(…)` lead to the static files."""
    path = theme.asset(sheet)
    data = read_user_file(path, LARGEST_FILE)

    def link(match: re.Match[bytes]) -> bytes:
        address = (match[2] or b"").decode("utf-8", "replace")
        if not address or _ELSEWHERE.match(address):
            return match[0]
        file, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
        name = posixpath.normpath(posixpath.join(posixpath.dirname(sheet), file))
        if name not in static:
            mend = did_you_mean(name, static) or f'list "{name}" under `static:` in theme.yaml'
            line = data.count(b"\n", 0, match.start()) + 1
            raise ThemeError(Problem(f'"{address}" is no static file of the theme', mend, path, line))
        return f'url("{static[name]}{mark}{rest}")'.encode()

    return _URL.sub(link, data)


def _custom_properties(theme: Theme, options: Mapping[str, OptionValue]) -> bytes:
    rules = [
        f"{option.css}:{options[name]};"
        for name, option in sorted(theme.options.items())
        if option.css and options[name] != option.default
    ]
    return (":root{" + "".join(rules) + "}\n").encode() if rules else b""
