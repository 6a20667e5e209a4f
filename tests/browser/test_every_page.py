"""Every page opens from a plain server under a sub-path with a strict policy, and straight from disk."""

from __future__ import annotations

import re
from urllib.parse import urldefrag

import pytest
from gallery_site import Built
from playwright.sync_api import Browser, Page
from watched_page import drawn, watched

pytestmark = pytest.mark.browser

# Former addresses. All head pages of one kind are made alike, so that one of them is visited.
MOVED = re.compile(r"/(old-cat|old-enc|docs)/")
OTHER_MOVED_HEADS = re.compile(rf"{MOVED.pattern}.*l(?!00h00/)\d\dh\d\d/")
OTHER_HEADS = re.compile(r"^(?!models/).*/l(?!00h0[01]/)\d\dh\d\d/")


def links(page: Page) -> set[str]:
    """Where the page's links lead within the site, without fragments."""
    found: list[str] = page.eval_on_selector_all(
        # Those of an SVG have an address that is not resolved.
        "a[href]:not([download])",
        "all => all.map((link) => new URL(link.getAttribute('href'), document.baseURI).href)",
    )
    return {urldefrag(address)[0] for address in found}


def visit(browser: Browser, origin: str, pages: list[str]) -> dict[str, set[str]]:
    """Open every page in turn; where each leads. Nothing may complain."""
    context = browser.new_context(has_touch=True)
    page, watch = watched(context, origin)
    leads: dict[str, set[str]] = {}
    for name in pages:
        page.goto(origin + name)
        if MOVED.search(f"/{name}"):
            page.wait_for_url(lambda address: not MOVED.search(address))
        drawn(page)
        leads[name] = links(page)
    context.close()
    assert watch.complaints == []
    return leads


def file_of(name: str) -> str:
    """The file behind an address relative to the site."""
    return f"{name}index.html" if name == "" or name.endswith("/") else name


def reached(leads: dict[str, set[str]], origin: str, ending: str) -> set[str]:
    """Files that are found from home by following links, all of which end in `ending`."""
    known, waiting = {"index.html"}, ["index.html"]
    while waiting:
        inside = {one for one in leads.get(waiting.pop(), ()) if one.startswith(origin)}
        assert all(one.endswith(ending) for one in inside)
        new = {file_of(one.removeprefix(origin)) for one in inside} - known
        known |= new
        waiting.extend(sorted(new))
    return known


def expected(gallery: Built) -> set[str]:
    return {name for name in gallery.pages() if name != "404.html" and not MOVED.search(f"/{name}")}


@pytest.mark.rest
def test_every_page_from_a_server_under_a_sub_path(browser: Browser, root: str, gallery: Built) -> None:
    files = [name for name in gallery.pages() if not OTHER_MOVED_HEADS.search(f"/{name}")]
    names = [name.removesuffix("index.html") for name in files]
    leads = {file_of(name): to for name, to in visit(browser, root, names).items()}
    assert reached(leads, root, "/") == expected(gallery)


def test_every_page_straight_from_disk(browser: Browser, gallery: Built) -> None:
    """Two heads of a pair stand for all, which differ in numbers alone; the rest must be linked to."""
    origin = gallery.site.as_uri() + "/"
    names = [
        name
        for name in gallery.pages()
        if not OTHER_HEADS.search(name) and not OTHER_MOVED_HEADS.search(f"/{name}")
    ]
    leads = visit(browser, origin, names)
    assert reached(leads, origin, ".html") == expected(gallery)
