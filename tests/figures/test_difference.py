"""The difference of two heatmaps: exact about nothing, honest about the rest."""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attention_gallery.figures.difference import difference_fragment, encode_difference, largest_difference
from attention_gallery.figures.encode import EncodedWeights

shares = st.one_of(st.floats(-1, 1, width=32), st.just(float("nan")), st.just(0.0))


def decoded(weights: EncodedWeights, shape: tuple[int, int]) -> np.ndarray:
    """What the page's script reads."""
    data = base64.b64decode(weights.data)
    if weights.deflated:
        data = zlib.decompress(data, -15)
    high, low = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.int64)
    levels = high * 256 + low
    return np.where(levels == 65535, np.nan, (levels - 32767) / 32767).reshape(shape)


@given(arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=shares))
def test_differences_come_back_within_their_error(difference: np.ndarray) -> None:
    weights = encode_difference(difference)
    found = decoded(weights, difference.shape)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(difference))
    known = ~np.isnan(difference)
    assert np.abs(found - difference)[known].max(initial=0) <= weights.error + 1e-12
    assert weights.error < 0.00002
    assert (found[difference == 0] == 0).all()


def test_a_large_difference_is_deflated() -> None:
    difference = np.linspace(-1, 1, 2500, dtype=np.float32).reshape(50, 50)
    weights = encode_difference(difference)
    assert weights.deflated
    np.testing.assert_allclose(decoded(weights, (50, 50)), difference, atol=0.00002)


def test_the_figure_escapes_what_is_not_its_own() -> None:
    hostile = '</script><img src=x onerror=alert(1)>"'
    html = difference_fragment(
        hostile, ([hostile, "b"], [hostile]), np.zeros((2, 1), np.float32), hostile, "said"
    ).html
    assert "<img" not in html
    spec = re.search(r'class="figure-spec">(.*?)</script>', html)
    assert spec is not None
    (trace,) = json.loads(spec[1])["data"]
    assert trace["zmid"] == 0
    assert len(trace["y"]) == 2
    assert 'data-queries="2" data-keys="1"' in html


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ([0.0, -0.00113, 0.0004], ' data-most="0.001130"'),
        ([0.5, float("nan"), -0.25], ' data-most="0.500000"'),
        ([0.0, 0.0, 0.0], ""),
        ([0.00001, 0.0, float("nan")], ""),
        ([float("nan")] * 3, ""),
    ],
)
def test_the_largest_difference_takes_the_darkest_colour(values: list[float], most: str) -> None:
    html = difference_fragment("x", (["a"], ["b", "c", "d"]), np.array([values], np.float32), "x", "x").html
    assert "".join(re.findall(r' data-most="[^"]*"', html)) == most


def test_what_is_not_drawn_still_differs() -> None:
    assert largest_difference(np.array([[1e-8, 0]], np.float32)) > 0


@pytest.mark.parametrize("size", [1, 3])
def test_the_text_alternative_stands_on_the_figure(size: int) -> None:
    made = difference_fragment(
        "L0H0", (["a"] * size, ["b"] * size), np.zeros((size, size), np.float32), "Nothing.", "x"
    )
    assert made.alt_text == "Nothing."
    assert 'aria-label="Nothing."' in made.html
