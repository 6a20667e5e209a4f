"""Cross attention: two strips of tokens, matrices that are not square, the store's numbers in all of them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Locator, Page, expect
from watched_page import NARROW, WIDE, at, drawn, probe

from attention_gallery.records import Float32

pytestmark = pytest.mark.browser

CAT = "both-cross/cat/"
HEAD = "both-cross/cat/l01h02/"
PAGES = (
    "",
    "models/both-cross/",
    "models/both-cross/l01h02/",
    "sentences/cat/",
    CAT,
    "both-cross/scripts/",
    "both-decoder/cat/",
    "both-encoder/cat/l01h02/",
    HEAD,
    "both-cross/scripts/l01h02/",
)
Opener = Callable[..., Page]
OpenCross = Callable[..., Page]


@pytest.fixture
def open_cross(open_page: Opener, crossing_root: str) -> OpenCross:
    def opened(address: str, **options: object) -> Page:
        page = open_page(crossing_root + address, origin=crossing_root, **options)
        drawn(page)
        return page

    return opened


@pytest.fixture(scope="module")
def weights(crossing_gallery: Built) -> Float32:
    """float32[layer, head, query, key] of the cat."""
    found = crossing_gallery.weights("both-cross", "cat")
    assert found.shape[2] != found.shape[3]
    return found


@pytest.fixture(scope="module")
def texts(crossing_gallery: Built) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The target's tokens and the source's."""
    entry = crossing_gallery.stored("both-cross", "cat")
    return entry.tokens.texts, entry.keys.texts


def strips(page: Page) -> tuple[Locator, Locator]:
    return page.locator(".tokens").nth(0), page.locator(".tokens").nth(1)


def tints(strip: Locator) -> list[float]:
    """How deeply each token is tinted, 0 to 1."""
    return [
        float(share)
        for share in strip.locator(".token").evaluate_all(
            "all => all.map((one) => one.style.getPropertyValue('--share') || '0')"
        )
    ]


def tinted(strip: Locator, exact: Float32, most: float) -> None:
    """The strip shows these weights as the matrix does: the root of each over the largest of the head."""
    shares = np.sqrt(exact / most)
    best = int(exact.argmax())
    # Tinted a frame after the choice: what is to be seen first is waited for.
    expect(strip.locator(".token").nth(best)).to_have_class(re.compile("tinted"))
    tint = re.compile(f"--share: {shares[best]:.1f}"[:-1])
    expect(strip.locator(".token").nth(best)).to_have_attribute("style", tint)
    assert np.allclose(tints(strip), shares, atol=0.05)


def test_two_strips_have_the_tokens_of_both_sides(
    open_cross: OpenCross, texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    for address in (CAT, HEAD):
        target, source = strips(open_cross(address))
        expect(target.locator(".token")).to_have_text(list(texts[0]))
        expect(source.locator(".token")).to_have_text(list(texts[1]))


def test_a_target_token_tints_the_source(open_cross: OpenCross, weights: Float32) -> None:
    page = open_cross(HEAD)
    target, source = strips(page)
    target.locator(".token").nth(5).click()
    expect(page).to_have_url(re.compile("#token=5$"))
    expect(target.locator("[aria-selected=true]")).to_have_count(1)
    tinted(source, weights[1, 2, 5], weights[1, 2].max())
    expect(target.locator(".tinted")).to_have_count(0)


def test_a_source_token_tints_the_target(open_cross: OpenCross, weights: Float32) -> None:
    page = open_cross(f"{HEAD}#token=5")
    target, source = strips(page)
    source.locator(".token").nth(7).click()
    expect(page.locator("[data-direction=to]")).to_have_attribute("aria-pressed", "true")
    expect(source.locator("[aria-selected=true]")).to_have_count(1)
    tinted(target, weights[1, 2, :, 7], weights[1, 2].max())
    expect(source.locator(".tinted")).to_have_count(0)
    expect(page).to_have_url(re.compile("#token=5&key=7&direction=to$"))
    page.reload()
    drawn(page)
    tinted(strips(page)[0], weights[1, 2, :, 7], weights[1, 2].max())
    page.locator("[data-direction=from]").click()
    tinted(strips(page)[1], weights[1, 2, 5], weights[1, 2].max())


def test_turning_around_begins_at_what_is_looked_at_most(open_cross: OpenCross, weights: Float32) -> None:
    page = open_cross(f"{HEAD}#token=4")
    page.locator("[data-direction=to]").click()
    best = int(weights[1, 2, 4].argmax())
    expect(strips(page)[1].locator(".token").nth(best)).to_have_attribute("aria-selected", "true")
    tinted(strips(page)[0], weights[1, 2, :, best], weights[1, 2].max())


def test_both_strips_are_lists_that_arrow_keys_walk(
    open_cross: OpenCross, texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    page = open_cross(CAT)
    for name, known in (("Target tokens", texts[0]), ("Source tokens", texts[1])):
        strip = page.get_by_role("listbox", name=name)
        strip.locator("[tabindex='0']").focus()
        for key, place in (("Home", 0), ("ArrowRight", 1), ("End", -1), ("ArrowLeft", -2)):
            page.keyboard.press(key)
            chosen = strip.locator("[aria-selected=true]")
            expect(chosen).to_have_text([known[place]])
            expect(chosen).to_be_focused()
        expect(strip.locator("[tabindex='0']")).to_have_count(1)


@pytest.mark.parametrize("address", [f"{HEAD}#view=table", f"{CAT}#head=L1H2&view=table"])
def test_the_table_has_the_stores_numbers_under_the_right_names(
    open_cross: OpenCross,
    weights: Float32,
    texts: tuple[tuple[str, ...], tuple[str, ...]],
    address: str,
) -> None:
    page = open_cross(address)
    page.wait_for_selector(".figure-table td.numeric")
    rows: list[list[str]] = page.eval_on_selector_all(
        ".figure-table tr", "rows => rows.map((row) => Array.from(row.cells, (cell) => cell.textContent))"
    )
    assert tuple(rows[0][1:]) == texts[1]
    assert tuple(row[0] for row in rows[1:]) == texts[0]
    error = 0.0006 if address.startswith(HEAD) else 0.01
    for row, exact in zip(rows[1:], weights[1, 2], strict=True):
        for text, weight in zip(row[1:], exact, strict=True):
            assert float(text.removeprefix("< ")) == pytest.approx(weight, abs=error)


def test_pointing_at_a_cell_tells_its_pair(
    open_cross: OpenCross, weights: Float32, texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    page = open_cross(HEAD)
    last = weights.shape[2] - 1, weights.shape[3] - 1
    for query, key in ((0, 0), last, (last[0], 0), (0, last[1]), (3, 8)):
        page.mouse.move(*at(page, query, key))
        expect(page.locator(".readout b")).to_have_text(
            re.compile("^" + re.escape(f"{texts[0][query]} → {texts[1][key]}: "))
        )
        number = float(page.locator(".readout b").inner_text().rsplit(": ", 1)[1])
        assert number == pytest.approx(weights[1, 2, query, key], abs=0.0006)
    page.mouse.click(*at(page, 3, 8))
    expect(strips(page)[0].locator(".token").nth(3)).to_have_attribute("aria-selected", "true")
    page.locator("[data-direction=to]").click()
    page.mouse.click(*at(page, 3, 8))
    expect(strips(page)[1].locator(".token").nth(8)).to_have_attribute("aria-selected", "true")


def test_arrow_keys_reach_the_last_row_and_column(
    open_cross: OpenCross, texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    page = open_cross(f"{HEAD}#token=0")
    page.locator(".figure-plot").focus()
    page.keyboard.press("ArrowDown")
    for _ in range(len(texts[0]) + 2):
        page.keyboard.press("ArrowDown")
    for _ in range(len(texts[1]) + 2):
        page.keyboard.press("ArrowRight")
    spoken = page.locator("#attention [role=status]")
    expect(spoken).to_have_text(re.compile("^" + re.escape(f"{texts[0][-1]} → {texts[1][-1]}: ")))


def test_the_trace_names_source_tokens(
    open_cross: OpenCross, weights: Float32, texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    page = open_cross(CAT)
    strips(page)[0].locator(".token").nth(6).click()
    page.get_by_role("button", name="All tokens").click()
    expect(page.locator(".trace caption q")).to_have_text(texts[0][6])
    for layer, mean in enumerate(weights.mean(axis=1)[:, 6]):
        row = page.locator(".trace tbody tr").nth(layer)
        best = np.argsort(-mean)[:3]
        assert row.locator(".trace-key").all_inner_texts() == [texts[1][key] for key in best]
        shown = [float(text) for text in row.locator(".number").all_inner_texts()]
        assert np.allclose(shown, mean[best], atol=0.0006)


def test_the_lines_run_from_the_target_to_the_source(open_cross: OpenCross) -> None:
    page = open_cross(f"{HEAD}#view=lines&token=2")
    canvas = page.locator(".figure-plot canvas[role=img]")
    expect(canvas).to_be_visible()
    spot = {"x": 30, "y": 28 + 26 * 4 + 13}
    canvas.click(position=spot)
    expect(strips(page)[0].locator(".token").nth(4)).to_have_attribute("aria-selected", "true")
    page.locator("[data-direction=to]").click()
    canvas.click(position=spot)
    expect(strips(page)[1].locator(".token").nth(4)).to_have_attribute("aria-selected", "true")


def test_plotly_has_rows_of_the_target_and_columns_of_the_source(
    open_cross: OpenCross, texts: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    page = open_cross(HEAD, plotly=True)
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image", state="attached")
    found = page.evaluate(
        """() => {
            const [trace] = document.querySelector(".js-plotly-plot").data;
            return [trace.z.length, trace.z[0].length, trace.y.length, trace.x.length];
        }"""
    )
    assert found == [len(texts[0]), len(texts[1])] * 2
    assert page.evaluate(probe("overlaps"), ".js-plotly-plot .ytick text") == []


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["390", "1280"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_fits_reads_well_and_is_told_in_full(
    open_page: Opener, crossing_root: str, size: dict[str, int], scheme: str
) -> None:
    page = open_page(crossing_root, origin=crossing_root, viewport=size, color_scheme=scheme)
    for address in PAGES:
        page.goto(crossing_root + address)
        drawn(page)
        assert page.evaluate(probe("outside")) == {"found": [], "scroll": 0}, address
        assert page.evaluate(probe("faults")) == [], address
        assert [one for one in page.evaluate(probe("contrasts")) if one[0] < 4.5] == [], address
        if page.locator(".tokens").count():
            assert page.evaluate(probe("clipped")) == [], address


@pytest.mark.parametrize("address", [HEAD, "both-cross/scripts/l01h02/"])
def test_the_matrix_keeps_its_proportions_and_its_labels_have_room(
    open_cross: OpenCross, crossing_gallery: Built, address: str
) -> None:
    sentence = address.split("/")[1]
    shape = crossing_gallery.weights("both-cross", sentence).shape
    for size in (NARROW, WIDE):
        page = open_cross(address, viewport=size)
        room = page.evaluate(
            "({ ...AG.figure.box, width: AG.figure.plot.clientWidth, height: AG.figure.plot.clientHeight })"
        )
        assert room["wide"] / room["high"] == pytest.approx(shape[3] / shape[2])
        assert room["every"] * room["cell"] >= room["font"] * 1.1
        assert room["left"] + room["wide"] <= room["width"] + 1
        assert room["top"] + room["high"] < room["height"]
