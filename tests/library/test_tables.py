"""Measures, types and tables of a capture are those of the pages, and notebooks show it safely."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from test_attention import FACTS, ORIGIN, attention, make_tokens, softmax

from attention_gallery.analysis import KINDS, METRICS, analyse
from attention_gallery.errors import UserError
from attention_gallery.library import Attention
from attention_gallery.library.notebook import model_html
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import AttentionLayer, Tokens
from attention_gallery.store.memory_capture import MemoryCapture

HOSTILE = (
    "</bdi><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&amp;",
    "<b>",
    "{{ 1 }}",
    "\u202e",
)


def hostile() -> Attention:
    tokens = replace(make_tokens(), texts=HOSTILE)
    layers = tuple(AttentionLayer(index, "encoder", softmax(index, 2, 6, 6)) for index in range(2))
    facts = replace(FACTS, architecture="<i>Bert</i>")
    origin = replace(ORIGIN, source='./"><script>')
    return Attention(MemoryCapture("key", "text", tokens, facts, origin, layers))


class Elements(HTMLParser):
    """The elements of a piece of HTML, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("causal", [False, True])
def test_measures_and_types_are_those_of_the_pages(causal: bool) -> None:
    seen = attention(causal=causal)
    found = analyse(seen.captured, AnalysisSettings())
    assert list(seen.measures) == [metric.name for metric in found.metrics]
    for name, values in found.values.items():
        np.testing.assert_array_equal(seen.measures[name], values)
        assert seen.measures[name].shape == (2, 2)
    entropy = seen.measure("entropy")
    assert (entropy.name, entropy.values.tolist()) == ("entropy", found.values["entropy"].tolist())
    assert entropy.definition
    assert seen.head_types == tuple(
        tuple(found.type_name(layer, head) for head in (0, 1)) for layer in (0, 1)
    )
    assert seen.head_type(1, 0) == found.head_type(1, 0)
    assert seen.head_type(1, 0).name == seen.head_types[1][0]


def test_a_head_that_looks_at_the_token_before_is_one() -> None:
    weights = np.zeros((2, 6, 6), np.float32)
    weights[:, 0, 0] = 1
    weights[:, range(1, 6), range(5)] = 1
    layer = AttentionLayer(0, "encoder", weights)
    facts = replace(FACTS, layers=1)
    seen = Attention(MemoryCapture("key", "text", make_tokens(), facts, ORIGIN, (layer,)))
    assert seen.head_types == (("previous-token", "previous-token"),)
    assert "1.00 of its attention goes to the previous token" in seen.head_type(0, 1).evidence
    np.testing.assert_allclose(seen.measures["previous"], 1)


def test_a_table_has_a_row_for_every_head() -> None:
    seen = attention()
    table = seen.to_dataframe()
    assert list(table.columns) == ["layer", "head", "type", *seen.measures]
    assert len(table) == 4
    assert table[["layer", "head"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert table["type"].tolist() == [name for layer in seen.head_types for name in layer]
    for name, values in seen.measures.items():
        np.testing.assert_array_equal(table[name].to_numpy(), values.ravel())
    row = table[(table["layer"] == 1) & (table["head"] == 0)].iloc[0]
    assert row["entropy"] == pytest.approx(float(seen.measures["entropy"][1, 0]))


def test_a_table_needs_pandas_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        UserError, match=r"needs pandas, which is not installed(?s:.*)attention-gallery\[pandas\]"
    ):
        attention().to_dataframe()


def test_notebooks_show_tokens_picture_and_types() -> None:
    shown = attention()._repr_html_()
    found = Elements(shown)
    for part in ("encoder attention of Gpt", "[CLS]", "fish", "2 layers × 2 heads", "./m"):
        assert part in found.text
    assert any(kind.title in found.text for kind in KINDS)
    assert re.search(r'src="data:image/png;base64,[A-Za-z0-9+/=]+"', shown)
    assert any(metric.name == "entropy" for metric in METRICS)


def test_notebooks_show_hostile_text_as_text() -> None:
    for shown in (hostile()._repr_html_(), model_html(replace(FACTS, architecture="<script>alert(1)"))):
        found = Elements(shown)
        assert found.names <= {"div", "p", "b", "table", "tr", "th", "td", "bdi", "img"}
        assert found.attributes <= {"style", "src", "width", "height", "alt"}
        assert "{{" not in shown or "{{ 1 }}" in found.text
    found = Elements(hostile()._repr_html_())
    for text in HOSTILE:
        assert text in found.text


def test_a_long_text_is_shown_in_part() -> None:
    count = 300
    tokens = Tokens(
        np.arange(count), tuple(f"w{n}" for n in range(count)), np.zeros(count, bool), np.zeros(count, bool)
    )
    layer = AttentionLayer(0, "encoder", softmax(0, 1, count, count))
    facts = replace(FACTS, layers=1, heads=1)
    seen = Attention(MemoryCapture("key", "text", tokens, facts, ORIGIN, (layer,)))
    found = Elements(seen._repr_html_())
    assert "w199" in found.text
    assert "w200" not in found.text
    assert "and 100 more" in found.text


def test_cross_attention_shows_both_texts() -> None:
    target = Tokens(
        np.arange(2), ("le", "chat"), np.zeros(2, bool), np.zeros(2, bool), None, np.arange(2, dtype=np.int32)
    )
    layer = AttentionLayer(0, "cross", softmax(0, 2, 2, 6))
    facts = replace(FACTS, layers=1, cross=True)
    found = Elements(
        Attention(MemoryCapture("k", "le chat", target, facts, ORIGIN, (layer,), make_tokens()))._repr_html_()
    )
    assert "chat" in found.text
    assert found.text.index("lechat") < found.text.index("[CLS]thecatfishslept[SEP]")
