"""The atlas of a model: found, filtered, coloured and shared without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect
from watched_page import NARROW, WIDE, probe, until

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
ENC = "models/enc/"


def told(gallery: Built, model: str) -> dict[str, Any]:
    """What the page offers for download."""
    found: dict[str, Any] = json.loads((gallery.site / f"models/{model}/heads.json").read_bytes())
    return found


def means(gallery: Built, model: str, measure: str) -> dict[str, float]:
    """A measure of every head by its name, rounded as the table shows it."""
    data = told(gallery, model)
    rows = next(one["mean"] for one in data["measures"] if one["name"] == measure)
    return {
        f"L{layer}H{head}": round(value, 3)
        for layer, row in enumerate(rows)
        for head, value in enumerate(row)
    }


def listed(page: Page) -> list[str]:
    """The names of the heads that are listed, in order."""
    names: list[str] = page.eval_on_selector_all(
        ".atlas tbody tr", "all => all.filter((row) => !row.hidden).map((row) => row.cells[0].textContent)"
    )
    return names


def settled(page: Page, count: int) -> list[str]:
    """The heads that are listed, when they are so many."""
    until(
        page,
        "(count) => document.querySelectorAll('.atlas tbody tr:not([hidden])').length === count",
        count,
    )
    return listed(page)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("L1", ["L1H0", "L1H1", "L1H2", "L1H3"]),
        ("h2", ["L0H2", "L1H2", "L2H2"]),
        ("l2h3", ["L2H3"]),
        ("L1 h0", ["L1H0"]),
    ],
)
def test_heads_are_found_by_layer_and_name(open_page: Opener, text: str, wanted: list[str]) -> None:
    page = open_page(ENC)
    page.get_by_label("Find").fill(text)
    assert settled(page, len(wanted)) == wanted
    expect(page.locator(".atlas-count")).to_have_text(f"{len(wanted)} of 12 heads")


def test_a_layer_is_no_beginning_of_another(open_page: Opener, deep_root: str) -> None:
    page = open_page(f"{deep_root}models/deep/#find=L1", origin=deep_root)
    assert settled(page, 9) == [f"L1H{head}" for head in range(9)]


def test_heads_are_found_by_the_sentence_that_shows_them(open_page: Opener, gallery: Built) -> None:
    heads = told(gallery, "enc")["heads"]
    wanted = [one["head"] for one in heads if one["sentences"][0] == "paragraph"]
    page = open_page(f"{ENC}#find=a+PARAGRAPH")
    assert settled(page, len(wanted)) == wanted
    link = page.locator(".atlas tbody tr:not([hidden]) .shown a").first
    assert (link.get_attribute("href") or "").endswith(
        f"enc/paragraph/{wanted[0].lower().replace('l', 'l0').replace('h', 'h0')}/"
    )


def test_heads_are_chosen_by_type_and_layer(open_page: Opener, gallery: Built) -> None:
    heads = told(gallery, "enc")["heads"]
    kind = heads[-1]["type"]
    wanted = [one["head"] for one in heads if one["type"] == kind and 1 <= one["layer"] <= 2]
    page = open_page(ENC)
    page.get_by_role("combobox", name="Type", exact=True).select_option(kind)
    page.locator("[name=from]").fill("1")
    page.locator("[name=to]").fill("2")
    assert settled(page, len(wanted)) == wanted
    assert page.url.split("#")[1] == f"type={kind}&from=1&to=2"


@pytest.mark.parametrize("side", ["least", "most"])
def test_heads_are_chosen_by_a_threshold(open_page: Opener, gallery: Built, side: str) -> None:
    entropy = means(gallery, "enc", "entropy")
    limit = sorted(entropy.values())[5]
    fits = {"least": lambda value: value >= limit, "most": lambda value: value <= limit}[side]
    wanted = [name for name, value in entropy.items() if fits(value)]
    assert 0 < len(wanted) < 12
    page = open_page(ENC)
    page.locator("[name=side]").select_option(side)
    page.locator("[name=threshold]").fill(f"{limit:.3f}")
    assert settled(page, len(wanted)) == wanted
    assert page.url.split("#")[1] == f"measure=entropy&{side}={limit:.3f}"


def test_a_shared_address_shows_the_same_heads_in_the_same_order(open_page: Opener, gallery: Built) -> None:
    page = open_page(ENC)
    page.get_by_label("Find").fill("L1")
    settled(page, 4)
    page.locator(".atlas th[data-name=entropy] button").click()
    page.locator(".atlas th[data-name=entropy] button").click()
    page.locator("[data-heat]").select_option("distance")
    shown = listed(page)
    entropy = means(gallery, "enc", "entropy")
    assert shown == sorted(shown, key=lambda name: entropy[name])
    assert page.url.split("#")[1] == "find=L1&sort=entropy&order=ascending&colour=distance"
    other = open_page(page.url)
    assert settled(other, 4) == shown
    expect(other.get_by_label("Find")).to_have_value("L1")
    expect(other.locator("[data-heat]")).to_have_value("distance")
    expect(other.locator(".atlas th[data-name=entropy]")).to_have_attribute("aria-sort", "ascending")
    expect(other.locator("#measures")).to_be_in_viewport()


def test_an_address_that_asks_for_nonsense_shows_everything(open_page: Opener) -> None:
    page = open_page(
        f"{ENC}#type=nothing&from=x&measure=__proto__&least=0.5&sort=constructor&colour=head&most=1"
    )
    assert len(settled(page, 12)) == 12
    expect(page.locator(".atlas-count")).to_have_text("12 heads")
    assert page.locator(".heads.measured").count() == 0


def test_where_nothing_fits_it_is_said_and_a_button_shows_all_again(open_page: Opener) -> None:
    page = open_page(ENC)
    expect(page.locator("[data-atlas-all]")).to_be_hidden()
    page.get_by_label("Find").fill("no such head")
    settled(page, 0)
    expect(page.locator(".atlas-count")).to_have_text("0 of 12 heads")
    expect(page.locator(".atlas-empty")).to_be_visible()
    expect(page.locator(".atlas-scroll")).to_be_hidden()
    page.get_by_role("button", name="Show all heads").press("Enter")
    assert len(settled(page, 12)) == 12
    expect(page.get_by_label("Find")).to_be_focused()
    expect(page.get_by_label("Find")).to_have_value("")
    assert "#" not in page.url


def test_the_filter_is_worked_by_keys_alone_and_counts_aloud(open_page: Opener) -> None:
    page = open_page(ENC)
    page.get_by_label("Find").focus()
    page.keyboard.type("L2")
    settled(page, 4)
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Type", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[name=from]")).to_be_focused()
    assert page.locator(".atlas-count").get_attribute("role") == "status"
    page.keyboard.type("3")
    settled(page, 0)


def test_what_is_typed_is_never_markup(open_page: Opener) -> None:
    page = open_page(f"{ENC}#find=%3Cimg+src%3Dy+onerror%3Dalert(3)%3E")
    settled(page, 0)
    expect(page.get_by_label("Find")).to_have_value("<img src=y onerror=alert(3)>")
    assert page.locator("main img[src=y]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_table_by_layer_takes_the_colours_of_a_measure(
    open_page: Opener, gallery: Built, scheme: str
) -> None:
    page = open_page(ENC, color_scheme=scheme)
    page.locator("[data-heat]").select_option("entropy")
    entropy = means(gallery, "enc", "entropy")
    cells = page.locator(".heads tbody td > *")
    light = """(cell) => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d");
        pen.fillStyle = getComputedStyle(cell.parentElement).backgroundColor;
        pen.fillRect(0, 0, 1, 1);
        return pen.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, one) => sum + one, 0);
    }"""
    found = {cell.text_content() or "": cell.evaluate(light) for cell in cells.all()}
    assert found.keys() == entropy.keys()
    ordered = [found[name] for name in sorted(entropy, key=lambda name: entropy[name])]
    assert ordered == sorted(ordered, reverse=scheme == "light")
    assert abs(ordered[0] - ordered[-1]) > 250
    ends = page.locator(".heat-scale span").all_inner_texts()
    assert [float(end) for end in ends] == [min(entropy.values()), max(entropy.values())]
    expect(page.locator(".heads caption")).to_have_text("Entropy of every head, by layer and head")
    cells.nth(5).focus()
    expect(page.locator(".heat-told")).to_contain_text(f"entropy {entropy['L1H1']:.3f}")
    assert f"entropy {entropy['L1H1']:.3f}" in (cells.nth(5).get_attribute("title") or "")
    page.locator("[data-heat]").select_option("")
    expect(page.locator(".heads caption")).to_have_text(
        "The type of every head, by layer and head, over all sentences"
    )
    assert page.locator(".heads tbody td[class^=f-]").count() == 12
    expect(page.locator(".heat-scale")).to_be_hidden()


def test_heads_that_are_not_listed_are_blank_in_the_table_by_layer(open_page: Opener) -> None:
    page = open_page(f"{ENC}#find=L0&colour=entropy")
    settled(page, 4)
    assert page.locator(".heads .unlisted").count() == 8
    expect(page.locator(".heat-told")).to_contain_text("4 of 12 heads")
    grounds = page.eval_on_selector_all(
        ".heads td:has(.unlisted)", "all => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert set(grounds) == {"rgba(0, 0, 0, 0)"}


def test_small_pictures_are_loaded_when_they_are_seen(open_page: Opener, deep_root: str) -> None:
    page = open_page(f"{deep_root}models/deep/", origin=deep_root, fresh=True)
    page.locator(".atlas").scroll_into_view_if_needed()
    until(
        page,
        "() => { const { complete, naturalWidth } = document.querySelector('.atlas img'); "
        "return complete && naturalWidth > 0; }",
    )
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    pictures = {url for url in asked if url.endswith("thumbnail.png")}
    assert 0 < len(pictures) < 120
    assert page.locator(".atlas img").count() == 270
    sizes = page.eval_on_selector(
        ".atlas img",
        "one => [one.naturalWidth, one.naturalHeight, one.width, Number(one.getAttribute('width'))]",
    )
    assert sizes[0] == sizes[1] == sizes[3] == 13


@pytest.fixture
def open_probed(open_page: Opener, probed_root: str) -> Opener:
    def opened(address: str, **options: Any) -> Page:
        return open_page(probed_root + address, origin=probed_root, **options)

    return opened


def test_heads_are_found_by_their_best_relation(open_probed: Opener, probed_gallery: Built) -> None:
    heads = told(probed_gallery, "enc")["heads"]
    wanted = [one["head"] for one in heads if one["relation"] and one["relation"]["kind"] == "nsubj"]
    assert wanted
    page = open_probed(f"{ENC}#find=nsubj")
    assert settled(page, len(wanted)) == wanted
    best = [one["head"] for one in heads if one["relation"] and one["relation"]["best"]]
    bold = page.eval_on_selector_all(
        ".atlas tbody tr:has(.related b)", "all => all.map((row) => row.cells[0].textContent)"
    )
    assert bold == best
    told_of = next(one["relation"] for one in heads if one["head"] == wanted[0])
    expect(page.locator(".atlas tbody tr:not([hidden]) .related").first).to_contain_text(
        f"nsubj {100 * told_of['share']:.1f}"
    )


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["390", "1280"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_probed_model_of_one_sentence_fits_and_reads_well(
    open_probed: Opener, size: dict[str, int], scheme: str
) -> None:
    page = open_probed(f"{ENC}#colour=entropy&find=L1", viewport=size, color_scheme=scheme)
    for address in (page.url, page.url.split("#")[0] + "l01h02/"):
        page.goto(address)
        assert page.evaluate(probe("outside")) == {"found": [], "scroll": 0}, address
        assert page.evaluate(probe("faults")) == [], address
        assert [one for one in page.evaluate(probe("contrasts")) if one[0] < 4.5] == [], address


def test_the_whole_table_is_there_without_scripts(open_page: Opener, gallery: Built) -> None:
    page = open_page(ENC, java_script_enabled=False)
    rows = page.locator(".atlas tbody tr")
    assert rows.count() == 12
    data = told(gallery, "enc")
    names = page.locator(".atlas thead th").all_inner_texts()
    column = names.index("Entropy")
    for row, head in zip(rows.all(), data["heads"], strict=True):
        cells = row.locator("> *").all_inner_texts()
        assert cells[0] == head["head"]
        assert head["title"] in cells[2]
        mean = data["measures"][0]["mean"][head["layer"]][head["index"]]
        assert float(cells[column]) == pytest.approx(mean, abs=0.0006)
    for file in page.locator(".downloads a").all():
        assert (gallery.site / "models/enc" / (file.inner_text())).is_file()


def test_numbers_below_the_least_that_is_shown_sort_below_it(open_page: Opener) -> None:
    page = open_page(ENC)
    assert page.evaluate("[AG.number('< 0.001'), AG.number('0.001'), AG.number('–')].map(String)") == [
        "0.0005",
        "0.001",
        "NaN",
    ]


def test_groups_of_heads_wrap_beside_their_marker(open_page: Opener) -> None:
    page = open_page(ENC, viewport={"width": 320, "height": 700})
    lines = page.evaluate(
        """() => {
            const summary = document.querySelector(".head-groups summary");
            summary.lastChild.textContent = " 14 mixed heads, 3 focused heads and 12 broad heads of a kind";
            const range = document.createRange();
            range.selectNodeContents(summary.lastChild);
            const left = summary.querySelector(".group-letter").getBoundingClientRect();
            return [left.right, ...Array.from(range.getClientRects(), (line) => line.left)];
        }"""
    )
    assert len(lines) > 2
    assert min(lines[2:]) >= lines[0] - 2


def test_what_a_head_measures_is_short_on_a_telephone(open_page: Opener, gallery: Built) -> None:
    page = open_page("models/enc/l01h02/", viewport=NARROW)
    rows = page.locator(".measured > li")
    assert rows.count() == len(told(gallery, "enc")["measures"])
    for row in rows.all():
        box = row.bounding_box()
        assert box is not None
        assert box["height"] < 260
    for strip in page.locator(".strip").all():
        box = strip.bounding_box()
        assert box is not None
        assert box["width"] > 300


def test_the_ends_of_a_measure_lead_to_their_sentences(open_page: Opener, gallery: Built) -> None:
    page = open_page("models/enc/l01h02/")
    row = page.locator(".measured > li", has=page.get_by_role("heading", name="Entropy"))
    most = row.locator("a").first
    told_of = row.locator(".measured-told").inner_text()
    address = most.get_attribute("href") or ""
    most.click()
    page.wait_for_url(lambda url: "/models/" not in url)
    assert address.endswith("/l01h02/")
    shown = page.locator(".measures tr", has_text="Entropy").locator(".numeric").inner_text().split()[0]
    assert f"Most {shown} on" in told_of


def test_a_head_costs_the_page_little(deep_gallery: Built) -> None:
    html = (deep_gallery.site / "models/deep/index.html").read_bytes()
    atlas = html[html.index(b'id="measures"') : html.index(b'id="alike"')]
    rows = atlas[atlas.index(b"<tbody>") :]
    assert len(rows) / 270 < 700
    assert b"data:image" not in rows
    small = list(deep_gallery.site.glob("models/deep/*/thumbnail.png"))
    assert len(small) == 270
    assert max(picture.stat().st_size for picture in small) < 1000
