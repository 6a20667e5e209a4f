"""What a model's page says of its layers."""

from __future__ import annotations

import pytest

from attention_gallery.pages.frame import _windows


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ((4, 4), "4 tokens in every layer"),
        ((4, None, 4), "4 tokens in layers 0, 2; all tokens in the others"),
        ((1, 8), "1 token in layers 0; 8 tokens in layers 1"),
    ],
)
def test_windows_are_told_layer_by_layer(windows: tuple[int | None, ...], said: str) -> None:
    assert _windows(windows) == said
