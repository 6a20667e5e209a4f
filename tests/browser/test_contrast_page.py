"""Two sides and their difference: in two colours, told exactly, zoomed when asked, and readable as text."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Locator, Page, expect
from watched_page import until

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
HEADS = "contrasts/there/"

# Colours of a canvas, as the red and the blue of its pixels less their green.
SIDES = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let [warm, cold] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 255) continue;
        if (data[i] > data[i + 2] + 40) warm += 1;
        if (data[i + 2] > data[i] + 40) cold += 1;
    }
    return [warm, cold];
}"""


def figure_of(page: Page) -> Locator:
    figure = page.locator('[data-figure="difference"]').first
    figure.scroll_into_view_if_needed()
    expect(figure.locator(".figure-plot > canvas")).to_be_visible()
    return figure


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rises_and_falls_have_colours_of_their_own(open_page: Opener, scheme: str) -> None:
    page = open_page(HEADS, color_scheme=scheme)
    figure = figure_of(page)
    until(page, "() => document.querySelectorAll('.trio .figure-plot > canvas').length === 3")
    warm, cold = figure.locator(".figure-plot > canvas").evaluate(SIDES)
    assert warm > 200
    assert cold > 200
    low, middle, high = figure.locator(".scale-ticks span").all_inner_texts()
    assert (low[0], middle, high[0]) == ("−", "0", "+")
    assert low[1:] == high[1:]


def test_both_heatmaps_are_to_one_scale(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEADS)
    figure_of(page)
    weights = gallery.weights("enc", "cat")
    most = max(weights[1, 2].max(), weights[2, 3].max())
    legends = page.locator('.trio [data-figure="embedded"] .scale-ticks')
    expect(legends).to_have_count(2)
    for legend in legends.all():
        ticks = [float(tick) for tick in legend.locator("span").all_inner_texts()]
        assert ticks[0] == 0
        assert ticks[-1] == pytest.approx(most, abs=0.005)


def test_pointing_tells_the_signed_difference(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEADS)
    figure = figure_of(page)
    weights = gallery.weights("enc", "cat")
    exact = weights[2, 3] - weights[1, 2]
    texts = gallery.stored("enc", "cat").tokens.texts
    area = figure.locator(".figure-plot").bounding_box()
    assert area is not None
    told: set[str] = set()
    for x in np.linspace(area["width"] * 0.3, area["width"] * 0.9, 14):
        page.mouse.move(area["x"] + float(x), area["y"] + area["height"] * 0.5)
        page.wait_for_timeout(20)
        if figure.locator(".tip").is_visible():
            told.add(figure.locator(".tip").inner_text())
    assert len(told) > 4
    assert {text.split(": ")[1][0] for text in told} == {"+", "−"}
    for text in told:
        query, key, number = re.fullmatch(r"(.*) → (.*): ([+−][\d.]+)", text).groups()  # type: ignore[union-attr]
        places = [
            (i, j)
            for i, one in enumerate(texts)
            for j, other in enumerate(texts)
            if (one, other) == (query, key)
        ]
        said = float(number.replace("−", "-"))
        assert any(exact[place] == pytest.approx(said, abs=0.0006) for place in places), text


def test_plotly_is_loaded_when_zoom_is_asked_for_and_leaves_again(open_page: Opener) -> None:
    page = open_page("404.html")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page.url.replace("404.html", HEADS))
    figure = figure_of(page)
    page.wait_for_timeout(300)
    assert not any("plotly" in url for url in asked)
    button = figure.get_by_role("button", name="Zoom", exact=True)
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image", state="attached")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(figure.locator(".figure-plot > canvas")).to_be_hidden()
    assert figure.locator(".ytick text").count() > 5
    button.click()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    expect(figure.locator(".figure-plot > canvas")).to_be_visible()


def test_rows_of_one_side_are_told_to_be_not_compared(open_page: Opener) -> None:
    page = open_page("contrasts/both-models/")
    figure = figure_of(page)
    area = figure.locator(".figure-plot").bounding_box()
    assert area is not None
    for y in np.linspace(32, 60, 8):
        page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + float(y))
        page.wait_for_timeout(20)
        if figure.locator(".tip").is_visible():
            expect(figure.locator(".tip")).to_have_text(re.compile("^−\\[CLS\\] → .*: not compared$"))
            return
    raise AssertionError("the first row was not found")


def test_without_scripts_tables_tell_it(open_page: Opener) -> None:
    page = open_page(HEADS, java_script_enabled=False)
    rows = page.locator(".changed tbody tr")
    assert rows.count() == 6
    for row in rows.all():
        left, right, difference = (
            float(cell.inner_text().replace("−", "-").replace("< ", ""))
            for cell in row.locator(".numeric").all()
        )
        assert right - left == pytest.approx(difference, abs=0.0021)
    expect(page.locator('[data-figure="difference"] figcaption')).to_contain_text("Largest differences")
    for link in page.locator('.trio [data-figure="embedded"] figcaption a').all():
        assert (link.get_attribute("href") or "").startswith("../../enc/cat/l0")


def test_a_cell_of_a_strip_leads_to_its_head(open_page: Opener) -> None:
    page = open_page("contrasts/pair/")
    cells = page.locator(".head-strip tbody a")
    assert cells.count() == 12
    assert all((cell.bounding_box() or {}).get("height", 0) >= 24 for cell in cells.all())
    cells.nth(5).click()
    expect(page.locator("h1")).to_have_text("L1H1")
