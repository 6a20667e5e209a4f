"""The home page opens with an example that runs, beside two sentences of text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect
from watched_page import NARROW, until

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]


def running(page: Page) -> None:
    """Wait until the first example is drawn and its tokens are tinted."""
    until(page, "() => document.querySelector('.story.current canvas') !== null")
    until(page, "() => document.querySelector('.story.current .token.tinted') !== null")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, NARROW], ids=["1280", "390"])
def test_the_first_screen_is_an_example(open_page: Opener, viewport: dict[str, int]) -> None:
    page = open_page("", viewport=viewport)
    running(page)
    for part in (".story.current .tokens", ".story.current .figure-plot canvas"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + min(box["height"], 250) <= viewport["height"], part


def test_an_example_tells_the_weights_that_were_captured(open_page: Opener, gallery: Built) -> None:
    page = open_page("")
    running(page)
    # Of the heads that notes speak of, that of the first sentence.
    story = page.locator(".story.current")
    expect(story.locator(".label")).to_have_text("Encoder · layer 1, head 2")
    exact = gallery.weights("enc", "cat")[1, 2]
    texts = gallery.stored("enc", "cat").tokens.texts
    for token in (9, 5, 12):
        story.locator(".token").nth(token).click()
        best = int(exact[token].argmax())
        expect(story.locator("[data-pair]")).to_have_text(f"“{texts[token]}” looks most at “{texts[best]}”")
        expect(story.locator("[data-weight]")).to_have_text(f"{exact[token, best]:.2f}")
    expect(story.locator("[aria-selected=true]")).to_have_text([texts[12]])
    page.keyboard.press("Tab")
    story.locator("[tabindex='0']").first.focus()
    page.keyboard.press("ArrowLeft")
    best = int(exact[11].argmax())
    expect(story.locator("[data-pair]")).to_have_text(f"“{texts[11]}” looks most at “{texts[best]}”")
    assert np.isclose(float(story.locator("[data-weight]").inner_text()), exact[11, best], atol=0.006)


def test_chips_switch_the_example_and_a_button_leads_into_it(open_page: Opener) -> None:
    page = open_page("")
    running(page)
    chips = page.locator("[data-chip]")
    assert chips.count() in (2, 3)
    first = page.locator(".story.current .label").inner_text()
    chips.nth(1).click()
    expect(chips.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".story.current")).to_have_count(1)
    assert page.locator(".story.current .label").inner_text() != first
    running(page)
    chips.nth(0).click()
    page.locator(".story.current .button-strong").click()
    page.wait_for_url("**/enc/cat/#head=L1H2&token=9")


def test_without_scripts_all_examples_are_told(browser: object, root: str) -> None:
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(root)
    assert page.locator(".story-words").count() == page.locator(".story-words:visible").count() > 1
    assert "looks most at" in page.locator("[data-pair]").first.inner_text()
    context.close()
