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
from siblings import siblings

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


@settings(max_examples=60)
@given(contents=st.lists(TEXTS.filter(str.strip), min_size=1, max_size=4), data=st.data())
def test_any_chat_gives_back_its_messages(contents: list[str], data: st.DataObject) -> None:
    template = data.draw(st.sampled_from([CHATML, TRIMMED]))
    kind = data.draw(st.sampled_from(["byte-level", "sentence-piece"]))
    one = talk(*((("user", "assistant")[n % 2], content) for n, content in enumerate(contents)))
    tokens = tokenise(with_template(template, kind), one)
    wanted = [content.strip() if template == TRIMMED else content for content in contents]
    assert said(tokens, one) == wanted


def test_a_message_that_the_template_rewrites_keeps_its_segment_and_the_places_of_its_words() -> None:
    one = talk(("user", 'say "it" now'), ("assistant", "it"))
    tokens = tokenise(with_template(QUOTED), one)
    assert tokens.segments is not None
    assert "".join(text for text, part in zip(tokens.texts, tokens.segments, strict=True) if part == 0)
    assert said(tokens, one) == ['say "it" now', "it"]
    assert tokens.unread == ()


def unread(tokens: Tokens, given_chat: TextInput) -> list[str]:
    """What the author wrote and the model was not given."""
    return [given_chat.joined[start:end] for start, end in tokens.unread]


THINKING = (
    ("user", "Is 2 < 3?"),
    ("assistant", "<think>It is a plan.</think>\n\nYes: <b>it</b>  is."),
    ("user", "Who is it?"),
    ("assistant", "<think>\nhm\n</think>\n\nIt is the cat."),
)
# What an earlier answer thought is dropped, as DeepSeek-R1 drops it.
FORGETFUL = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% set said = m.content %}"
    "{% if '</think>' in said %}{% set said = said.split('</think>')[-1] %}{% endif %}"
    "<|Assistant|>{{ said }}<|end|>{% else %}<|User|>{{ m.content }}{% endif %}{% endfor %}"
)
# Kept in the last answer only, in another form of the same, as Qwen 3 does it.
KEEPS_LAST = (
    "{% for m in messages %}{% set said = m.content %}{% set thought = '' %}"
    "{% if m.role == 'assistant' and '</think>' in said %}"
    "{% set thought = said.split('</think>')[0].split('<think>')[-1].strip('\n') %}"
    "{% set said = said.split('</think>')[-1].lstrip('\n') %}{% endif %}<s>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n{{ thought }}\n</think>\n\n{% endif %}"
    "{{ said }}</s>\n{% endfor %}"
)
THOUGHTS = ["<think>It is a plan.</think>", "<think>\nhm\n</think>"]


@pytest.mark.parametrize("kind", siblings(["byte-level", "sentence-piece"], 2))
@pytest.mark.parametrize(
    ("template", "dropped"),
    [
        (FORGETFUL, THOUGHTS),
        (KEEPS_LAST, THOUGHTS[:1]),
        (
            "{% for m in messages %}<s>{{ m.content[:9] }}</s>{% endfor %}",
            [
                "is a plan.</think>\n\nYes: <b>it</b>  is.",
                "?",
                "m\n</think>\n\nIt is the cat.",
            ],
        ),
        ("{% for m in messages %}[{{ m.role }}] {{ m.content | upper }}\n{% endfor %}", []),
        ("{% for m in messages %}<s>{{ m.content | e }}</s>{% endfor %}", []),
        ("{% for m in messages %}<s>{{ m.content | tojson }}</s>{% endfor %}", []),
        ("{% for m in messages %}<s>{{ m.content.split() | join(' ') }}</s>{% endfor %}", []),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", []),
        ("{% for m in messages %}<s>{{ m.content | replace('plan', 'secret') }}</s>{% endfor %}", ["plan."]),
    ],
)
def test_what_a_template_drops_is_known(template: str, dropped: list[str], kind: str) -> None:
    one = talk(*THINKING)
    tokens = tokenise(with_template(template, kind), one)
    assert unread(tokens, one) == dropped
    assert tokens.offsets is not None
    assert tokens.segments is not None
    for start, end in tokens.offsets[tokens.segments >= 0].tolist():
        assert not any(start < last and first < end for first, last in tokens.unread)


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
            "{% for m in messages %}{{ m.content | replace('a', 'bb') }}{% endfor %}",
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


LISTED = (
    "{% for m in messages %}{{ m.role }}: {% for part in m.content %}{% if part.type == 'text' %}"
    "{{ part.text }}{% endif %}{% endfor %}\n{% endfor %}"
)
STRICTLY_LISTED = (
    "{% for m in messages %}{% if m.content is string %}{{ raise_exception('a list is wanted') }}{% endif %}"
    "<s>{% for part in m.content %}{{ part['text'] | trim }}{% endfor %}</s>{% endfor %}"
)


@pytest.mark.parametrize("template", [LISTED, STRICTLY_LISTED])
def test_templates_that_want_a_list_are_given_one(template: str) -> None:
    tokenizer = with_template(template)
    one = talk(*TALK)
    tokens = tokenise(tokenizer, one)
    assert said(tokens, one) == [content for _, content in TALK]
    assert tokens.unread == ()
    messages = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in TALK]
    assert tokens.ids.tolist() == tokenizer.apply_chat_template(messages)["input_ids"]


def test_a_list_is_not_written_out_as_one() -> None:
    template = (
        "{% for m in messages if m.role != 'system' or m.content is not string %}{{ m.content }}{% endfor %}"
    )
    with pytest.raises(ModelError, match=r"leaves out message 1 \(system\)"):
        tokenise(with_template(template), talk(*TALK))


OPTIONAL = CHATML + "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"


def test_options_reach_the_template() -> None:
    tokenizer = with_template(OPTIONAL)
    plain = tokenise(tokenizer, talk(("user", "Who?")))
    quick = tokenise(tokenizer, talk(("user", "Who?"), chat_options=(("enable_thinking", False),)))
    assert quick.texts[: len(plain)] == plain.texts
    assert "".join(quick.texts[len(plain) :]) == "<think></think>"
    with pytest.raises(ModelError, match='no option "enable_thought"'):
        tokenise(tokenizer, talk(("user", "Who?"), chat_options=(("enable_thought", False),)))


def test_the_options_that_are_refused_are_those_of_the_call_itself() -> None:
    import inspect

    from transformers import PreTrainedTokenizerBase

    from attention_gallery.manifest.blocks.sentences import NO_CHAT_OPTIONS

    assert set(inspect.signature(PreTrainedTokenizerBase.apply_chat_template).parameters) <= NO_CHAT_OPTIONS


@settings(max_examples=80)
@given(contents=st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3), data=st.data())
def test_what_is_dropped_and_what_is_said_make_up_every_message(
    contents: list[str], data: st.DataObject
) -> None:
    thoughts = [data.draw(TEXTS) for _ in contents]
    chat = []
    for thought, content in zip(thoughts, contents, strict=True):
        chat += [("user", "Go on."), ("assistant", f"<think>{thought}</think>{content}")]
    one = talk(*chat)
    tokens = tokenise(
        with_template(FORGETFUL, data.draw(st.sampled_from(["byte-level", "sentence-piece"]))), one
    )
    assert tokens.offsets is not None
    covered = {place for start, end in tokens.offsets.tolist() for place in range(start, end)}
    begin = 0
    for role, content in chat:
        if role == "assistant":
            cut = begin + content.index("</think>") + len("</think>")
            assert not covered & set(range(begin, cut))
            assert {n for n in range(cut, begin + len(content)) if one.joined[n].isalnum()} <= covered
        begin += len(content) + 1


def test_without_offsets_what_is_dropped_is_known_too() -> None:
    tokenizer = ByT5Tokenizer()
    tokenizer.chat_template = FORGETFUL
    one = talk(*THINKING)
    assert unread(tokenise(tokenizer, one), one) == THOUGHTS


def test_what_a_tokenizer_drops_is_known() -> None:
    tokens = tokenise(with_template(CHATML, "word-piece"), TextInput("the \ufffd cat"))
    assert tokens.unread == ((4, 5),)
    cut = tokenise(KINDS["byte-level"](), TextInput("The trophy fits", truncate=True), 2)
    assert cut.left_out > 0
    assert cut.unread[-1][1] == len("The trophy fits")
