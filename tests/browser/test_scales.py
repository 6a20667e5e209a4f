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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("curve", list(SHARES))
@pytest.mark.parametrize("common", [False, True])
def test_colours_give_weights_back(
    open_page: Opener, gallery: Built, scheme: str, curve: str, common: bool
) -> None:
    page = open_page(f"{HEAD}&curve={curve}{'&scale=one' if common else ''}", color_scheme=scheme)
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
