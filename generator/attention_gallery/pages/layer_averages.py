"""The heads of each layer averaged: a small picture, and which token the layer looks at most."""

from __future__ import annotations

from collections.abc import Sequence

from attention_gallery.analysis import average_heads
from attention_gallery.figures.describe import isolated
from attention_gallery.figures.thumbnail import data_uri, thumbnail
from attention_gallery.pages import words
from attention_gallery.pages.pieces import LayerAverage, Thumbnail
from attention_gallery.records import AttentionLayer


def layer_average(layer: AttentionLayer, texts: Sequence[str]) -> LayerAverage:
    """One layer's average over `texts`, its keys. The share is of all attention in the layer, 0 to 1."""
    average = average_heads(layer)
    received = average.mean(axis=0)
    key = int(received.argmax())
    share = words.share(float(received[key]))
    png, size = thumbnail(average)
    said = f"“{isolated(texts[key])}” receives {share}"
    alt = f"Layer {layer.index}, heads averaged: {said} of all attention."
    return LayerAverage(layer.index, Thumbnail(data_uri(png), alt, *size), said)
