"""A chat as the text that a model's own template makes of it, and where its messages stand in that text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from attention_gallery.capturing.reading.limits import UnboundedError, apply_template
from attention_gallery.capturing.reading.quoted import Message, Region, Write, align_words
from attention_gallery.errors import ModelError
from attention_gallery.texts.words import Span

Option = str | bool | int | float
_ANSWER = "add_generation_prompt"
# Private characters around a number stand for what a message says while the template's own words are found.
_STAND_IN = "\ue000{}\ue001"
_STOOD_IN = re.compile("\ue000(\\d+)\ue001")


def _write(
    tokenizer: Any, options: Mapping[str, Option], wrap: Callable[[str], Any], chat: Sequence[Message]
) -> str:
    """The chat as text. Raises `ModelError` when the template refuses it.

    `wrap` makes of what a message says what the template wants: the text itself, or a list with it.
    """
    messages = [{"role": role, "content": wrap(content)} for role, content in chat]
    try:
        return apply_template(tokenizer, messages, **options)
    except UnboundedError:
        raise
    except Exception as error:
        message = " ".join(str(error).split())
        if "TemplateSyntaxError" in (type(error).__name__, type(error.__cause__).__name__):
            reason = f"its chat template is not valid ({message})"
            raise ModelError(reason, "download its tokenizer again, or mend `chat_template`") from error
        # A template is a program that came with the model: it refuses by raising whatever it likes.
        reason = f"its chat template refuses these messages ({message})"
        raise ModelError(reason, "check which roles it knows, and in which order") from error


def render_chat(
    tokenizer: Any, chat: Sequence[Message], *, answer: bool, options: Mapping[str, Option] | None = None
) -> tuple[str, tuple[Region, ...]]:
    """The text that the model reads, and where it says what the messages say, in the order of that text.

    `answer` adds what invites the model to go on, `options` are given to the template. Content is given as
    text, and where the template refuses that or loses it, as a list of parts, of which one is text.

    Raises `ModelError` without a place when the tokenizer has no chat template, or when its template refuses
    the messages, leaves one out or says one twice.
    """
    if not getattr(tokenizer, "chat_template", None):
        mend = "write a `text`, or let only models for chats read it: `models: […]`"
        raise ModelError("its tokenizer has no chat template", mend)
    options = options or {}
    for name in options:
        if not re.search(rf"\b{re.escape(name)}\b", str(tokenizer.chat_template)):
            reason = f'its chat template has no option "{name}"'
            mend = "leave it out of `chat_options`, or let only models that have it read this: `models: […]`"
            raise ModelError(reason, mend)
    failures: list[ModelError] = []
    for wrap in (str, lambda content: [{"type": "text", "text": content}]):
        try:
            return _written(partial(_write, tokenizer, {**options, _ANSWER: answer}, wrap), chat)
        except UnboundedError:
            raise
        except ModelError as error:
            failures.append(error)
    raise failures[0]


def _written(write: Write, chat: Sequence[Message]) -> tuple[str, tuple[Region, ...]]:
    rendered = write(chat)
    blank = write([(role, _STAND_IN.format(number)) for number, (role, _) in enumerate(chat)])
    if "'type': 'text'" in blank:
        raise ModelError("its chat template writes content as a list", "write the conversation as one `text`")
    pieces = _STOOD_IN.split(blank)
    order = [int(number) for number in pieces[1::2]]
    for number, (role, _) in enumerate(chat):
        if (times := order.count(number)) != 1:
            reason = f"its chat template {'repeats' if times else 'leaves out'} message {number + 1} ({role})"
            raise ModelError(reason, "leave that message out, or say it in a message of the user")
    regions = list(_regions(rendered, pieces[0::2], order, chat))
    if len(regions) == len(chat) and all(region.said is not None for region in regions):
        return rendered, tuple(regions)
    # The template changes what a message says: word by word, more can be told.
    by_words = align_words(rendered, chat, write)
    if len(regions) == len(chat) and (by_words is None or _placed(regions) >= _placed(by_words)):
        return rendered, tuple(regions)
    if by_words is None:
        reason = "its chat template does not show where the messages begin and end"
        raise ModelError(reason, "write the whole conversation as one `text`")
    return rendered, by_words


def _placed(regions: Sequence[Region]) -> int:
    """How many characters of messages are known to be said."""
    return sum(region.said[1] - region.said[0] for region in regions if region.said is not None)


def _regions(
    rendered: str, own: Sequence[str], order: Sequence[int], chat: Sequence[Message]
) -> Iterator[Region]:
    """Each message between the template's `own` words, which stand before, between and after them.

    It ends early where these words are others than those that were written around stand-ins.
    """
    begins = [sum(len(content) + 1 for _, content in chat[:number]) for number in range(len(chat))]
    start = len(own[0])
    if not rendered.startswith(own[0]):
        return
    for number, after in zip(order, own[1:], strict=True):
        content = chat[number][1]
        span: Span | None
        last = number == order[-1]
        match = _verbatim(rendered, start, content, after, last)
        if match is not None:
            begin = begins[number] + match[0]
            span = (begin, begin + match[1])
            end = start + match[1]
        else:
            end = len(rendered) - len(after) if last else rendered.find(after or "\0", start)
            if end < start or not rendered.startswith(after, end):
                return
            span = _end_or_beginning(content, rendered[start:end], begins[number])
        yield Region(number, (start, end), span)
        start = end + len(after)


def _verbatim(rendered: str, start: int, content: str, after: str, last: bool) -> tuple[int, int] | None:
    """Where in a message the words at `start` begin, and their length: all of it, or without outer blanks."""
    for words in (content, content.rstrip(), content.lstrip(), content.strip()):
        end = start + len(words) + len(after)
        if rendered.startswith(words + after, start) and (not last or end == len(rendered)):
            return content.index(words), len(words)
    return None


def _end_or_beginning(content: str, written: str, begin: int) -> Span | None:
    """Which stretch of a message a template wrote, where it cut something off; None for anything else."""
    if not written or written not in content:
        return None
    start = begin + (content.rindex if content.endswith(written) else content.index)(written)
    return start, start + len(written)
