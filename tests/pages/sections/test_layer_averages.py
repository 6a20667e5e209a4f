"""The heads of a layer averaged, as an explorer page shows them."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from attention_gallery.analysis.capture_pictures import AveragePicture
from attention_gallery.pages.sections.layer_averages import layer_average
from attention_gallery.records import AttentionLayer


def test_it_names_the_token_that_receives_most_over_all_heads() -> None:
    to_first = np.array([[1, 0], [1, 0]], np.float32)
    to_itself = np.eye(2, dtype=np.float32)
    layer = AttentionLayer(3, "encoder", np.stack([to_first, to_itself]))

    found = layer_average(3, AveragePicture.from_layer(layer), ("[CLS]", "cat"))

    assert found.layer == 3
    assert found.caption == "“[CLS]” receives 0.75"
    assert found.thumbnail.alt == "Layer 3, heads averaged: “[CLS]” receives 0.75 of all attention."


def test_its_picture_has_a_pixel_for_each_cell() -> None:
    weights = np.full((2, 5, 5), 0.2, np.float32)

    drawn = AveragePicture.from_layer(AttentionLayer(0, "encoder", weights))

    picture = layer_average(0, drawn, tuple("abcde")).thumbnail

    data = base64.b64decode(picture.src.removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(data)).size == (5, 5) == (picture.width, picture.height)
