"""The heads of each layer averaged: a small picture, and which token the layer looks at most."""

from __future__ import annotations

from collections.abc import Sequence

from attention_gallery.analysis.capture_pictures import AveragePicture
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import isolated
from attention_gallery.figures.thumbnail import data_uri
from attention_gallery.pages.contexts.shared import LayerAverage, Thumbnail


def layer_average(layer: int, picture: AveragePicture, texts: Sequence[str]) -> LayerAverage:
    """One layer's average over `texts`, its keys. The share is of all attention in the layer, 0 to 1."""
    share = wording.share(picture.column_mass)
    caption = f"“{isolated(texts[picture.key])}” receives {share}"
    alt = f"Layer {layer}, heads averaged: {caption} of all attention."
    return LayerAverage(layer, Thumbnail(data_uri(picture.png), alt, *picture.size), caption)
