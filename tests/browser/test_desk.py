"""The explorer is one screen: what is read together is in sight together, and its weights come in tiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Page, Route, expect
from watched_page import NARROW, drawn, probe, until

pytestmark = pytest.mark.browser

CAT = "enc/cat/"
SMALL_DESK = {"width": 1280, "height": 720}
Opener = Callable[..., Page]
WEIGHTS = "() => Array.from(AG.figure.whole)"
# What one byte of the square root, and adding up such bytes, may be away from.
ROUNDING = 0.004
LEVELS = probe("grid")


def loaded(page: Page, name: str) -> None:
    """Wait until the figure shows the head or mean of this name."""
    until(page, "(name) => AG.figure.weights !== null && AG.figure.name === name", name)


@pytest.mark.parametrize("address", [CAT, "dec/cat/", "deep/cat/"])
def test_what_is_read_together_is_in_sight_together(open_page: Opener, deep_root: str, address: str) -> None:
    options = {"origin": deep_root} if address.startswith("deep") else {}
    page = open_page((deep_root if options else "") + address, viewport=SMALL_DESK, **options)
    drawn(page)
    for part in (".tokens", ".heads", ".figure-plot canvas", ".readout", ".strongest", ".desk-sections"):
        box = page.locator(part).first.bounding_box()
        assert box is not None, part
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= SMALL_DESK["height"] + 1, part
        assert box["x"] + box["width"] <= SMALL_DESK["width"] + 1, part
    assert page.evaluate("scrollY") == 0


def test_the_sentence_stays_in_sight_while_the_rest_is_read(open_page: Opener) -> None:
    page = open_page(CAT, viewport=SMALL_DESK)
    drawn(page)
    for name in ("why", "layers", "flow", "numbers"):
        page.locator(f".desk-sections a[href='#{name}']").click()
        heading = page.locator(f"#{name} :is(h2, h3)").first
        until(page, "(name) => document.getElementById(name).getBoundingClientRect().top < innerHeight", name)
        expect(heading).to_be_in_viewport()
        expect(page.locator(".token").first).to_be_in_viewport()


def test_every_head_and_every_mean_is_what_was_captured(open_page: Opener, gallery: Built) -> None:
    exact = gallery.weights("enc", "cat")
    page = open_page(CAT)
    drawn(page)
    layers, heads = exact.shape[:2]
    names = {f"L{layer}H{head}": exact[layer, head] for layer in range(layers) for head in range(heads)}
    names |= {f"L{layer}": exact[layer].mean(axis=0) for layer in range(layers)}
    names |= {f"H{head}": exact[:, head].mean(axis=0) for head in range(heads)}
    names["mean"] = exact.mean(axis=(0, 1))
    assert page.evaluate("AG.grid.names.toSorted()") == sorted(names)
    for name, weights in names.items():
        page.evaluate("(head) => AG.set({ head })", name)
        loaded(page, name)
        assert np.abs(np.array(page.evaluate(WEIGHTS)) - weights.ravel()).max() < ROUNDING, name


def test_the_half_that_a_causal_model_cannot_see_is_absent_in_means_as_well(
    open_page: Opener, gallery: Built
) -> None:
    exact = gallery.weights("dec", "cat").mean(axis=(0, 1))
    page = open_page("dec/cat/#head=mean")
    loaded(page, "mean")
    shown = page.evaluate(
        "() => Array.from(AG.figure.whole, (weight) => (Number.isNaN(weight) ? -1 : weight))"
    )
    expected = np.where(np.tri(len(exact), dtype=bool), exact, -1)
    assert np.abs(np.array(shown) - expected.ravel()).max() < ROUNDING


def test_the_page_draws_before_any_other_file_is_there(open_page: Opener) -> None:
    held: list[Route] = []
    page = open_page("404.html")
    home = page.url.removesuffix("404.html")
    page.route("**/tiles/*", lambda route: held.append(route))
    page.goto(home + CAT)
    drawn(page)
    assert page.evaluate("AG.figure.weights.length") > 0
    expect(page.locator(".readout b")).to_have_text(re.compile("^it → "))
    expect(page.locator(".readout")).not_to_contain_text("mean of this layer")
    until(page, "() => document.querySelector('.heads.drawn') !== null")
    page.wait_for_timeout(300)
    for route in held:
        route.continue_()


def test_a_layer_is_asked_for_once(open_page: Opener) -> None:
    asked: list[str] = []
    page = open_page("404.html")
    home = page.url.removesuffix("404.html")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{home}{CAT}#head=L2H0")
    loaded(page, "L2H0")
    for name in ("L0H0", "L2H1", "L0H1", "mean"):
        page.evaluate("(head) => AG.set({ head })", name)
        loaded(page, name)
    tiles = [url.split("/tiles/")[1].split("?")[0] for url in asked if "/tiles/" in url]
    assert sorted(tiles) == ["0-0-0-0.js", "0-1-0-0.js", "0-2-0-0.js"]


@pytest.mark.parametrize("fault", ["lost", "of a later build"])
def test_weights_that_cannot_be_had_are_told_and_asked_for_again(open_page: Opener, fault: str) -> None:
    page = open_page("404.html")
    home = page.url.removesuffix("404.html")

    def answer(route: Route) -> None:
        later = 'AG.tile("0-2-0-0","ffffffffffff","sqrt8",false,"AAAA");'
        body = later if fault == "of a later build" else "// nothing"
        route.fulfill(status=200, body=body, content_type="text/javascript")

    page.goto(home + CAT)
    drawn(page)
    page.evaluate("AG.loadedLayer(2)")
    page.goto("about:blank")
    page.route("**/tiles/0-2-*", answer)
    page.goto(home + CAT)
    drawn(page)
    before = page.evaluate("AG.figure.name")
    page.evaluate("AG.set({ head: 'L2H0' })")
    message = page.locator(".figure-message")
    expect(message).to_contain_text("L2H0 cannot be shown")
    expect(message).to_contain_text(f"The picture is still of {before}.")
    page.unroute("**/tiles/0-2-*")
    page.evaluate("AG.set({ head: 'L2H1' })")
    loaded(page, "L2H1")
    expect(message).to_be_hidden()


def test_the_grid_is_one_stop_of_the_tab_key_and_its_cells_have_names(open_page: Opener) -> None:
    page = open_page(f"{CAT}#head=L1H2&token=7")
    loaded(page, "L1H2")
    grid = page.get_by_role("grid")
    assert grid.locator("[tabindex='0']").count() == 1
    cell = grid.get_by_role("button", name=re.compile(r"^L1H2, .+, street to \S+ [01]\.\d\d$"))
    expect(cell).to_have_attribute("aria-current", "true")
    cell.focus()
    for key, name in (("ArrowUp", "L0H2"), ("End", "L0"), ("ArrowDown", "L1"), ("Home", "L1H0")):
        page.keyboard.press(key)
        loaded(page, name)
        expect(grid.locator(":focus")).to_have_text(name)
        assert grid.locator("[tabindex='0']").count() == 1


def test_a_page_of_all_heads_has_few_stops(open_page: Opener, deep_root: str) -> None:
    page = open_page(deep_root + "deep/cat/", origin=deep_root)
    drawn(page)
    stops = page.evaluate(
        "() => Array.from(document.querySelectorAll('a[href], button, input, select, summary, [tabindex]'))"
        ".filter((each) => each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true })"
        " && !each.disabled && !each.closest('.notable, .actions, .site-footer, .prose, .pager')).length"
    )
    assert stops <= 40


def levels_of(page: Page) -> dict[str, Any]:
    """The step of the ramp that the middle of each head's square has."""
    levels: dict[str, Any] = page.evaluate(LEVELS)
    return levels


def test_the_grid_shows_the_weight_of_the_selected_pair_in_every_head(
    open_page: Opener, gallery: Built
) -> None:
    page = open_page(f"{CAT}#head=L1H2&token=7&colour=pair")
    loaded(page, "L1H2")
    exact = gallery.weights("enc", "cat")
    key = int(exact[1, 2, 7].argmax())
    until(page, "() => document.querySelector('.heat-scale').hidden === false")
    page.wait_for_timeout(100)
    texts = gallery.stored("enc", "cat").tokens.texts
    expect(page.locator("[data-colour=pair]")).to_have_text(f"street → {texts[key]}")
    levels = levels_of(page)
    most = exact[:, :, 7, key].max()
    for (layer, head), weight in np.ndenumerate(exact[:, :, 7, key]):
        shown = (levels[f"L{layer}H{head}"] / 255) ** 2 * most
        assert shown == pytest.approx(weight, abs=0.012), (layer, head)


def test_the_grid_shows_any_measure_and_says_its_ends(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    page.get_by_label("Colour the heads by a measure").select_option("entropy")
    expect(page).to_have_url(re.compile("colour=entropy"))
    measures = page.evaluate("JSON.parse(document.getElementById('head-measures').textContent)")
    values = [float(text) for text in next(each for each in measures if each["name"] == "entropy")["values"]]
    until(page, "() => document.querySelector('.heat-scale').hidden === false")
    page.wait_for_timeout(100)
    ends = [float(text) for text in page.locator(".heat-scale span").all_inner_texts()]
    assert ends == pytest.approx([min(values), max(values)], rel=0.05)
    levels = levels_of(page)
    for index, value in enumerate(values):
        place = (value - min(values)) / (max(values) - min(values))
        assert levels[f"L{index // 4}H{index % 4}"] == pytest.approx(255 * place, abs=2)


def test_small_pictures_have_the_colours_of_their_weights(open_page: Opener, gallery: Built) -> None:
    page = open_page(CAT)
    drawn(page)
    exact = gallery.weights("enc", "cat")
    for index, (layer, head) in enumerate(np.ndindex(exact.shape[:2])):
        place = layer * (exact.shape[1] + 1) + head
        shown = page.evaluate("(index) => Array.from(AG.grid.picture(index).levels)", place)
        weights = (np.array(shown) / 255) ** 2
        assert np.abs(weights - exact[layer, head].ravel()).max() < ROUNDING, index


def test_on_a_telephone_the_heads_are_a_sheet_that_goes_when_one_is_chosen(open_page: Opener) -> None:
    page = open_page(CAT, viewport=NARROW, has_touch=True)
    drawn(page)
    sheet = page.locator("[data-sheet]")
    expect(sheet).to_be_hidden()
    expect(page.locator(".figure-plot")).to_be_in_viewport(ratio=0.9)
    opener = page.get_by_role("button", name="All heads")
    opener.click()
    expect(sheet).to_be_visible()
    expect(sheet.locator("[aria-current=true]")).to_be_focused()
    page.locator(".heads tbody").get_by_text("L2H1", exact=True).click()
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    loaded(page, "L2H1")
    expect(page.locator(".figure-plot")).to_be_in_viewport(ratio=0.9)
    opener.click()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_model_and_sentence_are_switched_in_the_bar(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    model, sentence = page.locator("details.menu").all()
    model.locator("summary").click()
    expect(model.get_by_role("link", name="This sentence in Decoder")).to_be_visible()
    sentence.locator("summary").click()
    expect(model.locator("ul")).to_be_hidden()
    expect(sentence.get_by_role("link", name="This sentence in every model")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sentence.locator("ul")).to_be_hidden()
    model.locator("summary").click()
    model.get_by_role("link", name="This sentence in Decoder").click()
    page.wait_for_url("**/dec/cat/")


def test_measures_of_the_selected_head_stand_with_their_ranks(open_page: Opener) -> None:
    page = open_page(f"{CAT}#head=L1H2")
    loaded(page, "L1H2")
    measures = page.evaluate("JSON.parse(document.getElementById('head-measures').textContent)")
    rows = page.locator(".why tbody tr")
    expect(rows).to_have_count(len(measures))
    for row, measure in zip(rows.all(), measures, strict=True):
        value = measure["values"][6]
        expect(row.locator("td").first).to_contain_text(value)
        # What reads "< 0.01" comes after what reads 0.01, and is equal to what reads the same.
        numbers = [float(text.removeprefix("< ")) - 1e-9 * text.startswith("<") for text in measure["values"]]
        rank = sum(number > numbers[6] for number in numbers) + 1
        same = "equal " if measure["values"].count(value) > 1 else ""
        expect(row.locator("td").last).to_have_text(re.compile(rf"^{same}{rank}\w\w of {len(numbers)}$"))


def test_one_key_leads_to_any_head_and_to_what_is_near(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Jump to")
    expect(field).to_be_focused()
    options = page.get_by_role("listbox", name="Places").get_by_role("option")
    expect(options.first).to_contain_text("L0H0")
    field.press_sequentially("l2")
    expect(options.first).to_contain_text("mean of the heads of layer 2")
    field.press_sequentially("h1")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    loaded(page, "L2H1")
    expect(page.locator("dialog.jump")).to_be_hidden()
    page.get_by_role("button", name="Jump to").click()
    field.fill("decoder")
    expect(options.first).to_contain_text("This sentence in Decoder")
    options.first.click()
    page.wait_for_url("**/dec/cat/")
    page.keyboard.press("/")
    field.fill("nowhere at all")
    expect(page.locator(".jump")).to_contain_text("Nothing here has that name.")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.jump")).to_be_hidden()


def test_a_copied_link_names_head_and_token(open_page: Opener) -> None:
    page = open_page(CAT, permissions=["clipboard-read", "clipboard-write"])
    drawn(page)
    head = page.evaluate("AG.figure.name")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{page.url}#head={head}&token=9"
