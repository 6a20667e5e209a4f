"""For readers who hear the page or use no mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from watched_page import drawn, probe

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
PAGES = (
    "",
    "404.html",
    "about/",
    "notes/",
    "notes/first/",
    "models/enc/",
    "models/enc/l01h02/",
    "sentences/cat/",
    "sentences/scripts/",
    "enc/cat/",
    "dec/paragraph/",
    "enc/cat/l01h02/",
    "contrasts/",
    "contrasts/pair/",
    "contrasts/both-models/",
    "contrasts/heads/",
)

FAULTS = probe("faults")
FOCUS = probe("focus")


def test_every_kind_of_page_is_told_in_full(open_page: Opener) -> None:
    page = open_page("404.html")
    home = page.url.removesuffix("404.html")
    for address in PAGES:
        page.goto(home + address)
        drawn(page)
        assert page.evaluate(FAULTS) == [], address


def stops(page: Page, most: int = 120) -> list[str]:
    """What the tab key reaches, in order, each with a visible focus."""
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        place = page.evaluate(FOCUS)
        if place is None:
            break
        assert place["shown"], f"no visible focus on {place['name']}"
        found.append(place["where"])
    return list(dict.fromkeys(found))


def test_the_tab_key_reaches_tokens_grid_and_heatmap_in_the_order_of_the_page(open_page: Opener) -> None:
    page = open_page("enc/cat/")
    drawn(page)
    reached = [place for place in stops(page) if place]
    assert reached[0] == "skip"
    order = [reached.index(place) for place in ("site-header", "tokens", "heads", "toolbar", "figure-plot")]
    assert order == sorted(order)


def test_a_head_page_is_walked_by_the_tab_key(open_page: Opener) -> None:
    page = open_page("enc/cat/l01h02/")
    drawn(page)
    reached = stops(page)
    assert reached.index("tokens") < reached.index("toolbar") < reached.index("figure-plot")


def test_the_skip_link_leads_to_the_content(open_page: Opener) -> None:
    page = open_page("enc/cat/")
    drawn(page)
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_tokens_are_a_list_that_arrow_keys_walk(open_page: Opener) -> None:
    page = open_page("enc/cat/")
    drawn(page)
    strip = page.get_by_role("listbox")
    assert strip.locator("[tabindex='0']").all_inner_texts() == ["it"]
    strip.locator("[tabindex='0']").focus()
    for key, text in (("ArrowRight", "was"), ("ArrowLeft", "it"), ("Home", "[CLS]"), ("End", "[SEP]")):
        page.keyboard.press(key)
        expect(strip.locator("[aria-selected=true]")).to_have_text([text])
        expect(strip.locator("[aria-selected=true]")).to_be_focused()


def test_what_changes_is_announced(open_page: Opener) -> None:
    page = open_page("enc/cat/")
    drawn(page)
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#attention [role=status]")).to_contain_text("→")


def test_sorting_the_atlas_says_so(open_page: Opener) -> None:
    page = open_page("models/enc/")
    header = page.locator(".atlas th[data-name=entropy]")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    column = header.evaluate("one => one.cellIndex + 1")
    values = [
        float(text) for text in page.locator(f".atlas tbody tr > :nth-child({column})").all_inner_texts()
    ]
    assert values == sorted(values, reverse=True)
    header.get_by_role("button").press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")


def test_the_filter_of_the_home_page_counts_aloud(open_page: Opener) -> None:
    page = open_page("")
    page.get_by_role("button", name="plain", exact=True).click()
    expect(page.locator(".gallery-row:visible")).to_have_count(2)
    expect(page.locator(".filter-count")).to_have_text("2 of 5")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator(".gallery-row:visible")).to_have_count(5)


def test_a_chosen_head_is_announced_and_names_the_heatmap(open_page: Opener) -> None:
    page = open_page("enc/cat/")
    drawn(page)
    status = page.locator("#attention [role=status]")
    expect(status).to_have_text("")
    page.locator(".heads tbody").get_by_text("L0H3", exact=True).click()
    heatmap = page.locator("#attention-plot")
    expect(heatmap).to_have_attribute("aria-label", re.compile(r"^Heatmap\. .*L0H3: .*largest weight"))
    expect(status).to_have_text(re.compile("L0H3: .*largest weight between two tokens is .* → "))
