"""Chats go through the model's own template, and every token knows whose words it is part of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_kinds import KINDS, TEXTS, byte_level
from transformers import ByT5Tokenizer

from attention_gallery.capturing import tokenise
from attention_gallery.errors import ModelError
from attention_gallery.records import TextInput, Tokens

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TRIMMED = (
    "{{ '<s>' }}{% for message in messages %}"
    "[{{ message.role }}]: {{ message.content | trim }}\n\n{% endfor %}"
)
SYSTEM_LAST = (
    "{% if messages[0].role == 'system' %}{% set said = messages[0].content %}{% set rest = messages[1:] %}"
    "{% else %}{% set rest = messages %}{% endif %}"
    "{% for message in rest %}{% if message.role == 'user' %}[INST] "
    "{% if loop.last and said is defined %}{{ said }}\n\n{% endif %}{{ message.content }}[/INST]"
    "{% else %} {{ message.content }}</s>{% endif %}{% endfor %}"
)
STRICT = (
    "{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate user/assistant') }}{% endif %}"
    "<s>{{ message.content }}</s>{% endfor %}"
)
QUOTED = "{% for message in messages %}<s>{{ message.content | tojson }}</s>{% endfor %}"
TALK = (("system", "Be brief."), ("user", "user"), ("assistant", "Yes? 🙂"), ("user", "Who is it?"))


def talk(*messages: tuple[str, str], **options: Any) -> TextInput:
    return TextInput("", chat=messages, **options)


def with_template(template: str, kind: str = "byte-level") -> Any:
    tokenizer = KINDS[kind]()
    tokenizer.chat_template = template
    return tokenizer


def said(tokens: Tokens, given_chat: TextInput) -> list[str]:
    """What each message's tokens cover of the joined messages."""
    assert tokens.offsets is not None
    assert tokens.segments is not None
    found = []
    for number in range(len(given_chat.chat)):
        spans = tokens.offsets[tokens.segments == number]
        found.append(given_chat.joined[spans[:, 0].min() : spans[:, 1].max()] if len(spans) else "")
    return found


@pytest.mark.parametrize("template", [CHATML, TRIMMED, SYSTEM_LAST])
@pytest.mark.parametrize("kind", ["byte-level", "sentence-piece"])
def test_messages_are_found_in_what_the_template_writes(template: str, kind: str) -> None:
    tokenizer = with_template(template, kind)
    one = talk(*TALK)
    tokens = tokenise(tokenizer, one)
    messages = [{"role": role, "content": content} for role, content in TALK]
    assert tokens.ids.tolist() == tokenizer.apply_chat_template(messages)["input_ids"]
    assert tokens.segment_names == ("system", "user", "assistant", "user")
    assert said(tokens, one) == [content for _, content in TALK]
    assert tokens.segments is not None
    assert ((tokens.segments < 0) == tokens.special).all()
    assert tokens.words is not None
    blank = np.array([not text.strip("␣⏎") for text in tokens.texts])
    assert ((tokens.words < 0) == tokens.special | blank).all()


def test_what_the_template_adds_is_special_and_can_be_read() -> None:
    tokens = tokenise(with_template(CHATML), talk(("user", "it fits")))
    shown = list(zip(tokens.texts, tokens.special.tolist(), strict=True))
    assert shown[0] == ("<|im_start|>", True)
    assert "".join(text for text, special in shown if not special) == "itfits"
    assert "".join(text for text, special in shown if special) == "<|im_start|>user⏎<|im_end|>⏎"


def test_an_answer_is_asked_for_only_where_one_is_generated() -> None:
    tokenizer = with_template(CHATML)
    asked = tokenise(tokenizer, talk(("user", "Who?"), generate=4))
    plain = tokenise(tokenizer, talk(("user", "Who?")))
    assert asked.texts[: len(plain)] == plain.texts
    assert "".join(asked.texts[len(plain) :]) == "<|im_start|>assistant⏎"
    assert asked.special[len(plain) :].all()


@settings(max_examples=60, deadline=None)
@given(contents=st.lists(TEXTS.filter(str.strip), min_size=1, max_size=4), data=st.data())
def test_any_chat_gives_back_its_messages(contents: list[str], data: st.DataObject) -> None:
    template = data.draw(st.sampled_from([CHATML, TRIMMED]))
    kind = data.draw(st.sampled_from(["byte-level", "sentence-piece"]))
    one = talk(*((("user", "assistant")[n % 2], content) for n, content in enumerate(contents)))
    tokens = tokenise(with_template(template, kind), one)
    wanted = [content.strip() if template == TRIMMED else content for content in contents]
    assert said(tokens, one) == wanted


def test_a_message_that_the_template_rewrites_keeps_its_segment_but_has_no_places() -> None:
    one = talk(("user", 'say "it"'), ("assistant", "it"))
    tokens = tokenise(with_template(QUOTED), one)
    assert tokens.segments is not None
    assert "".join(text for text, part in zip(tokens.texts, tokens.segments, strict=True) if part == 0)
    assert said(tokens, one) == ["", "it"]


def test_a_chat_is_cut_at_its_end() -> None:
    tokenizer = with_template(CHATML)
    whole = tokenise(tokenizer, talk(*TALK))
    cut = tokenise(tokenizer, talk(*TALK, truncate=True), 12)
    assert cut.ids.tolist() == whole.ids[:12].tolist()
    assert cut.left_out == len(whole) - 12


def test_chats_without_offsets_are_counted() -> None:
    tokenizer = ByT5Tokenizer()
    tokenizer.chat_template = TRIMMED.replace("<s>", "")
    tokens = tokenise(tokenizer, talk(("user", "né"), ("assistant", "a")))
    assert tokens.segments is not None
    parts = [[], []]
    for text, part in zip(tokens.texts, tokens.segments.tolist(), strict=True):
        if part >= 0:
            parts[part].append(text)
    assert parts == [["n", "é₁", "é₂"], ["a"]]


@pytest.mark.parametrize(
    ("template", "chat", "reason", "mend"),
    [
        (None, TALK, "no chat template", "`text`"),
        (STRICT, TALK, "refuses these messages (Roles must alternate user/assistant)", "roles"),
        ("{{ 1 / 0 }}", TALK, "refuses these messages (division by zero)", "roles"),
        ("{{ messages[0].content.nothing() }}", TALK, "refuses these messages", "roles"),
        (
            "{% for m in messages if m.role != 'system' %}<s>{{ m.content }}{% endfor %}",
            TALK,
            "leaves out message 1 (system)",
            "message of the user",
        ),
        ("{% for m in messages %}{{ m.content ~ m.content }}{% endfor %}", TALK, "repeats message 1", "user"),
        (
            "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
            (("user", "a"), ("assistant", "b")),
            "does not show where the messages begin",
            "one `text`",
        ),
    ],
)
def test_chats_that_cannot_be_written(
    template: str | None, chat: tuple[tuple[str, str], ...], reason: str, mend: str
) -> None:
    tokenizer = byte_level()
    tokenizer.chat_template = template
    with pytest.raises(ModelError) as caught:
        tokenise(tokenizer, talk(*chat))
    (problem,) = caught.value.problems
    assert reason in problem.reason
    assert mend in problem.mend
