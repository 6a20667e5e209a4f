"""Pairs, chats and cut texts: segments, their borders, and special tokens that can be left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import gallery_site
import numpy as np
import pytest
from gallery_site import CUT, TALK, Built
from playwright.sync_api import Page, expect
from site_server import serving
from watched_page import NARROW, drawn, probe, until

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
OWN = ("A", "man", "is", "playing", "a", "guitar", ".", "Somebody", "makes", "music", ".")


@pytest.fixture
def open_inputs(open_page: Opener, inputs_root: str) -> Opener:
    def opened(address: str, **options: object) -> Page:
        page = open_page(inputs_root + address, origin=inputs_root, **options)
        drawn(page)
        return page

    return opened


def toggle(page: Page) -> None:
    page.locator("[data-special-button]").click()


def labels(page: Page) -> list[str]:
    found: list[str] = page.evaluate("AG.figure.labels")
    return found


def exact(built: Built, model: str, sentence: str, layer: int, head: int) -> np.ndarray:
    """The weights between tokens that are not special."""
    own = ~built.stored(model, sentence).tokens.special
    return built.weights(model, sentence)[layer, head][np.ix_(own, own)]


def test_segments_stand_apart_under_their_names(open_inputs: Opener) -> None:
    page = open_inputs("enc/pair/")
    groups = page.locator(".tokens .segment")
    assert [group.get_attribute("aria-label") for group in groups.all()] == ["first", "second"]
    first, second = (group.bounding_box() for group in groups.all())
    assert first is not None
    assert second is not None
    assert second["y"] >= first["y"] + first["height"]
    assert groups.first.locator(".token").all_inner_texts() == ["[CLS]", *OWN[:7], "[SEP]"]
    assert page.evaluate("AG.borders(AG.figure)") == {"rows": [9], "columns": [9]}


def test_messages_bring_their_own_direction(open_inputs: Opener) -> None:
    page = open_inputs("dec/chat/")
    names = page.eval_on_selector_all(".segment", "all => all.map((one) => one.dataset.name)")
    assert names == [one["role"] for one in TALK]
    way = page.eval_on_selector_all(".segment", "all => all.map((one) => getComputedStyle(one).direction)")
    assert way == ["ltr", "rtl", "ltr", "ltr"]
    marks = page.eval_on_selector_all(
        ".segment",
        "all => all.map((one) => [one.firstElementChild, one.lastElementChild].map((x) => x.textContent))",
    )
    assert marks == [["<|im_start|>", "⏎"]] * len(TALK)
    assert page.locator(".texts dt").all_inner_texts() == ["System", "User", "Assistant", "User"]
    assert page.locator(".texts dd").nth(3).inner_text() == TALK[3]["content"]


@pytest.mark.parametrize("address", ["enc/pair/", "enc/pair/l01h02/"])
def test_special_tokens_leave_the_strip_and_every_view(
    open_inputs: Opener, inputs_gallery: Built, address: str
) -> None:
    page = open_inputs(address + ("#head=L1H2" if address.endswith("pair/") else ""))
    expect(page.locator("[data-special-button]")).to_have_attribute("aria-pressed", "true")
    toggle(page)
    expect(page.locator("[data-special-button]")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".tokens .token:visible")).to_have_text(list(OWN))
    expect(page.locator(".special-note")).to_contain_text("rows sum to less than 1")
    assert labels(page) == list(OWN)
    weights = exact(inputs_gallery, "enc", "pair", 1, 2)
    shown = np.array(page.evaluate("Array.from(AG.figure.weights)")).reshape(weights.shape)
    np.testing.assert_allclose(shown, weights, atol=0.004)
    assert page.evaluate("AG.borders(AG.figure)") == {"rows": [7], "columns": [7]}
    page.locator("[data-view=table]").click()
    heads = page.locator(".figure-table thead th")
    expect(heads).to_have_text(list(OWN))
    expect(page.locator(".figure-table tbody tr")).to_have_count(len(OWN))
    toggle(page)
    expect(page.locator(".figure-table tbody tr")).to_have_count(len(OWN) + 3)
    expect(page.locator(".special-note")).to_be_hidden()


def test_a_causal_matrix_stays_one(open_inputs: Opener, inputs_gallery: Built) -> None:
    page = open_inputs("dec/chat/l01h01/#special=hidden")
    weights = exact(inputs_gallery, "dec", "chat", 1, 1)
    shown = page.evaluate("Array.from(AG.figure.weights, (one) => (Number.isNaN(one) ? null : one))")
    for place, one in enumerate(shown):
        query, key = divmod(place, len(weights))
        assert (one is None) == (key > query)
        assert one is None or abs(one - weights[query, key]) < 0.0001


def test_the_choice_is_in_the_address_and_goes_along(open_inputs: Opener) -> None:
    page = open_inputs("enc/pair/l01h02/")
    toggle(page)
    assert page.url.endswith("/l01h02/#special=hidden")
    page.locator("[data-way=next]").click()
    expect(page.locator("h1")).to_have_text("L1H3")
    drawn(page)
    assert page.url.endswith("/l01h03/#special=hidden")
    assert labels(page) == list(OWN)
    page = open_inputs("enc/pair/#special=hidden")
    assert labels(page) == list(OWN)
    expect(page.locator("[data-selected-link]")).to_have_attribute("href", re.compile("#special=hidden$"))
    toggle(page)
    assert page.url.endswith("#special=shown")
    assert len(labels(page)) == len(OWN) + 3
    page.evaluate("location.hash = 'special=hidden'")
    expect(page.locator(".tokens .token:visible")).to_have_count(len(OWN))
    assert labels(page) == list(OWN)


def test_tokens_keep_their_numbers_while_others_are_hidden(open_inputs: Opener) -> None:
    page = open_inputs("enc/pair/l01h02/#special=hidden")
    page.locator(".token", has_text="Somebody").click()
    assert page.evaluate("AG.state.token") == 9
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("AG.state.token") == 7  # [SEP] is passed over
    expect(page.locator(".token:focus")).to_have_text(".")
    page.keyboard.press("End")
    assert page.evaluate("AG.state.token") == 12
    page.locator(".figure-plot").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#attention [role=status]")).to_have_text(re.compile(r"^\. → \.: "))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.evaluate("AG.state.token") == 11
    page.locator("[data-view=lines]").click()
    expect(page.locator(".figure-plot > canvas")).to_be_visible()
    box = page.locator(".figure-plot > canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 20, box["y"] + 28 + 7.5 * 26)
    assert page.evaluate("AG.state.token") == 9


def test_a_selected_token_that_is_hidden_gives_way(open_inputs: Opener) -> None:
    page = open_inputs("enc/pair/")
    page.locator(".token.special").first.click()
    assert page.evaluate("AG.state.token") == 0
    toggle(page)
    expect(page.locator(".token[aria-selected=true]")).to_have_text(["A"])


def test_plotly_follows(open_inputs: Opener) -> None:
    page = open_inputs("enc/pair/l01h02/#special=hidden", plotly=True)
    page.wait_for_selector(".figure-plotly .heatmaplayer image")
    count = "document.querySelector('.figure-plotly').data[0].y.length"
    assert page.evaluate(count) == len(OWN)
    assert page.evaluate("document.querySelector('.figure-plotly').layout.shapes.length") == 2
    toggle(page)
    until(page, f"{count} === {len(OWN) + 3}")


def test_a_text_without_special_tokens_has_nothing_to_hide(open_inputs: Opener) -> None:
    page = open_inputs("dec/pair/#special=hidden")
    assert page.locator("[data-special-button]").count() == 0
    assert labels(page) == list(OWN)


@pytest.mark.parametrize("address", ["enc/cut/", "enc/cut/l00h00/", "sentences/cut/"])
def test_what_was_left_out_is_told(open_page: Opener, inputs_root: str, address: str) -> None:
    page = open_page(inputs_root + address, origin=inputs_root)
    told = f"The last {CUT} tokens of the text were left out: the model reads 512."
    expect(page.locator(".left-out").first).to_have_text(told)


@pytest.mark.parametrize("address", ["enc/pair/", "dec/chat/", "dec/chat/l01h01/", "sentences/chat/"])
def test_nothing_sticks_out_of_a_telephone(open_page: Opener, inputs_root: str, address: str) -> None:
    page = open_page(inputs_root + address, origin=inputs_root, viewport=NARROW)
    drawn(page)
    assert page.evaluate(probe("outside")) == {"found": [], "scroll": 0}
    assert [one for one in page.evaluate(probe("contrasts")) if one[0] < 4.5] == []


def test_a_gallery_may_hide_special_tokens_from_the_start(open_page: Opener, tmp_path: Path) -> None:
    built = gallery_site.inputs(tmp_path / "project", special_tokens="hidden")
    with serving(built.site) as address:
        for where in ("enc/pair/", "enc/pair/l01h02/"):
            page = open_page(address + where, origin=address)
            drawn(page)
            assert labels(page) == list(OWN)
            expect(page.locator(".token.special").first).to_be_hidden()
            toggle(page)
            assert page.url.endswith("#special=shown")
            page.reload()
            drawn(page)
            assert len(labels(page)) == len(OWN) + 3
        bare = open_page(address + "enc/pair/", origin=address, java_script_enabled=False)
        expect(bare.locator(".token.special").first).to_be_visible()


def test_cross_attention_loses_the_columns_of_special_source_tokens(
    open_page: Opener, crossing_root: str, crossing_gallery: Built
) -> None:
    page = open_page(crossing_root + "both-cross/cat/l01h02/", origin=crossing_root)
    drawn(page)
    toggle(page)
    stored = crossing_gallery.stored("both-cross", "cat")
    rows, columns = ~stored.tokens.special, ~stored.keys.special
    weights = stored.layer(1).weights[2][np.ix_(rows, columns)]
    assert weights.shape[1] == len(columns) - 2
    assert page.evaluate("[AG.figure.queries, AG.figure.keys]") == list(weights.shape)
    shown = np.array(page.evaluate("Array.from(AG.figure.weights)")).reshape(weights.shape)
    np.testing.assert_allclose(shown, weights, atol=0.0001)
    expect(page.locator("[data-key-tokens] .tokens .token.special").first).to_be_hidden()
