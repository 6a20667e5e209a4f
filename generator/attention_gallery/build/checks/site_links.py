"""Every link inside the site leads to a page, file or anchor that exists, or the build fails."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from functools import cache
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from attention_gallery.addresses.routes import file_of
from attention_gallery.errors import LinkError, Problem, did_you_mean
from attention_gallery.user_files import LARGEST_PAGE, read_user_file

_MOST_NAMED = 20
_MOST_REMEMBERED = 10_000
_ADDRESSES = ("href", "src", "poster")
_PLAIN_LINK = re.compile(rb' (?:href|src)="([^"]*)"')
_IGNORED = re.compile(r"[\t\n\r]")  # browsers leave these out of an address, wherever they stand


def read_page(site: Path, route: str) -> bytes:
    """The HTML behind a route of a site in this folder; nothing for other files. Raises `OSError`."""
    path = site / file_of(route)
    return read_user_file(path, LARGEST_PAGE) if path.suffix == ".html" else b""


class LinkReader:
    """Reads the links of pages, one page after another; remembers what links of many pages say.

    `base_path` is the path under which the site is published ("/" when unknown): links of the 404 page
    start there. `exact` reads a page as a browser does. Without it only ` href="…"` and ` src="…"` are
    found, in texts too, several times as fast.
    """

    def __init__(self, base_path: str, exact: bool) -> None:
        self.base_path, self._exact = base_path, exact
        self._climbs: dict[bytes, tuple[int, str]] = {}

    def read(self, route: str, html: bytes) -> str:
        """The routes that a page links to inside the site, sorted, one a line, with `#anchor` where given.

        Links that climb out of the site stay as they are written.
        """
        bases = _bases(route)
        references = set(_PLAIN_LINK.findall(html))
        if self._exact:
            references = {escape(link).encode("utf-8") for link in _Parsed.from_html(html).links}
        routes: set[str] = set()
        for reference in references:
            climb = self._climbs.get(reference) or self._climb(reference)
            if climb is not None and climb[0] < len(bases):
                routes.add(bases[climb[0]] + climb[1])
            elif not _leads_nowhere_else(reference, html):
                target = _resolve(route, _text(reference), self.base_path)
                if target is not None:
                    routes.add(_plain(target))
        return "\n".join(sorted(routes))

    def _climb(self, reference: bytes) -> tuple[int, str] | None:
        """How many folders up "../../x/y/" leads, which nearly all links look like, and what follows there.

        None when it takes more to tell. "../x/" stands on many pages, so the answer is remembered.
        """
        if not reference.startswith(b"../"):
            return None
        text = _text(reference)
        steps = 0
        while text.startswith("../", 3 * steps):
            steps += 1
        rest = text[3 * steps :]
        if "." in rest[:1] or "/." in rest or "//" in rest or "?" in rest:
            return None
        if len(self._climbs) >= _MOST_REMEMBERED:
            self._climbs.clear()
        self._climbs[reference] = climb = steps, _plain(rest)
        return climb


def _leads_nowhere_else(reference: bytes, html: bytes) -> bool:
    """Whether a link is an address of data, or leads to an anchor of its own page that is there."""
    if reference[:1] == b"#":
        return b' id="%b"' % reference[1:] in html
    return reference.startswith(b"data:")


def _text(reference: bytes) -> str:
    return _cleaned(unescape(reference.decode("utf-8", "replace")))


def _plain(target: str) -> str:
    """A target without escapes; without a fragment that is the state of a page's script (`#head=L3H7`)."""
    if "%" not in target and "#" not in target:
        return target
    path, _, fragment = target.partition("#")
    # A "#" that belongs to a file's name stays escaped, so that it begins no fragment.
    path = unquote(path).replace("#", "%23")
    return f"{path}#{unquote(fragment)}" if fragment and "=" not in fragment else path


def _cleaned(reference: str) -> str:
    return _IGNORED.sub("", reference).strip(" \f\0")


class _Parsed(HTMLParser):
    """Addresses and anchors of a page, as a browser would find them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    @classmethod
    def from_html(cls, html: bytes) -> _Parsed:
        """What is in this page."""
        parsed = cls()
        parsed.feed(html.decode("utf-8", "replace"))
        parsed.close()
        return parsed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an opening tag links to, and what it can be linked to by."""
        for name, value in attrs:
            if name in _ADDRESSES:
                self.links.add(_cleaned(value or ""))
            elif name == "srcset":
                self.links.update(source.split()[0] for source in (value or "").split(",") if source.strip())
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")


def _bases(route: str) -> list[str]:
    """What "", "../", "../../", … mean on a page: "a/b/", "a/", ""."""
    bases = [route[: route.rfind("/") + 1]]
    while bases[-1]:
        parent = bases[-1][:-1].rpartition("/")[0]
        bases.append(parent + "/" if parent else "")
    return bases


def _resolve(route: str, reference: str, base_path: str) -> str | None:
    """The route behind a reference; None for other hosts, data and mail."""
    if reference.startswith("#"):
        return route + reference
    try:
        parts = urlsplit(reference)
    except ValueError:  # a host that is none, such as "http://[x"
        return None
    if parts.scheme or parts.netloc:
        return None
    anchor = f"#{parts.fragment}" if parts.fragment else ""
    if parts.path.startswith("/"):
        inside = parts.path.startswith(base_path)
        return (parts.path[len(base_path) :] if inside else parts.path) + anchor
    if not parts.path:
        return route + anchor
    joined = posixpath.normpath(posixpath.join(route.rpartition("/")[0], parts.path))
    is_folder = parts.path.endswith(("/", "/.", "/..")) or parts.path in (".", "..")
    if joined == ".":
        return anchor
    return joined + ("/" if is_folder else "") + anchor


def check_links(
    pages: Iterable[tuple[str, str]],
    known: set[str],
    foreign: set[str],
    read: Callable[[str], bytes],
    base_path: str,
) -> int:
    """Check the links of every page and return how many there are.

    `pages` are (route, links); `known` are the routes of the site, `foreign` files that are in it by
    other hands; `read` gives the HTML behind a route; `base_path` as for `LinkReader`. Raises `LinkError`.
    """
    # The page behind an anchor is read once.
    anchors_of = cache(lambda route: _Parsed.from_html(read(route)).anchors)
    problems: list[Problem] = []
    total = 0
    for route, links in pages:
        if not links:
            continue
        every = links.split("\n")
        total += len(every)
        doubtful = (link for link in every if link not in known or "#" in link)
        reasons = ((link, _why_broken(link, known, foreign, anchors_of)) for link in doubtful)
        broken = [(link, reason) for link, reason in reasons if reason]
        if not broken:
            continue
        really = set(LinkReader(base_path, exact=True).read(route, read(route)).split("\n"))
        problems.extend(
            Problem(f'the page "/{route}" links to {reason}', _mend(link, known))
            for link, reason in broken
            if link in really
        )
    if problems:
        rest = len(problems) - _MOST_NAMED
        more = [Problem(f"and {rest} more broken links")] if rest > 0 else []
        raise LinkError([*problems[:_MOST_NAMED], *more])
    return total


def _why_broken(
    link: str, known: set[str], foreign: set[str], anchors_of: Callable[[str], set[str]]
) -> str | None:
    """Why a link leads nowhere; None when it leads somewhere."""
    target, _, anchor = link.partition("#")
    target = target.replace("%23", "#")
    if target == "index.html" or target.endswith("/index.html"):
        target = target.removesuffix("index.html")
    if target not in known:
        return None if file_of(target) in foreign else f'"/{target}", which does not exist'
    if not anchor or anchor in anchors_of(target):
        return None
    return f'"/{target}#{anchor}", but that page has no such anchor'


def _mend(link: str, known: set[str]) -> str:
    target = link.partition("#")[0]
    return did_you_mean(target, sorted(route for route in known if route[:3] == target[:3])[:2000])
