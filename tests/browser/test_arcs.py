"""Relations stand as arcs over the tokens: whole where the selected head agrees; a chosen one ranks heads."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect
from watched_page import NARROW, drawn, until

from attention_gallery.records import Float32

pytestmark = pytest.mark.browser

CAT = "enc/cat/"
IT, THE_CAT = 9, 2
SPECIAL = (0, 14)
Opener = Callable[..., Page]


def agrees(weights: Float32) -> bool:
    """Whether “it” looks most at “cat” of all other words, or “cat” looks most at it: [query, key]."""
    words = [token for token in range(len(weights)) if token not in SPECIAL]
    others = [token for token in words if token != IT]
    looked_at = others[int(weights[IT, others].argmax())]
    looking = others[int(weights[others, IT].argmax())]
    return THE_CAT in (looked_at, looking)


def test_an_arc_is_whole_where_the_selected_head_agrees(open_page: Opener, gallery: Built) -> None:
    weights = gallery.weights("enc", "cat")
    page = open_page(CAT)
    drawn(page)
    arc = page.locator("[data-relation]")
    expect(arc).to_have_count(1)
    seen = set()
    for layer, head in np.ndindex(weights.shape[:2]):
        name = f"L{layer}H{head}"
        page.evaluate("(head) => AG.set({ head })", name)
        agreeing = agrees(weights[layer, head])
        seen.add(agreeing)
        told = "this head agrees" if agreeing else "this head looks elsewhere"
        expect(arc).to_have_attribute("aria-label", f"coreference: it to cat, {told}")
        dashes = arc.locator(".arc-line").evaluate("(line) => getComputedStyle(line).strokeDasharray")
        assert (dashes == "none") == agreeing, name
        expect(arc.locator("text")).to_have_text("coreference ✓" if agreeing else "coreference")
    assert seen == {True, False}


def test_an_arc_stands_over_its_two_tokens(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    path = page.locator("[data-relation] .arc-line")
    line = path.bounding_box()
    assert line is not None
    middles = []
    for token in (IT, THE_CAT):
        box = page.locator(".token").nth(token).bounding_box()
        assert box is not None
        middles.append(box["x"] + box["width"] / 2)
        assert abs(line["y"] + line["height"] - box["y"]) < box["height"] / 2
    assert line["x"] == pytest.approx(min(middles), abs=4)
    assert line["x"] + line["width"] == pytest.approx(max(middles), abs=4)


def test_choosing_an_arc_ranks_the_heads_by_it_and_is_kept_in_the_address(
    open_page: Opener, gallery: Built
) -> None:
    page = open_page(f"{CAT}#token=3")
    drawn(page)
    arc = page.locator("[data-relation]")
    page.locator("[data-relation] .arc-hit").dispatch_event("click")
    expect(arc).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".token[aria-selected=true]")).to_have_text(["it"])
    expect(page.locator("[data-colour=pair]")).to_have_text("it → cat")
    expect(page.locator("[data-colour=pair]")).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile("relation=0.*colour=pair"))
    most = gallery.weights("enc", "cat")[:, :, IT, THE_CAT].max()
    ends = page.locator(".heat-scale span")
    until(page, "() => document.querySelector('.heat-scale').hidden === false")
    assert float(ends.last.inner_text()) == pytest.approx(float(most), abs=0.011)
    other = open_page(page.url, fresh=True)
    drawn(other)
    expect(other.locator("[data-relation]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-relation] .arc-hit").dispatch_event("click")
    expect(arc).to_have_attribute("aria-pressed", "false")


def test_arcs_are_one_stop_of_the_tab_key(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    arc = page.locator("[data-relation][tabindex='0']")
    expect(arc).to_have_count(1)
    arc.focus()
    page.keyboard.press("Enter")
    expect(arc).to_have_attribute("aria-pressed", "true")
    expect(arc).to_be_focused()


def test_on_a_telephone_both_ends_are_on_the_one_line(open_page: Opener) -> None:
    page = open_page(CAT, viewport=NARROW)
    drawn(page)
    expect(page.locator("[data-relation]")).to_have_count(1)
    tops = page.eval_on_selector_all(
        ".token", "(all) => all.map((one) => one.getBoundingClientRect().bottom)"
    )
    assert max(tops) - min(tops) < 20
    expect(page.locator(".token[aria-selected=true]")).to_be_in_viewport()


def test_what_is_not_known_has_no_room(open_page: Opener) -> None:
    page = open_page("enc/paragraph/")
    drawn(page)
    assert page.locator("[data-arcs], #relation-arcs").count() == 0
