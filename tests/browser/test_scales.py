"""The eye reads true numbers: cells, tokens and ticks have the colour of their weight, by every scale."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gallery_site import Built
from playwright.sync_api import Page, expect
from watched_page import drawn, probe

pytestmark = pytest.mark.browser

Opener = Callable[..., Page]
HEAD = "enc/cat/#head=L1H2&token=7"
COLOURS = probe("scales")
SHARES: dict[str, Callable[[Any], Any]] = {
    "root": lambda place: place**2,
    "linear": lambda place: place,
    "log": lambda place: np.where(place > 0, 10.0 ** (3 * (place - 1)), 0),
}


def weights_of(levels: list[int], curve: str, most: float) -> tuple[Any, Any]:
    """The least and the largest weight that steps of the ramp stand for."""
    steps = np.array(levels, float)
    low, high = (SHARES[curve](np.clip((steps + side) / 255, 0, 1)) * most for side in (-1.0, 1.0))
    return low, high


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
@pytest.mark.parametrize("curve", list(SHARES))
@pytest.mark.parametrize("common", [False, True])
def test_colours_give_weights_back(
    open_page: Opener, gallery: Built, scheme: str, curve: str, common: bool
) -> None:
    # Where the device forces its colours on texts (high contrast), figures keep theirs.
    options = {"forced_colors": "active"} if scheme == "forced" else {"color_scheme": scheme}
    page = open_page(f"{HEAD}&curve={curve}{'&scale=one' if common else ''}", **options)
    drawn(page)
    exact = gallery.weights("enc", "cat")[1, 2]
    most = 1.0 if common else float(exact.max())
    # Weights in the page are rounded by at most so much.
    rounding = 0.004
    colours = page.evaluate(COLOURS)
    for levels, weights in ((colours["cells"], exact.ravel()), (colours["tokens"], exact[7])):
        low, high = weights_of(levels, curve, most)
        assert len(levels) == len(weights)
        assert ((low - rounding <= weights) & (weights <= high + rounding)).all()
    for level, text in colours["ticks"]:
        low, high = weights_of([level], curve, most)
        assert low[0] - 0.01 <= float(text) <= high[0] + 0.01


def test_the_scale_is_chosen_in_the_legend_and_kept_in_the_address(open_page: Opener) -> None:
    page = open_page(HEAD)
    drawn(page)
    menu = page.locator("[data-curve]")
    expect(menu).to_have_value("root")
    menu.select_option("linear")
    expect(page).to_have_url(re.compile("&curve=linear$"))
    page.reload()
    drawn(page)
    expect(page.locator("[data-curve]")).to_have_value("linear")


def test_the_weight_pointed_at_is_marked_on_the_legend(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEAD)
    drawn(page)
    marker = page.locator(".scale-marker")
    expect(marker).to_be_hidden()
    exact = gallery.weights("enc", "cat")[1, 2]
    page.evaluate("AG.figure.point(7, 3)")
    expect(marker).to_be_visible()
    place = float(marker.evaluate("(marker) => parseFloat(marker.style.left)")) / 100
    assert place == pytest.approx(float(np.sqrt(exact[7, 3] / exact.max())), abs=0.05)


def test_the_readout_tells_weight_rank_and_layer_mean(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEAD)
    drawn(page)
    texts = gallery.stored("enc", "cat").tokens.texts
    layer = gallery.weights("enc", "cat")[1]
    exact = layer[2]
    order = np.argsort(-exact[7])
    for rank in (0, 1, 4):
        key = int(order[rank])
        page.evaluate("(key) => AG.figure.point(7, key)", key)
        readout = page.locator(".readout")
        # The layer's own file comes after the page.
        expect(readout).to_contain_text("mean of this layer")
        expect(readout.locator("b")).to_have_text(re.compile("^" + re.escape(f"{texts[7]} → {texts[key]}: ")))
        words = re.search(
            r"· (equal )?(\d+)\w\w of (\d+) · mean of this layer (\S+) · spread evenly", readout.inner_text()
        )
        assert words is not None
        same, place, count, mean = words.groups()
        assert int(count) == len(texts)
        # Ranked by what is shown: of weights that read the same none comes before another.
        before = sum(f"{weight:.2f}" > f"{exact[7, key]:.2f}" for weight in exact[7])
        assert abs(int(place) - 1 - before) <= 1
        assert same is not None or int(place) == rank + 1
        assert float(mean.removeprefix("<")) == pytest.approx(layer[:, 7, key].mean(), abs=0.011)


def test_a_first_tap_reads_and_a_second_selects(open_page: Opener, gallery: Built) -> None:
    page = open_page(HEAD, has_touch=True)
    drawn(page)
    texts = gallery.stored("enc", "cat").tokens.texts
    page.locator("#attention-plot").scroll_into_view_if_needed()
    spot = page.evaluate(
        "() => { const { box, plot } = AG.figure; const area = plot.getBoundingClientRect();"
        " return [area.left + box.left + 2.5 * box.cell, area.top + box.top + 3.5 * box.cell] }"
    )
    page.touchscreen.tap(*spot)
    expect(page.locator(".readout b")).to_have_text(re.compile("^" + re.escape(f"{texts[3]} → {texts[2]}: ")))
    expect(page.locator(".token[aria-selected=true]")).to_have_text([texts[7]])
    page.touchscreen.tap(*spot)
    expect(page.locator(".token[aria-selected=true]")).to_have_text([texts[3]])
