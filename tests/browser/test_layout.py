"""Nothing is cut off or overlaps, on a telephone and on a desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from watched_page import NARROW, WIDE, drawn, probe

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
PAGES = [
    "",
    "404.html",
    "about/",
    "notes/",
    "notes/first/",
    "notes/second/",
    "models/enc/",
    "models/dec/",
    "models/enc/l01h02/",
    "sentences/cat/",
    "sentences/scripts/",
    "sentences/long-words/",
    "sentences/hostile/",
    "enc/cat/",
    "dec/scripts/",
    "enc/long-words/",
    "dec/paragraph/",
    "enc/hostile/",
    "enc/cat/l01h02/",
    "dec/scripts/l01h01/",
    "enc/long-words/l00h01/",
    "dec/paragraph/l01h01/",
    "contrasts/",
    "contrasts/pair/",
    "contrasts/both-models/",
    "contrasts/heads/",
    "contrasts/long/",
]

OUTSIDE = probe("outside")

CLIPPED = probe("clipped")

OVERLAPS = probe("overlaps")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["390", "1280"])
def test_no_page_scrolls_sideways(open_page: Opener, size: dict[str, int]) -> None:
    page = open_page("404.html", viewport=size)
    home = page.url.removesuffix("404.html")
    for address in PAGES:
        page.goto(home + address)
        drawn(page)
        outside = page.evaluate(OUTSIDE)
        assert outside == {"found": [], "scroll": 0}, address
        if page.locator(".tokens").count():
            assert page.evaluate(CLIPPED) == [], address


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["390", "1280"])
def test_a_deep_model_fits(open_page: Opener, deep_root: str, size: dict[str, int]) -> None:
    for address in ("deep/cat/", "models/deep/"):
        page = open_page(deep_root + address, origin=deep_root, viewport=size)
        drawn(page)
        assert page.evaluate(OUTSIDE) == {"found": [], "scroll": 0}
        assert page.evaluate(OVERLAPS, ".heads tbody td > *") == []
        cells = page.locator(".heads tbody td > *")
        # On the explorer the means stand in a row and a column of their own, and all of it is in sight.
        assert cells.count() == (31 * 10 if address == "deep/cat/" else 30 * 9)
        least = 8 if address == "deep/cat/" else 24
        assert min(cells.first.bounding_box()[side] for side in ("width", "height")) >= least  # type: ignore[index]


@pytest.mark.parametrize("address", ["enc/cat/l01h02/", "dec/paragraph/l01h01/", "enc/long-words/l00h01/"])
def test_labels_of_the_canvas_have_room(open_page: Opener, address: str) -> None:
    for size in (NARROW, WIDE):
        page = open_page(address, viewport=size)
        drawn(page)
        room = page.evaluate(
            "({ ...AG.figure.box, width: AG.figure.plot.clientWidth, height: AG.figure.plot.clientHeight })"
        )
        assert room["every"] * room["cell"] >= room["font"] * 1.1, "labels would lie on each other"
        assert room["left"] + room["wide"] <= room["width"] + 1
        assert room["top"] + room["high"] < room["height"]
        assert min(room["wide"], room["high"]) > 150


@pytest.mark.parametrize("address", ["enc/cat/l01h02/", "dec/paragraph/l01h01/"])
def test_labels_of_plotly_do_not_overlap(open_page: Opener, address: str) -> None:
    page = open_page(address, plotly=True)
    page.wait_for_selector(".js-plotly-plot .ytick text")
    assert page.evaluate(OVERLAPS, ".js-plotly-plot .ytick text") == []
    edges = page.evaluate(
        """() => {
            const plot = document.querySelector(".figure-plot").getBoundingClientRect();
            return Array.from(document.querySelectorAll(".js-plotly-plot :is(.xtick, .ytick) text"))
                .map((one) => one.getBoundingClientRect())
                .filter((one) => one.left < plot.left - 3 || one.bottom > plot.bottom + 3).length;
        }"""
    )
    assert edges == 0
