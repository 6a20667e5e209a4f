"""What notes embed: heatmaps that are drawn when they come into view, and claims that can be read."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
NOTE = "notes/first/"


def test_a_figure_is_drawn_when_it_comes_into_view(open_page: Opener) -> None:
    page = open_page(NOTE)
    figure = page.locator('[data-figure="embedded"]').first
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollHeight") > 2000
    figure.scroll_into_view_if_needed()
    canvas = figure.locator(".figure-plot > canvas")
    expect(canvas).to_be_visible()
    painted = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const pixels = Array.from({ length: data.length / 4 }, (_, i) => 4 * i);
        const colours = pixels.map((i) => data.slice(i, i + 3).join());
        return new Set(colours).size;
    }"""
    assert canvas.evaluate(painted) > 20


def test_a_figure_tells_the_exact_weight(open_page: Opener, gallery: Built) -> None:
    page = open_page(NOTE)
    figure = page.locator('[data-figure="embedded"][data-name="L1H2"]')
    figure.scroll_into_view_if_needed()
    expect(figure.locator("canvas").first).to_be_visible()
    exact = gallery.weights("enc", "cat")[1, 2]
    texts = gallery.stored("enc", "cat").tokens.texts
    area = figure.locator(".figure-plot").bounding_box()
    assert area is not None
    told = set()
    for x in range(40, int(area["width"]), 25):
        page.mouse.move(area["x"] + x, area["y"] + area["height"] * 0.6)
        page.wait_for_timeout(20)
        tip = figure.locator(".tip")
        if tip.is_visible():
            told.add(tip.inner_text())
    assert len(told) > 4
    for text in told:
        query, key, weight = re.fullmatch(r"(.*) → (.*): (.*)", text).groups()  # type: ignore[union-attr]
        assert any(
            exact[i, j] == pytest.approx(float(weight), abs=0.0006)
            for i, one in enumerate(texts)
            for j, other in enumerate(texts)
            if (one, other) == (query, key)
        ), text


def test_a_figure_beside_the_head_s_own_leaves_it_alone(open_page: Opener) -> None:
    page = open_page("enc/cat/l01h02/")
    figures = page.locator('[data-figure="embedded"]')
    assert figures.count() == 2
    own = page.evaluate("AG.figure.name")
    figures.nth(1).scroll_into_view_if_needed()
    expect(figures.nth(1).locator("canvas").first).to_be_visible()
    assert page.evaluate("AG.figure.name") == own == "L1H2"
    assert page.locator('[data-figure="heatmap"] canvas').count() > 0


def test_without_scripts_a_figure_is_its_description_and_a_link(open_page: Opener) -> None:
    page = open_page(NOTE, java_script_enabled=False)
    figure = page.locator('[data-figure="embedded"]').first
    expect(figure.locator(".figure-plot")).to_be_hidden()
    expect(figure.locator("figcaption")).to_contain_text("Several scripts. L1H1 is a ")
    assert (figure.locator("figcaption a").get_attribute("href") or "").endswith("dec/scripts/l01h01/")


def test_claims_say_in_words_whether_they_hold(open_page: Opener) -> None:
    page = open_page("enc/cat/")
    claims = page.locator(".claims li")
    verdicts = [one.inner_text() for one in claims.locator(".verdict").all()]
    assert verdicts == ["holds", "does not hold", "holds"]
    expect(claims.nth(1)).to_contain_text("claimed: at least 1")
