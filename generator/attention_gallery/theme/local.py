"""Find what the pages of a theme would ask another host for: a built site asks none for anything.

Only what stands in a template or a style sheet word for word is found. An address that a template computes,
or that a script asks for, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from attention_gallery.errors import Problem
from attention_gallery.user_files import MB, read_user_file

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_LITERAL = re.compile(r"""\{\{[-+]?\s*(["'])([^"'<>]*)\1(.*?)[-+]?\}\}""", re.DOTALL)
_ELSEWHERE = re.compile(r"(?:https?|wss?|ftp):[/\\]*[^/\\\s]|[/\\]{2}[^/\\\s]", re.IGNORECASE)

_ADDRESSES = {"src", "poster", "background", "ping"}
_SETS = {"srcset", "imagesrcset"}
_STYLED = {"style", "fill", "stroke", "filter", "mask", "clip-path", "cursor"}
_STYLED |= {"marker-start", "marker-mid", "marker-end"}
_FOLLOWED = {"a", "area"}  # by the reader, not by the browser
_FETCHED = {"stylesheet", "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"}
_FETCHED |= {"manifest", "preload", "modulepreload", "prefetch", "prerender", "compression-dictionary"}
_FETCHED |= {"preconnect", "dns-prefetch"}
# What no file of the theme can take the place of.
_NO_FILE = {"iframe", "frame", "base", "meta", "a", "area"}

_CSS = re.compile(
    r"""/\*.*?(?:\*/|\Z)
    | @namespace\b[^;{}]*
    | @import(?:\s|/\*.*?\*/)*(?P<sheet>"[^"]*"|'[^']*'|url\(\s*(?:"[^"]*"|'[^']*'|[^\s"')]*))
    | \b(?:url|src)\(\s*(?P<file>"[^"]*"|'[^']*'|[^\s"')]*)
    | \bimage-set\((?P<set>(?:[^()]|\([^()]*\))*)\)
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_CSS_STRING = re.compile(r""""[^"]*"|'[^']*'|url\(\s*([^\s"')]+)""", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(\s*", re.IGNORECASE)

_LARGEST = 64 * MB

_STATIC = "put the file into the theme's assets/ and list it under `static:` in theme.yaml"
_IN_HTML = '; its address is then {{ page.root }}{{ site.static["…"] }}'
_IN_CSS = "; url(…) is relative to the style sheet"
_STYLE = "put the style sheet into the theme's assets/ and list it under `styles:` in theme.yaml"
_SCRIPT = "put the script into the theme's assets/ and list it under `scripts:` in theme.yaml"
_LINK = 'remove it; a link that the reader follows, <a href="…">, may lead anywhere'

_Found = tuple[int, str, str]  # line, address, mend


def of_template(path: Path) -> list[Problem]:
    """What a template names that a browser would load from another host."""
    source = read_user_file(path, _LARGEST).decode("utf-8", "replace")
    reader = _TemplateReader()
    try:
        # Marked sections can be more than Python's parser takes; a browser reads them as comments.
        reader.feed(_JINJA.sub(_without_jinja, source).replace("<![", "<!-"))
        reader.close()
    except AssertionError:  # how that parser gives up
        pass
    return _problems(path, source, reader.found)


def of_sheet(path: Path) -> list[Problem]:
    """What a style sheet names that a browser would load from another host."""
    source = read_user_file(path, _LARGEST).decode("utf-8", "replace")
    return _problems(path, source, _in_css(source, 1))


def _problems(path: Path, source: str, addresses: list[_Found]) -> list[Problem]:
    lines = source.split("\n")
    return [
        Problem(
            f'"{address}" is on another host, and a gallery asks no other host for anything',
            mend,
            path,
            line,
            None,
            lines[line - 1].rstrip("\r"),
        )
        for line, address, mend in addresses
    ]


def _without_jinja(match: re.Match[str]) -> str:
    """What stands for a piece of Jinja2, in as many lines: a text that it begins with, or a word."""
    text = match[0]
    breaks = "\n" * text.count("\n")
    if not text.startswith("{{"):
        return " " + breaks
    literal = _LITERAL.fullmatch(text)
    if literal is None:
        return "x" + breaks
    return literal[2].replace("\n", "") + ("x" if literal[3].strip() else "") + breaks


class _TemplateReader(HTMLParser):
    """Collects addresses on other hosts that a browser loads by itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[_Found] = []
        self._styling = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at every attribute of an element."""
        self._styling = tag == "style"
        attributes = {name: value or "" for name, value in attrs}
        for name, value in attributes.items():
            if name in _STYLED:
                self.found.extend(_in_css(value, self._line_of(name)))
                continue
            for address in filter(_ELSEWHERE.match, _loaded(tag, name, value, attributes)):
                self.found.append((self._line_of(name), address, _mend(tag, attributes)))

    def handle_data(self, data: str) -> None:
        """Look at the text of a `<style>` element."""
        if self._styling:
            self.found.extend(_in_css(data, self.getpos()[0]))

    def handle_endtag(self, tag: str) -> None:
        """A `<style>` element ends."""
        self._styling = False

    def _line_of(self, name: str) -> int:
        """The line of an attribute of the element that was just read."""
        text = self.get_starttag_text() or ""
        # The parser tells only where an element begins.
        match = re.search(rf"(?<![\w:-]){re.escape(name)}\s*=", text, re.IGNORECASE)
        return self.getpos()[0] + (text.count("\n", 0, match.start()) if match else 0)


def _loaded(tag: str, name: str, value: str, attributes: dict[str, str]) -> Iterator[str]:
    """The addresses in an attribute that a browser loads without being asked."""
    if name in _SETS:
        yield from _of_set(value)
    elif name in _ADDRESSES or (tag, name) == ("object", "data"):
        yield from _words(value)
    elif name in ("href", "xlink:href") and tag not in _FOLLOWED:
        if tag != "link" or _FETCHED.intersection(attributes.get("rel", "").lower().split()):
            yield from _words(value)
    elif (tag, name) == ("meta", "content") and attributes.get("http-equiv", "").strip().lower() == "refresh":
        yield re.sub(r"^[^;,]*[;,]?\s*(?:url\s*=)?\s*[\"']?", "", value, flags=re.IGNORECASE)


def _words(value: str) -> list[str]:
    """The address, or the addresses between which a template chooses; none of an address that is the data."""
    return [] if value.lstrip().lower().startswith("data:") else value.split()


def _of_set(value: str) -> Iterator[str]:
    """The addresses of a `srcset`. A comma inside an address belongs to it."""
    rest = value
    while rest := rest.lstrip(" \t\r\n\f,"):
        address = rest.split(None, 1)[0]
        rest = rest[len(address) :]
        if not address.endswith(","):
            rest = rest.partition(",")[2]
        yield address.rstrip(",")


def _mend(tag: str, attributes: dict[str, str]) -> str:
    relations = attributes.get("rel", "").lower().split()
    if tag in _NO_FILE or {"preconnect", "dns-prefetch"}.intersection(relations):
        return _LINK
    if tag == "script":
        return _SCRIPT
    if tag == "link" and "stylesheet" in relations:
        return _STYLE
    return _STATIC + _IN_HTML


def _in_css(source: str, first: int) -> list[_Found]:
    """What style rules load from other hosts. `first` is the number of the first line."""
    addresses = []
    for match in _CSS.finditer(source):
        for address, mend in _in_rule(match):
            if _ELSEWHERE.match(address):
                addresses.append((first + source.count("\n", 0, match.start()), address, mend))
    return addresses


def _in_rule(match: re.Match[str]) -> Iterator[tuple[str, str]]:
    if match["sheet"] is not None:
        yield _CSS_URL.sub("", match["sheet"], count=1).strip("\"' "), _STYLE
    elif match["file"] is not None:
        yield match["file"].strip("\"' "), _STATIC + _IN_CSS
    elif match["set"] is not None:
        for string in _CSS_STRING.finditer(match["set"]):
            yield (string[1] or string[0]).strip("\"' "), _STATIC + _IN_CSS
