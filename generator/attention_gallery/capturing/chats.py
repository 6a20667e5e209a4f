"""A chat as the text that a model's own template makes of it, and where its messages stand in that text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from attention_gallery.capturing.limits import apply_template
from attention_gallery.capturing.spans import Span
from attention_gallery.errors import ModelError

Message = tuple[str, str]
# Private characters around a number stand for what a message says while the template's own words are found.
_STAND_IN = "\ue000{}\ue001"
_STOOD_IN = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Region:
    """Where a message stands: its number, and half-open ranges into the rendered text.

    `said` is the range into the joined messages that stands there character by character, None where the
    template changed what the message says.
    """

    message: int
    span: Span
    said: Span | None


def render_chat(tokenizer: Any, chat: Sequence[Message], *, answer: bool) -> tuple[str, tuple[Region, ...]]:
    """The text that the model reads, and the messages in it in the order in which they stand there.

    `answer` adds what invites the model to go on. Raises `ModelError` without a place when the tokenizer has
    no chat template, or when its template refuses the messages, leaves one out or says one twice.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError(
            "its tokenizer has no chat template",
            "write a `text`, or let only models for chats read it: `models: […]`",
        )
    rendered = _rendered(tokenizer, chat, answer)
    blank = [(role, _STAND_IN.format(number)) for number, (role, _) in enumerate(chat)]
    pieces = _STOOD_IN.split(_rendered(tokenizer, blank, answer))
    order = [int(number) for number in pieces[1::2]]
    for number, (role, _) in enumerate(chat):
        if (times := order.count(number)) != 1:
            reason = f"its chat template {'repeats' if times else 'leaves out'} message {number + 1} ({role})"
            raise ModelError(reason, "leave that message out, or say it in a message of the user")
    return rendered, tuple(_regions(rendered, pieces[0::2], order, chat))


def _rendered(tokenizer: Any, chat: Sequence[Message], answer: bool) -> str:
    messages = [{"role": role, "content": content} for role, content in chat]
    try:
        return apply_template(tokenizer, messages, add_generation_prompt=answer)
    except ModelError:
        raise
    except Exception as error:
        # A template is a program that came with the model: it refuses by raising whatever it likes.
        reason = f"its chat template refuses these messages ({' '.join(str(error).split())})"
        raise ModelError(reason, "check which roles it knows, and in which order") from error


def _regions(
    rendered: str, own: Sequence[str], order: Sequence[int], chat: Sequence[Message]
) -> Iterator[Region]:
    """Find each message between the template's `own` words, which stand before, between and after them."""
    begins = [sum(len(content) + 1 for _, content in chat[:number]) for number in range(len(chat))]
    place = len(own[0])
    if not rendered.startswith(own[0]):
        raise _lost()
    for number, after in zip(order, own[1:], strict=True):
        content = chat[number][1]
        last = number == order[-1]
        found = _verbatim(rendered, place, content, after, last)
        if found is not None:
            begin = begins[number] + found[0]
            said = (begin, begin + found[1])
            end = place + found[1]
        else:
            said = None
            end = len(rendered) - len(after) if last else rendered.find(after or "\0", place)
            if end < place or not rendered.startswith(after, end):
                raise _lost()
        yield Region(number, (place, end), said)
        place = end + len(after)


def _verbatim(rendered: str, place: int, content: str, after: str, last: bool) -> tuple[int, int] | None:
    """Where in a message the words at `place` begin, and their length: all of it, or without outer blanks."""
    for said in (content, content.rstrip(), content.lstrip(), content.strip()):
        end = place + len(said) + len(after)
        if rendered.startswith(said + after, place) and (not last or end == len(rendered)):
            return content.index(said), len(said)
    return None


def _lost() -> ModelError:
    reason = "its chat template does not show where the messages begin and end"
    return ModelError(reason, "write the whole conversation as one `text`")
