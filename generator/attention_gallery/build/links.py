"""Every link inside the site leads to a page, file or anchor that exists, or the build fails."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from html import unescape
from urllib.parse import unquote, urlsplit

from attention_gallery.errors import LinkError, Problem, did_you_mean
from attention_gallery.pages.routes import file_of

_ANCHOR = re.compile(r'\s(?:id|name)="([^"]*)"')
_MOST_TOLD = 20


def links_of(route: str, html: str, base_path: str) -> str:
    """The routes that a page links to inside the site, sorted, one a line, with `#anchor` where given.

    `base_path` is the path under which the site is published ("/" when unknown): links of the 404 page
    start there. Links that climb out of the site are kept as they are written.
    """
    bases = _bases(route)
    found = set()
    for reference in _references(html):
        if "&" in reference:
            reference = unescape(reference)
        if reference[:1] == "#" and f' id="{reference[1:]}"' in html:
            continue
        target = _climbed(reference, bases) if reference.startswith("../") else None
        if target is None:
            target = _resolve(route, reference, base_path)
            if target is None:
                continue
        if "%" in target:
            target = unquote(target)
        if "#" in target:
            target = _with_anchor(target)
        found.add(target)
    return "\n".join(sorted(found))


def _references(html: str) -> set[str]:
    # Splitting at the attribute's name is several times as fast as a pattern that looks for it.
    pieces = html.split(' href="')[1:]
    pieces += html.split(' src="')[1:]
    return {piece[: piece.index('"')] for piece in pieces}


def _bases(route: str) -> list[str]:
    """What "", "../", "../../", … mean on a page: "a/b/", "a/", ""."""
    bases = [route.rpartition("/")[0] + "/" if "/" in route else ""]
    while bases[-1]:
        parent = bases[-1][:-1].rpartition("/")[0]
        bases.append(parent + "/" if parent else "")
    return bases


def _climbed(reference: str, bases: list[str]) -> str | None:
    """The target of "../../x/y/", which nearly all links look like; None when it takes more to tell."""
    steps = 0
    while reference.startswith("../", 3 * steps):
        steps += 1
    rest = reference[3 * steps :]
    if steps >= len(bases) or "." in rest[:1] or "/." in rest or "//" in rest or "?" in rest:
        return None
    return bases[steps] + rest


def _resolve(route: str, reference: str, base_path: str) -> str | None:
    """The route behind a reference; None for other hosts, data and mail."""
    if reference.startswith("#"):
        return route + reference
    parts = urlsplit(reference)
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


def _with_anchor(target: str) -> str:
    """Drop a fragment that is the state of a page's script (`#head=L3H7`) or empty."""
    path, _, fragment = target.partition("#")
    return path if "=" in fragment or not fragment else target


def check_links(
    pages: Iterable[tuple[str, str]], known: set[str], foreign: set[str], read: Callable[[str], str]
) -> int:
    """Check the links of every page and return how many there are.

    `pages` are (route, links); `known` are the routes of the site, `foreign` files that are in it by
    other hands; `read` gives the HTML behind a route, for its anchors. Raises `LinkError`.
    """
    problems: list[Problem] = []
    anchors: dict[str, set[str]] = {}
    total = 0
    for route, links in pages:
        if not links:
            continue
        for link in links.split("\n"):
            total += 1
            if link in known:
                continue
            reason = _why_broken(link, known, foreign, anchors, read)
            if reason is not None:
                problems.append(Problem(f'the page "/{route}" links to {reason}', _mend(link, known)))
    if problems:
        rest = len(problems) - _MOST_TOLD
        told = problems[:_MOST_TOLD]
        if rest > 0:
            told.append(Problem(f"and {rest} more broken links"))
        raise LinkError(told)
    return total


def _why_broken(
    link: str,
    known: set[str],
    foreign: set[str],
    anchors: dict[str, set[str]],
    read: Callable[[str], str],
) -> str | None:
    target, _, anchor = link.partition("#")
    target = target.removesuffix("index.html") if target.endswith("/index.html") else target
    if target not in known:
        exists = file_of(target) in foreign
        return None if exists else f'"/{target}", which does not exist'
    if not anchor:
        return None
    if target not in anchors:
        anchors[target] = {unescape(name) for name in _ANCHOR.findall(read(target))}
    return None if anchor in anchors[target] else f'"/{target}#{anchor}", but that page has no such anchor'


def _mend(link: str, known: set[str]) -> str:
    target = link.partition("#")[0]
    return did_you_mean(target, [route for route in known if route[:3] == target[:3]][:2000])
