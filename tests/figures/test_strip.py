"""The strip of one measure: everything stands where its number says, inside the strip."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from attention_gallery.figures.strip import HEIGHT, TALLEST, WIDTH, Strip, strip_svg

SHARE = st.floats(0, 1)


def ticks(svg: str) -> dict[int, int]:
    """Height of the tick at each place."""
    path = re.search(r'class="strip-values" d="([^"]*)"', svg)
    assert path is not None
    found = re.findall(r"M(\d+) (\d+)v-(\d+)", path[1])
    assert "".join(f"M{x} {y}v-{h}" for x, y, h in found) == path[1]
    return {int(x): int(height) for x, _, height in found}


def spans(svg: str) -> dict[str, tuple[int, int]]:
    """First and last place of each range."""
    found = re.findall(r'<rect class="([^"]*)" x="(\d+)" y="\d+" width="(\d+)"', svg)
    return {name: (int(x), int(x) + int(width)) for name, x, width in found}


def test_ticks_stand_at_their_values_and_are_taller_where_many_are() -> None:
    svg = strip_svg(Strip([0.0, 0.5, 0.5, 0.5, 0.5, 1.0, math.nan], (0, 1), (0.25, 0.5), 0.1, (0.2, 0.05)))
    assert ticks(svg) == {0: TALLEST // 2, WIDTH // 2: TALLEST, WIDTH: TALLEST // 2}
    assert spans(svg) == {"strip-middle": (60, 120), "strip-shuffled": (24, 72)}
    assert f'<path class="strip-even" d="M24 0v{HEIGHT}"/>' in svg


def test_what_there_is_not_is_not_drawn() -> None:
    svg = strip_svg(Strip([3.0], (0, 12), None, math.nan, None))
    assert ticks(svg) == {60: TALLEST}
    assert spans(svg) == {}
    assert "strip-even" not in svg


@given(st.lists(SHARE, min_size=1, max_size=300), SHARE, SHARE, st.floats(0, 2))
def test_nothing_lies_outside_the_strip_and_many_sentences_stay_light(
    values: list[float], even: float, mean: float, deviation: float
) -> None:
    middle = (min(values), max(values))
    svg = strip_svg(Strip(values, (0, 1), middle, even, (mean, deviation)))
    assert all(0 <= place <= WIDTH and 0 < height <= TALLEST for place, height in ticks(svg).items())
    low, high = spans(svg)["strip-middle"]
    assert {low, max(low, high - 1), high} & set(ticks(svg))
    assert all(first >= 0 and last <= WIDTH + 1 for first, last in spans(svg).values())
    assert len(svg) < 4000


def test_a_range_without_length_is_drawn_at_its_start() -> None:
    assert ticks(strip_svg(Strip([0.0], (0, 0), None, 0.0, None))) == {0: TALLEST}
