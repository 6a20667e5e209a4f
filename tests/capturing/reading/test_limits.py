"""Chat templates and tokenizers that grow without bound are refused; ordinary ones never meet a limit."""

from __future__ import annotations

import copy
import gc
import json
from pathlib import Path
from typing import Any

import pytest
from test_capture_chats import CHATML, QUOTED, SYSTEM_LAST, TRIMMED, talk, with_template
from tiny_models import save_tiny
from tokenizer_kinds import KINDS, byte_level
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from attention_gallery import load
from attention_gallery.capturing import tokenise
from attention_gallery.capturing.reading import limits
from attention_gallery.capturing.reading.decoded import PlainVocabulary, decode
from attention_gallery.capturing.reading.limits import UnboundedError, apply_template
from attention_gallery.errors import ModelError
from attention_gallery.records import TextInput
from attention_gallery.user_files import MB
from attention_gallery.workers import LimitedProcess, Limits
from siblings import siblings

MESSAGES = [{"role": "user", "content": "Hello there, how are you? " * 30}]
BOMBS = {
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "doubling": "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "multiplied": "{{ 'a' * 99999999999 }}",
    "a power": "{{ 10 ** 10 ** 9 }}",
    "filled up": "{{ '%99999999999d' % 1 }}",
    "centred": "{{ 'a' | center(99999999999) }}",
    "macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "flood": "{% for i in range(99999) %}{{ messages }}{% endfor %}",
    "a list": "{{ (range(99999) | list) * 99999 }}",
}


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, but small, so that they are met soon."""
    monkeypatch.setattr(limits, "_LIMITS", Limits(seconds=1, memory=300 * MB, answer=1 * MB))


@pytest.mark.usefixtures("tight")
@pytest.mark.parametrize("name", siblings(BOMBS, 3))
def test_templates_that_go_on_and_on_are_refused(name: str) -> None:
    tokenizer = with_template(BOMBS[name])
    with pytest.raises(ModelError, match="its chat template") as caught:
        tokenise(tokenizer, talk(("user", MESSAGES[0]["content"])))
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("template", [CHATML, TRIMMED, SYSTEM_LAST, QUOTED])
def test_templates_are_rendered_under_limits_as_without(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = with_template(template)
    tokenizer.add_special_tokens({"bos_token": "<s>"})
    chat = [{"role": "system", "content": "Be ß\n"}, {"role": "user", "content": "🙂 {{ x }}"}]
    plain = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert apply_template(tokenizer, chat, add_generation_prompt=True) == plain
    monkeypatch.setattr(limits, "_SHORT_CHAT", -1)
    asked: list[Any] = []
    ask = LimitedProcess.ask
    monkeypatch.setattr(LimitedProcess, "ask", lambda self, **q: asked.append(q) or ask(self, **q))
    assert apply_template(tokenizer, chat, add_generation_prompt=True) == plain
    assert len(asked) == 1


def test_what_a_template_raises_is_told_under_limits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_SHORT_CHAT", -1)
    tokenizer = with_template("{{ raise_exception('Roles must alternate') }}")
    with pytest.raises(ModelError, match=r"refuses these messages \(Roles must alternate\)"):
        tokenise(tokenizer, talk(("user", "hi")))


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_tokenizers_need_no_process(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedProcess, "ask", lambda *_, **__: pytest.fail("a process was asked"))
    tokenizer = KINDS[kind]()
    tokens = tokenise(tokenizer, TextInput("The cat sat on the mat. " * 200))
    decode(tokenizer, tokens.ids.tolist())
    PlainVocabulary(tokenizer).texts([5, 6])
    tokenizer.chat_template = CHATML
    tokenise(tokenizer, talk(("user", "hi")))


def changed(**parts: Any) -> PreTrainedTokenizerFast:
    """A small tokenizer with other parts."""
    backend = Tokenizer.from_str(byte_level().backend_tokenizer.to_str())
    for name, part in parts.items():
        setattr(backend, name, part)
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", pad_token="<pad>")


def doubling(count: int) -> normalizers.Normalizer:
    return normalizers.Sequence([normalizers.Replace("a", "aa")] * count)


@pytest.mark.usefixtures("tight")
@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": doubling(100)},
        {"normalizer": doubling(28)},
        {
            "normalizer": normalizers.Sequence(
                [normalizers.Prepend("b" * 99)] + [normalizers.Replace("b", "bb")] * 40
            )
        },
        {"normalizer": normalizers.Sequence([normalizers.Replace("", "a" * 9)] * 12)},
        {"pre_tokenizer": pre_tokenizers.Split(Regex(r"[\s\S]*[\s\S]*(?<=\d)"), "isolated")},
    ],
)
def test_tokenizers_that_go_on_and_on_are_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(UnboundedError, match="its tokenizer goes on and on"):
        tokenise(changed(**parts), TextInput("a cat, a hat and a mat " * 80))


def test_a_tokenizer_that_gives_up_is_told() -> None:
    given_up = pre_tokenizers.Split(Regex(r"(?:[a-z ]|[a-y ])*(?=\d)"), "isolated")
    with pytest.raises(UnboundedError, match=r"its tokenizer fails .*retry-limit"):
        tokenise(changed(pre_tokenizer=given_up), TextInput("a cat and a hat and a mat " * 40))


@pytest.mark.usefixtures("tight")
def test_decoders_that_go_on_and_on_are_refused() -> None:
    bomb = decoders.Sequence([decoders.ByteLevel(), *([decoders.Replace("a", "aa")] * 60)])
    tokenizer = changed(decoder=bomb)
    ids = tokenizer("a cat", add_special_tokens=False)["input_ids"]
    with pytest.raises(UnboundedError, match="its tokenizer goes on and on"):
        decode(tokenizer, ids)


def test_a_strange_tokenizer_that_does_no_harm_reads_as_ever() -> None:
    tokenizer = changed(normalizer=doubling(30))
    plain = tokenise(byte_level(), TextInput("The mouse, too"))
    assert tokenise(tokenizer, TextInput("The mouse, too")).texts == plain.texts
    assert decode(tokenizer, plain.ids.tolist()) == "The mouse, too"


def test_processes_end_with_the_tokenizer() -> None:
    tokenizer = changed(normalizer=doubling(30))
    tokenise(tokenizer, TextInput("The mouse"))
    (process,) = (one for one in vars(tokenizer)["_within_limits"].values() if type(one) is LimitedProcess)
    running = process._process
    assert running.poll() is None
    del process, tokenizer
    gc.collect()
    assert running.poll() is not None


@pytest.mark.usefixtures("tight")
def test_a_model_whose_files_go_on_and_on_is_told_by_name(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "bert", "bert")
    file = folder / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    step = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    described["normalizer"] = {"type": "Sequence", "normalizers": [copy.deepcopy(step) for _ in range(100)]}
    file.write_text(json.dumps(described), "utf-8")
    with pytest.raises(ModelError, match="its tokenizer goes on and on"):
        load(str(folder)).capture("a cat")
