"""Without scripts everything can still be read and reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gallery_site import SENTENCES, Built
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]


def plain(open_page: Opener, address: str) -> Page:
    return open_page(address, java_script_enabled=False)


@pytest.mark.parametrize(
    "address",
    ["", "enc/cat/", "enc/cat/l01h02/", "models/enc/", "sentences/cat/", "notes/first/", "contrasts/pair/"],
)
def test_no_control_is_shown_that_would_do_nothing(open_page: Opener, address: str) -> None:
    page = plain(open_page, address)
    for control in page.locator("button, input, select, .toolbar, [role=button]").all():
        assert not control.is_visible(), control.evaluate("one => one.outerHTML")


def test_home_leads_to_every_pair(open_page: Opener) -> None:
    page = plain(open_page, "")
    for model in ("enc", "dec"):
        for sentence in SENTENCES:
            link = page.locator(
                f'a[href="{model}/{sentence["slug"]}/"], a[href="./{model}/{sentence["slug"]}/"]'
            )
            expect(link.first).to_be_visible()
    for picture in page.locator("img").all():
        assert len(picture.get_attribute("alt") or "") > 10


def test_the_explorer_leads_to_every_head_and_tells_what_they_do(open_page: Opener, gallery: Built) -> None:
    page = plain(open_page, "enc/cat/")
    names = [f"L{layer}H{head}" for layer in range(3) for head in range(4)]
    assert page.locator(".heads tbody a").all_inner_texts() == names
    for link in page.locator(".heads tbody a").all():
        assert link.is_visible()
    expect(page.locator("#trace .trace caption")).to_contain_text("it")
    assert page.locator("#trace .number").count() == 9
    expect(page.locator("#attention figcaption")).to_contain_text("Strongest between words")
    expect(page.locator("#heads figcaption")).to_contain_text("12 heads in 3 layers")
    expect(page.locator(".token")).to_have_text(list(gallery.stored("enc", "cat").tokens.texts))
    page.locator(".heads tbody a").nth(6).click()
    expect(page.locator("h1")).to_have_text("L1H2")


def test_the_views_of_the_focus_token_and_predictions_are_there(open_page: Opener) -> None:
    page = plain(open_page, "dec/cat/")
    expect(page.locator(".sources tbody th")).to_have_text(
        ["Raw attention", "Rollout", "Attention flow", "Norm-weighted"]
    )
    for number in page.locator(".sources .number, .predictions .number").all():
        assert number.inner_text()
    expect(page.locator(".predictions tbody tr")).to_have_count(page.locator(".tokens .token").count())
    page.locator("summary", has_text="What the views are").click()
    expect(page.locator(".definitions", has_text="Abnar")).to_contain_text("Caveat")


def test_a_head_page_tells_its_numbers_in_words_and_tables(open_page: Opener, gallery: Built) -> None:
    page = plain(open_page, "enc/cat/l01h02/")
    weights = gallery.weights("enc", "cat")[1, 2]
    for row in page.locator(".pairs tbody tr").all():
        query, key = int(row.get_attribute("data-query") or -1), int(row.get_attribute("data-key") or -1)
        shown = float(row.locator(".numeric").inner_text())
        assert shown == pytest.approx(weights[query, key], abs=0.0051)
    expect(page.locator("#attention figcaption")).to_be_visible()
    assert page.locator(".measures tbody tr").count() > 5
    page.locator("[data-way=next]").click()
    expect(page.locator("h1")).to_have_text("L1H3")


def test_a_sentence_keeps_its_traces_of_every_model(open_page: Opener) -> None:
    page = plain(open_page, "sentences/cat/")
    expect(page.locator(".trace")).to_have_count(2)
    for trace in page.locator(".trace").all():
        assert trace.is_visible()
