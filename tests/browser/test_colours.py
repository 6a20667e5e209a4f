"""Light, dark and print: readable, remembered, and quiet for who wants no motion."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from watched_page import drawn, probe

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]

CONTRASTS = probe("contrasts")
PAGES = (
    "",
    "enc/cat/",
    "enc/cat/l01h02/",
    "models/enc/",
    "models/enc/l01h02/",
    "sentences/cat/",
    "notes/first/",
    "contrasts/pair/",
    "contrasts/both-models/",
    "404.html",
)


def ground(page: Page) -> int:
    """How light the page is, 0 to 255."""
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return int(colour.split("(")[1].split(",")[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page: Opener, scheme: str) -> None:
    page = open_page("404.html", color_scheme=scheme)
    home = page.url.removesuffix("404.html")
    for address in PAGES:
        page.goto(home + address)
        drawn(page)
        assert (ground(page) > 200) == (scheme == "light")
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 5
        assert [one for one in contrasts if one[0] < 4.5] == [], address


def test_the_chosen_colours_are_remembered_on_the_next_page(open_page: Opener) -> None:
    page = open_page("enc/cat/", color_scheme="light", fresh=True)
    drawn(page)
    toggle = page.locator("[data-scheme-toggle]")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    light = page.evaluate("AG.colour.css('--heat-0')")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    assert ground(page) < 60
    assert page.evaluate("AG.colour.css('--heat-0')") != light
    page.locator(".brand").click()
    page.wait_for_url("**/some/sub/path/")
    assert ground(page) < 60
    page.reload()
    assert ground(page) < 60
    page.locator("[data-scheme-toggle]").click()
    assert ground(page) > 200


def test_the_colours_follow_the_device_until_chosen(open_page: Opener) -> None:
    page = open_page("", fresh=True, color_scheme="dark")
    assert ground(page) < 60
    page.emulate_media(color_scheme="light")
    assert ground(page) > 200


@pytest.mark.parametrize("address", ["enc/cat/", "enc/cat/l01h02/", "sentences/cat/", "contrasts/pair/", ""])
def test_paper_has_texts_and_no_controls(open_page: Opener, address: str) -> None:
    page = open_page(address, color_scheme="dark", fresh=True)
    drawn(page)
    page.emulate_media(media="print")
    for control in page.locator("button, input, .toolbar, .site-nav, .ways, .pager").all():
        assert not control.is_visible(), control.evaluate("one => one.outerHTML")
    expect(page.locator("h1")).to_be_visible()
    assert ground(page) == 255
    contrasts = page.evaluate(CONTRASTS)
    assert [one for one in contrasts if one[0] < 4.5] == []


def test_nothing_moves_where_motion_is_unwelcome(open_page: Opener) -> None:
    page = open_page("enc/cat/", reduced_motion="reduce")
    drawn(page)
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.evaluate(probe("moving")) == 0
