"""Bundle a theme's styles and scripts, and name every asset after its content."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from attention_gallery.errors import Problem, ThemeError, UserError, did_you_mean
from attention_gallery.files import cannot_read
from attention_gallery.hashing import digest_bytes
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.theme.compact import compact_script, compact_style
from attention_gallery.theme.find_theme import Theme
from attention_gallery.theme.scripts import in_order
from attention_gallery.theme.theme_files import LARGEST_FILE
from attention_gallery.theme.theme_settings import OptionValue
from attention_gallery.user_files import read_user_file

_READABLE = "check who owns the file and its permissions"
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
    # Ten digits: two versions of one file have the same by a chance of one in a million million.
    return f"{path.stem}.{digest_bytes(data)[:10]}{path.suffix}"


def bundle(theme: Theme, options: Mapping[str, OptionValue]) -> ThemeAssets:
    """One style sheet, one script and the static files of a theme under this choice of options.

    Style sheet and script are without comments and indentation.

    `url(…)` in a style sheet is relative to the sheet and leads to the static file under its fingerprinted
    name. Raises `ThemeError` with every file that does not exist or is not listed as static, every style
    sheet and script that is not UTF-8, and scripts that need each other in a circle.
    """
    sources = _sources(theme)
    files: dict[str, bytes] = {}

    def add(name: str, data: bytes) -> str:
        # A theme without scripts has no empty file of them.
        if not data:
            return ""
        files[fingerprinted(name, data)] = data
        return fingerprinted(name, data)

    static = {name: add(name, data) for name, data in sources.static.items()}
    style = add("gallery.css", _joined(compact_style, sources.sheets) + _custom_properties(theme, options))
    script = add("gallery.js", _joined(compact_script, sources.scripts))
    written = tuple(AssetFile(name, files[name]) for name in sorted(files))
    return ThemeAssets(written, style, script, static)


def check_assets(theme: Theme) -> None:
    """Raise what `bundle` would raise, without making a bundle."""
    _sources(theme)


class _Sources(NamedTuple):
    """What a bundle is made of: static files by name, style sheets with their links, scripts in order."""

    static: Mapping[str, bytes]
    sheets: Sequence[bytes]
    scripts: Sequence[bytes]


def _sources(theme: Theme) -> _Sources:
    reader = _Reader(theme)
    static = {name: reader.data(name) for name in theme.static}
    # As an empty file is not written, nothing leads to it.
    addresses = {name: fingerprinted(name, data) if data else "" for name, data in static.items()}
    sheets = [reader.linked(name, addresses) for name in theme.styles]
    scripts, wrong = in_order(theme)
    sources = _Sources(static, sheets, [reader.text(name) for name in scripts])
    if problems := reader.problems + wrong:
        raise ThemeError(problems)
    return sources


def _joined(compact: Callable[[str], str], sources: Iterable[bytes]) -> bytes:
    return "".join(compact(source.decode("utf-8")) + "\n" for source in sources).encode()


class _Reader:
    """Reads the assets of a theme and keeps what is wrong with them in `problems`."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.problems: list[Problem] = []

    def data(self, name: str) -> bytes:
        """The bytes of an asset, none of one that cannot be had."""
        try:
            path = self.theme.asset(name)
            return read_user_file(path, LARGEST_FILE)
        except UserError as error:  # also for what is no plain file
            self.problems += error.problems
        except OSError as error:
            self.problems.append(cannot_read("the file cannot be read", error, _READABLE, path))
        return b""

    def text(self, name: str) -> bytes:
        """The bytes of a text, which is joined with others and so must be UTF-8 as they are."""
        data = self.data(name)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.problems.append(not_utf8(self.theme.asset(name), data, error))
        return data.removeprefix(codecs.BOM_UTF8)

    def linked(self, sheet: str, static: Mapping[str, str]) -> bytes:
        """A style sheet whose `url(…)` lead to the static files."""
        data = self.text(sheet)

        def link(match: re.Match[bytes]) -> bytes:
            address = (match[2] or b"").decode("utf-8", "replace")
            if not address or _ELSEWHERE.match(address):
                return match[0]
            file, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
            name = posixpath.normpath(posixpath.join(posixpath.dirname(sheet), file))
            if name not in static:
                mend = did_you_mean(name, static) or f'list "{name}" under `static:` in theme.yaml'
                self.problems.append(self._problem(sheet, data, match.start(2), address, mend))
                return match[0]
            return f'url("{static[name]}{mark}{rest}")'.encode()

        return _URL.sub(link, data)

    def _problem(self, sheet: str, data: bytes, at: int, address: str, mend: str) -> Problem:
        # Lines and columns are told in characters, the pattern found bytes.
        before = data[:at].decode("utf-8", "replace").split("\n")
        quote = data.decode("utf-8", "replace").split("\n")[len(before) - 1]
        reason, path = f'"{address}" is no static file of the theme', self.theme.asset(sheet)
        return Problem(reason, mend, path, len(before), len(before[-1]) + 1, quote.rstrip("\r"))


def _custom_properties(theme: Theme, options: Mapping[str, OptionValue]) -> bytes:
    rules = [
        f"{option.css}:{options[name]};"
        for name, option in sorted(theme.options.items())
        # A default is in the style sheet itself.
        if option.css and options[name] != option.default
    ]
    return (":root{" + "".join(rules) + "}\n").encode() if rules else b""
