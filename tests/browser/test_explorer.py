"""The explorer: heads, tokens and views are chosen, kept in the address, and tell the store's numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect
from watched_page import drawn, until

from attention_gallery.analysis import rollout

pytestmark = pytest.mark.browser

CAT = "enc/cat/"
IT = 9
TEXTS = ("[CLS]", "The", "cat", "did", "not", "cross", "the", "street", "because", "it")
Opener = Callable[..., Page]


def selected(page: Page, name: str) -> None:
    expect(page.locator("[data-selected]")).to_have_text(re.compile(rf"^{name} "))
    expect(page.locator(".heads [aria-current=true]")).to_have_text(name)


def choose_head(page: Page, name: str) -> None:
    page.locator(".heads tbody").get_by_text(name, exact=True).click()


def table(page: Page) -> list[list[str]]:
    """The texts of the figure's table: rows of cells."""
    rows: list[list[str]] = page.eval_on_selector_all(
        ".figure-table tr", "rows => rows.map((row) => Array.from(row.cells, (cell) => cell.textContent))"
    )
    return rows


def stated_error(page: Page) -> float:
    """The error that the page admits to in words."""
    told = re.search(r"the largest error is ([0-9.]+?)\.?(?:\s|$)", page.inner_text(".about-numbers"))
    assert told
    return float(told[1])


def tells(text: str, exact: float, error: float) -> bool:
    """Whether a number with two decimals is the exact one, but for the stated error and rounding."""
    if text == "< 0.01":
        return exact < 0.01 + error
    assert re.fullmatch(r"[01]\.\d\d", text)
    return abs(float(text) - exact) <= error + 0.005 + 1e-6


def test_choosing_a_head_changes_the_figure_and_the_address(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    before = page.locator("figcaption").last.inner_text()
    choose_head(page, "L1H0")
    selected(page, "L1H0")
    expect(page).to_have_url(re.compile(r"/enc/cat/#head=L1H0$"))
    expect(page.locator("#attention figcaption")).to_contain_text("L1H0")
    assert page.locator("#attention figcaption").inner_text() != before
    expect(page.locator("[data-selected-link]")).to_have_attribute("href", re.compile("/l01h00/"))


def test_reload_and_back_keep_the_head(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    first = page.evaluate("AG.state.head")
    choose_head(page, "L1H0")
    choose_head(page, "L0H3")
    page.reload()
    selected(page, "L0H3")
    page.go_back()
    selected(page, "L1H0")
    page.go_back()
    selected(page, first)


def test_keys_move_among_the_heads_and_stop_at_the_edges(open_page: Opener) -> None:
    page = open_page(CAT + "#head=L0H2")
    selected(page, "L0H2")
    for key, name in (
        ("l", "L0H3"),
        ("l", "L0"),
        ("l", "L0"),
        ("j", "L1"),
        ("h", "L1H3"),
        ("k", "L0H3"),
        ("k", "L0H3"),
    ):
        page.keyboard.press(key)
        selected(page, name)


def test_arrow_keys_move_in_the_grid(open_page: Opener) -> None:
    page = open_page(CAT + "#head=L1H1")
    selected(page, "L1H1")
    page.locator(".heads [aria-current=true]").focus()
    for key, name in (
        ("ArrowRight", "L1H2"),
        ("ArrowDown", "L2H2"),
        ("ArrowLeft", "L2H1"),
        ("ArrowUp", "L1H1"),
    ):
        page.keyboard.press(key)
        selected(page, name)
        expect(page.locator(".heads [aria-current=true]")).to_be_focused()


def test_a_head_without_a_page_is_chosen_like_the_others(open_page: Opener, deep_root: str) -> None:
    page = open_page(deep_root + "deep/cat/", origin=deep_root)
    drawn(page)
    bare = page.locator(".heads tbody span").first
    name = bare.text_content() or ""
    bare.click()
    selected(page, name)
    expect(page.locator("[data-selected-link]")).to_be_hidden()
    other = page.locator(".heads tbody span").nth(3)
    other.focus()
    page.keyboard.press("Enter")
    selected(page, other.text_content() or "")


def test_choosing_a_token_tints_the_others_and_rewrites_the_trace(open_page: Opener, gallery: Built) -> None:
    page = open_page(CAT)
    drawn(page)
    expect(page.locator(".token[aria-selected=true]")).to_have_text(["it"])
    page.get_by_role("option", name="street").click()
    expect(page.locator(".token[aria-selected=true]")).to_have_text(["street"])
    expect(page.locator(".trace caption q")).to_have_text("street")
    assert page.locator(".trace thead th").all_inner_texts()[:3] == ["Layer", "Most", "Second"]
    expect(page).to_have_url(re.compile("token=7"))
    assert page.locator(".token.tinted").count() > 3
    page.get_by_role("button", name="All tokens").click()
    means = gallery.weights("enc", "cat").mean(axis=1)[:, 7]
    rows = page.locator(".trace tbody tr")
    expect(rows).to_have_count(3)
    for layer, mean in enumerate(means):
        shown = [float(text) for text in rows.nth(layer).locator(".number").all_inner_texts()]
        best = np.sort(mean)[::-1][: len(shown)]
        assert np.allclose(shown, best, atol=0.0006)


def test_the_views_follow_token_and_layer_and_can_be_shared(open_page: Opener, gallery: Built) -> None:
    page = open_page(CAT)
    drawn(page)
    rows = page.locator(".sources tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator(".sources caption")).to_contain_text("in layer 2")
    page.get_by_role("option", name="street").click()
    page.get_by_role("combobox", name="Layer").select_option("1")
    expect(page.locator(".sources caption")).to_contain_text("street")
    expect(page.locator(".sources caption")).to_contain_text("in layer 1")
    expect(page).to_have_url(re.compile("layer=1"))
    reached = list(rollout(gallery.stored("enc", "cat")))[1][7]
    cells = rows.filter(has_text="Rollout").locator("td")
    best = np.argsort(-reached)[:3]
    expect(cells.locator(".trace-key")).to_have_text(
        [gallery.stored("enc", "cat").tokens.texts[key] for key in best]
    )
    shown = [float(text) for text in cells.locator(".number").all_inner_texts()]
    assert np.allclose(shown, reached[best], atol=0.0006)
    raw = [float(text) for text in rows.filter(has_text="Raw").locator(".number").all_inner_texts()]
    mean = gallery.weights("enc", "cat").mean(axis=1)[1, 7]
    assert np.allclose(raw, np.sort(mean)[::-1][:3], atol=0.0006)
    other = open_page(f"{CAT}#token=7&layer=1")
    expect(other.locator(".sources caption")).to_contain_text("in layer 1")
    assert other.locator(".sources tbody").inner_text() == page.locator(".sources tbody").inner_text()


def test_the_tint_is_deepest_where_the_weight_is_largest(open_page: Opener, gallery: Built) -> None:
    page = open_page(f"{CAT}#head=L1H2&token={IT}")
    selected(page, "L1H2")
    weights = gallery.weights("enc", "cat")[1, 2]
    for direction, row in (("from", weights[IT]), ("to", weights[:, IT])):
        page.locator(f"[data-direction={direction}]").click()
        until(page, "want => AG.state.direction === want", direction)
        until(
            page,
            "want => JSON.stringify([...document.querySelectorAll('.token')].map("
            "(token) => Math.abs(Number(token.style.getPropertyValue('--share')) - want.shift()) < 0.02)"
            ".filter((near) => !near)) === '[]'",
            np.sqrt(row / weights.max()).tolist(),
        )


def test_content_words_leave_out_what_all_tokens_count(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    content = page.locator("[data-trace=content]")
    expect(content).to_have_attribute("aria-pressed", "true")
    heads = page.locator(".trace tbody .trace-key").all_inner_texts()
    assert not {"[CLS]", "[SEP]"} & set(heads)
    page.locator("[data-trace=all]").click()
    expect(content).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(re.compile("trace=all"))
    content.click()
    assert page.locator(".trace tbody .trace-key").all_inner_texts() == heads


def test_each_view_shows_itself_alone(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    picture, lines = page.locator("[role=application]"), page.locator(".figure-plot canvas[role=img]")
    numbers = page.locator(".figure-table")
    for view, shown, others in (
        ("Lines", lines, (picture, numbers)),
        ("Table", numbers, (picture, lines)),
        ("Matrix", picture, (lines, numbers)),
    ):
        page.get_by_role("button", name=view, exact=True).click()
        expect(shown).to_be_visible()
        for other in others:
            expect(other).to_be_hidden()


def test_the_lines_reach_down_to_the_threshold(open_page: Opener) -> None:
    page = open_page(f"{CAT}#view=lines&threshold=0.3")
    slider = page.get_by_role("slider")
    expect(slider).to_have_value("0.3")
    slider.press("ArrowLeft")
    expect(page.locator("output")).to_have_text("0.29")
    expect(page).to_have_url(re.compile("threshold=0.29"))


@pytest.mark.parametrize(("model", "head"), [("enc", (1, 2)), ("enc", (2, 0)), ("dec", (1, 1))])
def test_the_table_is_right_within_the_error_that_the_page_states(
    open_page: Opener, gallery: Built, model: str, head: tuple[int, int]
) -> None:
    page = open_page(f"{model}/cat/#head=L{head[0]}H{head[1]}&view=table")
    page.wait_for_selector(".figure-table td")
    exact = gallery.weights(model, "cat")[head]
    stated = stated_error(page)
    rows = table(page)
    assert rows[0][1:] == [row[0] for row in rows[1:]] == list(gallery.stored(model, "cat").tokens.texts)
    for query, row in enumerate(rows[1:]):
        for key, text in enumerate(row[1:]):
            if model == "dec" and key > query:
                assert text == ""
            else:
                assert tells(text, exact[query, key], stated)


def test_a_long_sentence_lists_the_largest_weights_of_each_query(open_page: Opener, gallery: Built) -> None:
    page = open_page("enc/paragraph/#head=L0H3&view=table")
    page.wait_for_selector(".figure-table td")
    exact = gallery.weights("enc", "paragraph")[0, 3]
    stated = stated_error(page)
    rows = table(page)[1:]
    assert len(rows) == len(exact)
    for row, weights in zip(rows, exact, strict=True):
        for text, weight in zip(row[1:], sorted(weights, reverse=True), strict=False):
            number = re.search(r"(< )?[\d.]+$", text)
            assert number
            assert tells(number[0], weight, stated)


def test_what_is_pointed_at_has_the_decimals_that_one_byte_can_tell(
    open_page: Opener, gallery: Built
) -> None:
    page = open_page(f"{CAT}#head=L1H2&token=3", plotly=True)
    drawn(page)
    stated = stated_error(page)
    exact = gallery.weights("enc", "cat")[1, 2]
    page.locator("#attention-plot").focus()
    spoken = page.locator("#attention [role=status]")
    page.keyboard.press("ArrowDown")
    for column in range(3, 9):
        expect(spoken).to_have_text(re.compile(rf"^\w+ → {TEXTS[column]}: "))
        assert tells(spoken.inner_text().rsplit(": ", 1)[1], exact[3, column], stated)
        page.keyboard.press("ArrowRight")
    page.locator("[data-zoom]").click()
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image", state="attached")
    page.locator("#attention-plot").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".hoverlayer .hovertext")).to_have_text(re.compile(r": [01]\.\d\d$"))


def test_a_shared_address_restores_everything_elsewhere(open_page: Opener) -> None:
    page = open_page(CAT)
    drawn(page)
    choose_head(page, "L2H1")
    page.get_by_role("option", name="tired").click()
    page.get_by_role("button", name="Table", exact=True).click()
    page.locator("[data-trace=all]").click()
    page.locator("[data-direction=to]").click()
    page.locator("[data-scale]").click()
    other = open_page(page.url, fresh=True)
    selected(other, "L2H1")
    expect(other.locator(".token[aria-selected=true]")).to_have_text(["tired"])
    expect(other.locator(".trace caption q")).to_have_text("tired")
    expect(other.locator(".figure-table")).to_be_visible()
    for name, value in (("view", "table"), ("trace", "all"), ("direction", "to")):
        expect(other.locator(f"button[data-{name}={value}]")).to_have_attribute("aria-pressed", "true")
    expect(other.locator("[data-scale]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    "fragment",
    ["head=L9H9&token=999", "head=%3Cb%3E&token=-3&view=x&threshold=NaN", "trace", "=&=&", "token=99999"],
)
def test_an_address_that_makes_no_sense_opens_the_page_as_it_is(open_page: Opener, fragment: str) -> None:
    page = open_page(f"{CAT}#{fragment}")
    drawn(page)
    expect(page.locator("[data-selected]")).to_contain_text(re.compile(r"^L\dH\d "))
    expect(page.locator(".trace caption q")).to_have_text("it")
    page.get_by_role("option", name="tired").click()
    expect(page.locator(".token[aria-selected=true]")).to_have_text(["tired"])


def test_the_page_of_the_head_keeps_token_and_view(open_page: Opener) -> None:
    page = open_page(f"{CAT}#head=L1H2&token=3&view=table")
    selected(page, "L1H2")
    page.locator("[data-selected-link]").click()
    page.wait_for_url("**/enc/cat/l01h02/#*")
    expect(page.locator(".token[aria-selected=true]")).to_have_text(["did"])
    expect(page.locator(".figure-table")).to_be_visible()


def test_texts_that_look_like_markup_stay_texts(open_page: Opener, gallery: Built) -> None:
    page = open_page("enc/hostile/")
    drawn(page)
    texts = list(gallery.stored("enc", "hostile").tokens.texts)
    assert "</" in texts
    expect(page.locator(".token")).to_have_text(texts)
    page.locator(".token").nth(texts.index("</")).click()
    expect(page.locator(".trace caption q")).to_have_text("</")
