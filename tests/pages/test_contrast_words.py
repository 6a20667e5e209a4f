"""What a contrast says of two heatmaps that are the same, or nearly so."""

from __future__ import annotations

import math

import pytest

from attention_gallery.pages.kinds.contrast.contrast_reader import both, closeness


@pytest.mark.parametrize("largest", [0.0015, 0.002, 1.0, math.nan])
def test_what_differs_visibly_or_cannot_be_compared_needs_no_words(largest: float) -> None:
    assert closeness(largest) == ""


def test_equal_heatmaps_are_called_the_same() -> None:
    assert closeness(0.0) == "The two are the same here: no weight differs."


@pytest.mark.parametrize(
    ("largest", "number"), [(0.00149, "0.0015"), (0.00123, "0.0012"), (0.00002, "0.00002")]
)
def test_a_tiny_difference_is_named(largest: float, number: str) -> None:
    assert closeness(largest) == (
        f"The two are nearly the same here: the largest difference of two weights is {number}, and takes the "
        "darkest colour."
    )


def test_what_pictures_do_not_hold_is_not_called_the_same() -> None:
    assert "nearly the same here: weights differ by less than 0.00002" in closeness(1e-9)


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [(0.42, 0.2, "0.42 to 0.20"), (0.421, 0.424, "0.421 to 0.424"), (0.4, 0.4003, "0.400 (+0.0003)")],
)
def test_two_weights_never_read_as_no_change(left: float, right: float, text: str) -> None:
    assert both(left, right) == text
