"""Fragments cannot break out of their place, labels are distinct, thumbnails lose no strong cell."""

from __future__ import annotations

import base64
import io
import json
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from attention_gallery.figures.embed import json_for_html
from attention_gallery.figures.encode import EncodedWeights
from attention_gallery.figures.grid import GridWeights, HeadThumbnails, grid_fragment
from attention_gallery.figures.heatmap import HeatmapTemplate, plotly_spec
from attention_gallery.figures.labels import axis_labels
from attention_gallery.figures.plotly_script import plotly_script
from attention_gallery.figures.thumbnail import data_uri, thumbnail, thumbnail_size
from attention_gallery.figures.token_data import STEP, token_data_html, token_data_script
from attention_gallery.records import Float32, ModelFacts, Tokens

FACTS = ModelFacts("Bert", "bert", 2, 3, 3, False, 512, 64, 1000, 1000, "safetensors")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
# Text that likes to end elements, comments and strings.
NASTY = st.text(alphabet=st.sampled_from("<>/!-&\"'\\\u2028\u200b scriptSCRIPT=…")) | st.text()


class Elements(HTMLParser):
    """Start tags of a document and the text of its script elements."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def tokens_of(*texts: str) -> Tokens:
    count = len(texts)
    return Tokens(np.arange(count), texts, np.zeros(count, bool), np.zeros(count, bool))


@given(VALUES)
def test_json_survives_html(value: Any) -> None:
    text = json_for_html(value)
    assert json.loads(text) == value
    assert not set("<>&") & set(text)


@given(NASTY)
def test_json_never_ends_its_element(text: str) -> None:
    html = f'<script type="application/json">{json_for_html([text, {text: text}])}</script><p>after</p>'
    found = Elements(html)
    assert found.tags == ["script", "p"]
    assert json.loads(found.scripts[0]) == [text, {text: text}]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), [float("nan")]])
def test_json_has_no_nan(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_for_html(value)


@given(st.lists(st.text(alphabet="ab\u200b…", max_size=24), max_size=12))
def test_labels_are_distinct_short_and_look_like_the_tokens(texts: list[str]) -> None:
    labels = axis_labels(texts)
    assert len(set(labels)) == len(texts)
    for label, text in zip(labels, texts, strict=True):
        shown, plain = label.replace("\u200b", ""), text.replace("\u200b", "")
        assert len(shown) <= 18
        assert shown == plain or (shown[-1] == "…" and text.startswith(label.split("…")[0].rstrip("\u200b")))


def test_repeated_tokens_look_alike() -> None:
    labels = axis_labels(["the", "cat", "the", "the"])
    assert [label.replace("\u200b", "") for label in labels] == ["the", "cat", "the", "the"]
    assert labels[:2] == ("the", "cat")


def grid_of(levels: EncodedWeights, queries: int, keys: int) -> GridWeights:
    """A grid whose small pictures have a pixel a cell."""
    return GridWeights(HeadThumbnails(levels, (keys, queries)), (queries, keys), "0123", levels.error)


@given(st.lists(NASTY, min_size=1, max_size=5), NASTY)
def test_figures_hold_any_text(texts: list[str], alt: str) -> None:
    weights = EncodedWeights("linear16", base64.b64encode(b"data").decode(), 0.00001, deflated=False)
    template = HeatmapTemplate.from_tokens(tokens_of(*texts), causal=False)
    for fragment, scripts in (
        (template.head("L0H1", weights, alt), 2),
        (template.selected("L0H1", weights, alt), 2),
        (grid_fragment(FACTS, grid_of(weights, len(texts), len(texts)), alt), 1),
    ):
        found = Elements(fragment.html)
        assert found.tags.count("script") == scripts
        assert set(found.tags) <= {"figure", "div", "figcaption", "script"}
        assert not [name for one in found.attributes for name in one if name.startswith("on")]
        assert fragment.alt_text == alt
        assert alt.replace("\r", "") in unescape(fragment.html).replace("\r", "")
    spec = json.loads(Elements(template.head("L0H1", weights, alt).html).scripts[1])
    assert [label.replace("\u200b", "") for label in spec["data"][0]["x"]] == [
        label.replace("\u200b", "") for label in axis_labels(texts)
    ]


def test_a_figure_says_what_a_script_needs() -> None:
    weights = EncodedWeights("linear16", "AAAA", 0.0000123, deflated=True)
    template = HeatmapTemplate.from_tokens(tokens_of("a", "b", "c"), causal=True)
    figure = Elements(template.head("L1H2", weights, "alt").html).attributes[0]
    assert {**figure} == {
        "class": "figure heatmap",
        "id": "attention",
        "data-figure": "heatmap",
        "data-codec": "linear16",
        "data-deflated": None,
        "data-name": "L1H2",
        "data-queries": "3",
        "data-keys": "3",
        "data-causal": "1",
    }
    grid = Elements(grid_fragment(FACTS, grid_of(weights, 3, 5), "alt").html).attributes[0]
    assert (grid["data-layers"], grid["data-heads"]) == ("2", "3")
    assert (grid["data-queries"], grid["data-keys"]) == ("3", "5")
    assert (grid["data-rows"], grid["data-columns"]) == ("3", "5")
    assert (grid["data-tiles"], grid["data-version"]) == ("tiles/", "0123")
    assert grid["data-error"] == "0.000012"


def test_plotly_is_told_to_stay_local_and_upright() -> None:
    spec = plotly_spec(*[tokens_of("a", "a")] * 2)
    assert spec["layout"]["yaxis"]["autorange"] == "reversed"
    assert spec["layout"]["xaxis"]["side"] == "bottom"
    assert spec["config"]["showSendToCloud"] is False
    assert spec["data"][0]["type"] == "heatmap"
    assert len(set(spec["data"][0]["x"])) == 2
    assert spec["data"][0]["hovertemplate"].startswith("%{y} → %{x}: %{z")


def test_fragments_with_other_content_have_another_digest() -> None:
    template = HeatmapTemplate.from_tokens(tokens_of("a", "b"), causal=False)
    weights = EncodedWeights("linear16", "AAAA", 0.0000123, deflated=True)
    digests = {
        template.selected(name, weights, alt).digest for name in ("L0H0", "L0H1") for alt in ("x", "y")
    }
    assert len(digests) == 4
    assert template.selected("L0H0", weights, "x") == template.selected("L0H0", weights, "x")


def test_the_plotly_script_is_found_without_importing_plotly() -> None:
    script = plotly_script()
    assert script.name == "plotly.min.js"
    assert b"plotly.js" in script.read_bytes()[:200]


def test_queries_stand_beside_and_keys_below_a_heatmap_of_cross_attention() -> None:
    template = HeatmapTemplate.from_tokens(tokens_of("le", "chat"), False, tokens_of("the", "old", "cat"))
    weights = EncodedWeights("linear16", "AAAA", 0.0, deflated=False)
    found = Elements(template.head("L0H0", weights, "alt").html)
    assert (found.attributes[0]["data-queries"], found.attributes[0]["data-keys"]) == ("2", "3")
    data = json.loads(found.scripts[1])["data"][0]
    assert (data["y"], data["x"]) == (["le", "chat"], ["the", "old", "cat"])


def matrix(seed: int, *shape: int) -> Float32:
    weights = np.random.default_rng(seed).random(shape, dtype=np.float32) ** 6
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def pixels(png: bytes) -> Any:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        picture.load()
        return np.asarray(picture.convert("RGBA"))[:, :, 3]


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 200), st.integers(1, 200))
def test_thumbnails_are_small_pictures_that_keep_the_strongest_cell(
    seed: int, queries: int, keys: int
) -> None:
    weights = matrix(seed, queries, keys)
    png, (width, height) = thumbnail(weights)
    opacity = pixels(png)
    assert opacity.shape == (height, width)
    assert (width, height) == thumbnail_size(queries, keys)
    strongest = divmod(int(weights.argmax()), keys)
    row, column = (
        int(np.searchsorted(np.arange(shown) * count // shown, place, side="right")) - 1
        for place, count, shown in zip(strongest, (queries, keys), (height, width), strict=True)
    )
    assert opacity[row, column] == opacity.max() == 255
    assert thumbnail(weights.copy())[0] == png


@pytest.mark.parametrize(
    ("queries", "keys", "size"),
    [(9, 9, (9, 9)), (200, 200, (64, 64)), (7, 12, (12, 7)), (32, 128, (64, 16)), (1, 200, (64, 1))],
)
def test_thumbnails_keep_the_proportions_of_the_matrix(
    queries: int, keys: int, size: tuple[int, int]
) -> None:
    assert thumbnail_size(queries, keys) == size


def test_every_row_and_column_of_a_large_matrix_can_be_seen() -> None:
    for place in (0, 1, 63, 64, 100, 149):
        weights = np.zeros((150, 150), np.float32)
        weights[place, 149 - place] = 1
        assert (pixels(thumbnail(weights)[0]) == 255).sum() == 1


def test_an_empty_matrix_is_a_clear_picture() -> None:
    assert not pixels(thumbnail(np.zeros((5, 5), np.float32))[0]).any()


def test_broad_attention_does_not_look_empty() -> None:
    assert (pixels(thumbnail(np.full((30, 30), 1 / 30, np.float32))[0]) == 255).all()


def test_a_data_address_holds_the_picture() -> None:
    png, _ = thumbnail(matrix(1, 4, 4))
    assert base64.b64decode(data_uri(png).removeprefix("data:image/png;base64,")) == png


def test_traces_are_thousandths_and_mark_what_is_not_there() -> None:
    keys = np.array([[[1, 0], [0, -1]]], np.int32)
    weights = np.array([[[0.75, 0.2504], [1.0, np.nan]]], np.float32)
    analysis = SimpleNamespace(
        top_keys=keys, top_weights=weights, top_content_keys=keys, top_content_weights=weights
    )
    script = token_data_script("0123", analysis, {"rollout": (keys, weights)}).decode()
    value = json.loads(script.removeprefix('AG.tokenFile("0123",').removesuffix(");\n"))
    assert value["traces"]["keys"] == [[[1, 0], [0, -1]]]
    assert value["traces"]["weights"] == [[[750, 250], [1000, 0]]]
    assert value["step"] == STEP
    assert value["flows"] == {"rollout": [[[STEP + 750, 250], [1000, -1]]]}
    element = Elements(token_data_html("0123"))
    assert element.attributes[0] == {"type": "application/json", "id": "token-data"}
    assert json.loads(element.scripts[0]) == {"src": "tiles/tokens.js", "version": "0123"}
