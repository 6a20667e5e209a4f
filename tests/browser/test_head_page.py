"""The page of one head: what is pointed at is told exactly; neighbours and links; Plotly after the canvas."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect
from watched_page import at, drawn, probe, until

pytestmark = pytest.mark.browser

HEAD = "enc/cat/l01h02/"
Opener = Callable[..., Page]


def told(text: str) -> tuple[str, str, str]:
    """Query, key and weight of "it → cat: 0.413"."""
    match = re.fullmatch(r"(.*) → (.*): (.*)", text)
    assert match, text
    return match[1], match[2], match[3]


@pytest.mark.parametrize("model", ["enc", "dec"])
def test_pointing_at_a_cell_tells_the_exact_weight(open_page: Opener, gallery: Built, model: str) -> None:
    page = open_page(f"{model}/cat/l01h01/")
    drawn(page)
    exact = gallery.weights(model, "cat")[1, 1]
    texts = gallery.stored(model, "cat").tokens.texts
    last = len(texts) - 1
    for query, key in ((0, 0), (last, 0), (last, last), (7, 3), (9, 2), (4, 4)):
        page.mouse.move(*at(page, query, key))
        tip = page.locator("#attention .readout b")
        expect(tip).to_have_text(re.compile("^" + re.escape(f"{texts[query]} → {texts[key]}: ")))
        number = told(tip.inner_text())[2]
        digits = len(number.split(".")[1])
        assert digits in (3, 4)
        assert float(number) == pytest.approx(exact[query, key], abs=0.0001 + 0.5 * 10**-digits)
    if model == "dec":
        page.mouse.move(*at(page, 2, 5))
        expect(page.locator("#attention .readout b")).to_have_text(f"{texts[2]} → {texts[5]}: not visible")


def test_the_weights_behind_the_picture_are_exact_to_a_ten_thousandth(
    open_page: Opener, gallery: Built
) -> None:
    for model in ("enc", "dec"):
        page = open_page(f"{model}/paragraph/l01h01/")
        drawn(page)
        shown = page.evaluate(
            "Array.from(AG.figure.weights, (weight) => (Number.isNaN(weight) ? null : weight))"
        )
        exact = gallery.weights(model, "paragraph")[1, 1]
        size = len(exact)
        for place, weight in enumerate(shown):
            query, key = divmod(place, size)
            if model == "dec" and key > query:
                assert weight is None
            else:
                assert abs(weight - exact[query, key]) < 0.0001


def test_arrow_keys_walk_from_cell_to_cell_and_are_heard(open_page: Opener, gallery: Built) -> None:
    page = open_page(f"{HEAD}#token=3")
    drawn(page)
    exact = gallery.weights("enc", "cat")[1, 2]
    texts = gallery.stored("enc", "cat").tokens.texts
    page.locator("#attention-plot").focus()
    spoken = page.locator("#attention [role=status]")
    walk = (("Down", 3, 3), ("Down", 4, 3), ("Right", 4, 4), ("Right", 4, 5), ("Up", 3, 5), ("Left", 3, 4))
    for key, row, column in walk:
        page.keyboard.press(f"Arrow{key}")
        expect(spoken).to_have_text(re.compile("^" + re.escape(f"{texts[row]} → {texts[column]}: ")))
        assert float(told(spoken.inner_text())[2]) == pytest.approx(exact[row, column], abs=0.0006)
    page.keyboard.press("Enter")
    expect(page.locator(".token[aria-selected=true]")).to_have_text([texts[3]])
    page.keyboard.press("Escape")
    # Nothing is pointed at: the strongest pair of the selected token is told.
    best = int(exact[3].argmax())
    expect(page.locator("#attention .readout b")).to_have_text(
        re.compile(re.escape(f"{texts[3]} → {texts[best]}: "))
    )
    assert page.url.endswith("/l01h02/#token=3")


def test_arrow_keys_go_to_the_neighbouring_heads(open_page: Opener) -> None:
    page = open_page(HEAD)
    for key, name in (
        ("ArrowRight", "L1H3"),
        ("ArrowLeft", "L1H2"),
        ("k", "L0H2"),
        ("j", "L1H2"),
        ("h", "L1H1"),
    ):
        drawn(page)
        page.keyboard.press(key)
        expect(page.locator("h1")).to_have_text(name)


def test_links_to_the_neighbours_keep_the_token(open_page: Opener) -> None:
    page = open_page(f"{HEAD}#token=3")
    drawn(page)
    page.locator("[data-way=next]").click()
    expect(page.locator("h1")).to_have_text("L1H3")
    assert page.url.endswith("/enc/cat/l01h03/#token=3")
    page.locator("[data-way=previous]").click()
    expect(page.locator("h1")).to_have_text("L1H2")
    for rel in ("prev", "next"):
        assert page.locator(f"head link[rel={rel}]").count() == 1


def test_a_strong_pair_points_at_its_cell(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEAD)
    drawn(page)
    exact = gallery.weights("enc", "cat")[1, 2]
    row = page.locator(".pairs tbody tr").first
    row.scroll_into_view_if_needed()
    row.hover()
    query, key = int(row.get_attribute("data-query") or -1), int(row.get_attribute("data-key") or -1)
    expect(page.locator("#attention .readout b")).to_be_visible()
    assert float(told(page.locator("#attention .readout b").inner_text())[2]) == pytest.approx(
        exact[query, key], abs=0.0006
    )
    row.click()
    expect(page.locator(".token[aria-selected=true]")).to_have_text([row.locator("td").first.inner_text()])


def test_the_link_is_copied_as_it_stands(open_page: Opener) -> None:
    page = open_page(f"{HEAD}#token=3", permissions=["clipboard-read", "clipboard-write"])
    drawn(page)
    button = page.locator("[data-copy]")
    button.click()
    expect(button).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_keys_are_explained(open_page: Opener) -> None:
    page = open_page(HEAD)
    drawn(page)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


ORDER = probe("order")


def test_the_canvas_is_painted_before_plotly_is_asked_for(open_page: Opener) -> None:
    page = open_page("404.html", plotly=True)
    page.add_init_script(ORDER)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page.url.replace("404.html", HEAD))
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image")
    order = page.evaluate("order")
    assert order.index("painted") < order.index("plotly asked for")
    assert sum("plotly" in url for url in requests) == 1


PICTURE = probe("picture")


def plotly_stands(page: Page) -> None:
    """Plotly has taken the canvas's place, and its picture is no blank."""
    page.wait_for_selector(".js-plotly-plot .heatmaplayer image", state="attached")
    expect(page.locator("#attention-plot > canvas").first).to_be_hidden()
    picture = page.evaluate(PICTURE)
    assert picture["colours"] > 8
    assert min(picture["width"], picture["height"]) > 150


@pytest.mark.parametrize(
    "address", ["enc/cat/l01h02/", "dec/cat/l01h01/", "enc/paragraph/l00h03/", "dec/scripts/l00h01/"]
)
def test_plotly_takes_over_under_a_strict_policy(open_page: Opener, address: str) -> None:
    page = open_page(address, plotly=True)
    plotly_stands(page)
    labels = page.locator(".js-plotly-plot .ytick text")
    assert labels.count() > 5


def test_plotly_takes_over_straight_from_disk(open_page: Opener, gallery: Built) -> None:
    origin = gallery.site.as_uri() + "/"
    page = open_page(f"{origin}{HEAD}index.html", plotly=True, origin=origin)
    plotly_stands(page)


def test_plotly_tells_the_exact_weight_and_takes_clicks(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEAD, plotly=True)
    plotly_stands(page)
    exact = gallery.weights("enc", "cat")[1, 2]
    texts = gallery.stored("enc", "cat").tokens.texts
    page.mouse.move(*at(page, 9, 2))
    hover = page.locator(".hoverlayer .hovertext")
    expect(hover).to_have_text(f"{texts[9]} → {texts[2]}: {exact[9, 2]:.4f}")
    page.mouse.click(*at(page, 9, 2))
    expect(page.locator(".token[aria-selected=true]")).to_have_text([texts[9]])
    zoom = page.locator("[data-zoom]")
    zoom.click()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    expect(page.locator("#attention-plot > canvas").first).to_be_visible()


def test_the_explorer_loads_plotly_only_when_asked(open_page: Opener) -> None:
    page = open_page("404.html", plotly=True)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page.url.replace("404.html", "enc/cat/"))
    drawn(page)
    page.wait_for_timeout(300)
    assert not any("plotly" in url for url in requests)
    page.locator("[data-zoom]").click()
    plotly_stands(page)
    page.locator(".heads tbody").get_by_text("L0H3", exact=True).click()
    until(page, "AG.figure.name === 'L0H3' && AG.figure.covered")
    plotly_stands(page)


def test_a_missing_plotly_leaves_the_canvas(open_page: Opener) -> None:
    page = open_page("404.html", plotly=True)
    page.route(re.compile(r"/plotly\."), lambda route: route.fulfill(status=200, body=""))
    page.goto(page.url.replace("404.html", HEAD))
    page.wait_for_selector("[data-zoom][aria-pressed=false]")
    expect(page.locator("#attention-plot > canvas").first).to_be_visible()
    page.mouse.move(*at(page, 9, 2))
    expect(page.locator("#attention .readout b")).to_be_visible()


@pytest.mark.parametrize("way", ["button", "key", "wheel"])
def test_plotly_comes_when_a_reader_asks_and_never_by_scrolling(
    open_page: Opener, deep_root: str, way: str
) -> None:
    page = open_page(deep_root + "404.html", origin=deep_root, plotly=True)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(deep_root + "deep/cat/")
    drawn(page)
    page.locator(".figure-plot").hover()
    page.mouse.wheel(0, 200)
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(500)
    assert not any("plotly" in url for url in requests)
    if way == "button":
        page.locator("[data-zoom]").click()
    elif way == "key":
        page.keyboard.press("z")
    else:
        page.locator(".figure-plot").dispatch_event("wheel", {"ctrlKey": True, "deltaY": -100})
    plotly_stands(page)
    page.keyboard.press("z")
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
