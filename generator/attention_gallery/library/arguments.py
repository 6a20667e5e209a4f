"""What callers hand in, checked: a wrong argument is told in words, with what to write instead."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast, get_args

from attention_gallery.errors import UserError, did_you_mean
from attention_gallery.manifest.blocks.sentences import NO_CHAT_OPTIONS
from attention_gallery.manifest.settings import (
    CaptureSettings,
    MessageSpec,
    ModelSpec,
    SentenceSpec,
    Settings,
)
from attention_gallery.records import TextInput
from attention_gallery.texts.reading import joined_texts

DTYPES: tuple[str, ...] = get_args(ModelSpec.model_fields["dtype"].annotation)
DEVICES: tuple[str, ...] = get_args(ModelSpec.model_fields["device"].annotation)
ROLES: tuple[str, ...] = get_args(MessageSpec.model_fields["role"].annotation)


def _most(settings: type[Settings], name: str) -> int:
    """The largest number that the manifest allows in a field."""
    most: int = next(rule.le for rule in settings.model_fields[name].metadata if hasattr(rule, "le"))
    return most


_MOST_GENERATED = _most(SentenceSpec, "generate")
MOST_THREADS = _most(CaptureSettings, "threads")


class Message(TypedDict):
    """One message of a chat."""

    role: str
    content: str


class Given(TypedDict, total=False):
    """What a model may be given besides a text; see `capture`."""

    pair: str
    chat: Sequence[Message]
    target: str
    generate: int
    truncate: bool
    chat_options: Mapping[str, str | bool | int | float]


def text_input(text: object, named: Mapping[str, object]) -> TextInput:
    """What a model is given to read. Raises `UserError` for anything that is none."""
    if isinstance(text, Collection) and not isinstance(text, str | bytes | Mapping):
        raise UserError(
            f"one text is captured at a time, and {_named(text)} was given",
            mend="load the model once, then [model.capture(text) for text in texts]; "
            "a second text that is read with the first is `pair=…`",
        )
    text = _text(text, "the text")
    chat = _chat(named.get("chat", ()))
    if chat and text:
        raise UserError("a text and a chat were given", mend="give one of them")
    if not chat and not text.strip():
        raise UserError("the text is empty", mend="write a sentence, or give a chat")
    pair, target = (_optional_text(named.get(name), name) for name in ("pair", "target"))
    generate = whole_number(named.get("generate", 0), "`generate`", 0, _MOST_GENERATED)
    truncate = yes_or_no(named.get("truncate", False), "truncate")
    read = text or joined_texts([content for _, content in chat])
    options = _chat_options(named.get("chat_options", {}))
    if options and not chat:
        raise UserError("there is no chat for these options", mend="leave `chat_options` out, or give a chat")
    return TextInput(read, pair, chat, target, generate, truncate, options)


def _chat(value: object) -> tuple[tuple[str, str], ...]:
    mend = 'write chat=[{"role": "user", "content": "…"}]'
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise UserError(f"a chat is a list of messages, not {_named(value)}", mend=mend)
    messages = []
    for number, message in enumerate(value, 1):
        if not isinstance(message, Mapping) or set(message) != {"role", "content"}:
            raise UserError(f"message {number} of the chat is not a `role` with its `content`", mend=mend)
        role = one_of(message["role"], f"the role of message {number}", ROLES)
        messages.append((role, _text(message["content"], f"the content of message {number}")))
    return tuple(messages)


def _chat_options(value: object) -> tuple[tuple[str, str | bool | int | float], ...]:
    mend = 'write chat_options={"enable_thinking": False}'
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise UserError(f"chat options are names with their values, not {_named(value)}", mend=mend)
    for name, option in value.items():
        if not isinstance(option, str | bool | int | float):
            raise UserError(f'the chat option "{name}" is a text, a number or true or false', mend=mend)
        if name in NO_CHAT_OPTIONS or not name.isidentifier():
            raise UserError(
                f'"{name}" is not an option that a chat template can be given here',
                mend="write the name of an option that the template has",
            )
        if isinstance(option, float) and not math.isfinite(option):
            raise UserError(f'the chat option "{name}" is not a finite number', mend=mend)
    return tuple(sorted(value.items()))


def _optional_text(value: object, name: str) -> str | None:
    if value is None:
        return None
    text = _text(value, f"`{name}`")
    if not text.strip():
        raise UserError(f"`{name}` is empty", mend="leave it out, or write a text")
    return text


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{what} is a text, not {_named(value)}", mend="write it in quotation marks")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{what} holds half of a surrogate pair, at place {error.start}",
            mend="decode the bytes that it comes from as UTF-8",
        ) from None
    return value


def source_of(value: object) -> str:
    """A source as the manifest writes it; what is the name of something here is an absolute path."""
    if not isinstance(value, str | Path):
        raise UserError(
            f"a model is a hub id, a path or what `load` gives, not {_named(value)}",
            mend='write "org/name", "./folder", "./file.gguf" or "package:name/path"',
        )
    if isinstance(value, Path):
        return str(value.absolute())
    try:
        here = bool(value) and not value.startswith("package:") and Path(value).exists()
    except (OSError, ValueError):
        here = False  # too long for a path, or no path at all
    return str(Path(value).absolute()) if here else value


def one_of(value: object, what: str, known: Collection[str]) -> str:
    """One of several words. Raises `UserError`."""
    if isinstance(value, str) and value in known:
        return value
    close = did_you_mean(value, known) if isinstance(value, str) else ""
    written = repr(value) if isinstance(value, str) else _named(value)
    raise UserError(f"{what} cannot be {written}", mend=close or f"known: {', '.join(known)}")


def yes_or_no(value: object, name: str) -> bool:
    """A flag. Raises `UserError`."""
    if not isinstance(value, bool):
        raise UserError(f"`{name}` is True or False, not {_named(value)}")
    return value


def whole_number(value: object, what: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`, NumPy's too. Raises `UserError`."""
    number = _index(value, lambda: UserError(f"{what} is a whole number, not {_named(value)}"))
    if not least <= number <= most:
        raise UserError(f"{what} cannot be {number}", mend=f"write {least} to {most:,}")
    return number


def place(value: object, what: str, count: int) -> int:
    """The index of a layer, head or token of `count`. Raises `UserError` for one that is not there."""
    known = f"the {what}s are 0 to {count - 1}"
    number = _index(value, lambda: UserError(f"a {what} is a whole number, not {_named(value)}", mend=known))
    if not 0 <= number < count:
        raise UserError(f"there is no {what} {number}", mend=known)
    return number


def _index(value: object, wrong: Callable[[], UserError]) -> int:
    if isinstance(value, bool):
        raise wrong()
    try:
        return operator.index(cast(Any, value))
    except TypeError:
        raise wrong() from None


def _named(value: object) -> str:
    """The kind of a value, in words."""
    name = type(value).__name__
    return "nothing" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
