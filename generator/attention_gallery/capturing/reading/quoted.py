"""Which words of its messages a chat template says, and where, also where it drops, moves or changes some.

The chat is written a second time with a private character in the place of every word. What stands between
these is the template's own, and where each of them stands the word stands in the chat itself.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from attention_gallery.errors import ModelError
from attention_gallery.texts.reading import joined_texts, text_starts
from attention_gallery.texts.words import Span

Message = tuple[str, str]
Write = Callable[[Sequence[Message]], str]
# Templates look for tags, such as </think>: they stay as they are, for the template to do the same again.
_TAG = re.compile(r"<[^<>\s]{1,40}>|\[[^\[\]\s]{1,40}\]")
# White space, also as JSON writes it.
_BLANKS_BEFORE, _BLANKS_AFTER = re.compile(r"\A(?:\s|\\[nrt])+"), re.compile(r"(?:\s|\\[nrt])+\Z")
_PLANES = (0xF0000, 0x100000)
_ROOM = 0xFFFE  # private characters in a plane
_PLACE = re.compile("([\U000f0000-\U000ffffd\U00100000-\U0010fffd])")


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the rendered chat that says what stands in a message.

    message: its number. span: a half-open range into the rendered text. said: the range into the joined
    messages that stands there, None where it is not known. Ranges of one length agree character by character.
    """

    message: int
    span: Span
    said: Span | None

    @property
    def is_verbatim(self) -> bool:
        """Whether the two ranges are of one length."""
        return self.said is not None and self.said[1] - self.said[0] == self.span[1] - self.span[0]


@dataclass(frozen=True, slots=True)
class _Word:
    """A run of characters without blanks and tags. `span` is its range of the joined messages.

    `before` and `after` are the ranges of the tags between it and the words before and after it.
    """

    message: int
    span: Span
    before: tuple[Span, ...]
    after: tuple[Span, ...]


def align_words(rendered: str, chat: Sequence[Message], write: Write) -> tuple[Region, ...] | None:
    """Where `rendered` says words of the messages, in order; None where that cannot be told.

    `write` makes the text of a chat, as `rendered` was made of this one.
    """
    text = joined_texts([content for _, content in chat])
    words = _words(chat)
    if len(words) > 2 * _ROOM:
        return None
    try:
        pieces = _PLACE.split(write(_marked(chat, words)))
    except ModelError:
        return None
    numbers = [_number(sign) for sign in pieces[1::2]]
    if len(set(numbers)) < len(numbers) or any(number >= len(words) for number in numbers):
        return None
    spoken = [words[number] for number in numbers]
    regions = _found(rendered, pieces[0::2], [(word.message, text[slice(*word.span)]) for word in spoken])
    if regions is None:
        return None
    placed = [
        Region(region.message, region.span, None if region.said is None else word.span)
        for region, word in zip(regions, spoken, strict=True)
    ]
    return tuple(_merged(rendered, text, list(_with_tags(rendered, text, placed, spoken))))


def _place(number: int) -> str:
    return chr(_PLANES[number // _ROOM] + number % _ROOM)


def _number(sign: str) -> int:
    plane = int(ord(sign) >= _PLANES[1])
    return ord(sign) - _PLANES[plane] + plane * _ROOM


def _words(chat: Sequence[Message]) -> list[_Word]:
    words: list[_Word] = []
    for number, (begin, content) in enumerate(text_starts([content for _, content in chat])):
        tags = [match.span() for match in _TAG.finditer(content)]
        edges = [0, *(edge for span in tags for edge in span), len(content)]
        runs = [
            (start + run.start(), start + run.end())
            for start, end in zip(edges[0::2], edges[1::2], strict=True)
            for run in re.finditer(r"\S+", content[start:end])
        ]
        # A message of tags alone is one word.
        runs = runs or [run.span() for run in re.finditer(r"\S(?:.*\S)?", content, re.S)]
        limits = [0, *(edge for run in runs for edge in run), len(content)]
        gaps = [
            tuple((begin + first, begin + last) for first, last in tags if start <= first and last <= end)
            for start, end in zip(limits[0::2], limits[1::2], strict=True)
        ]
        words += [
            _Word(number, (begin + start, begin + end), before, after)
            for (start, end), before, after in zip(runs, gaps[:-1], gaps[1:], strict=True)
        ]
    return words


def _marked(chat: Sequence[Message], words: Sequence[_Word]) -> list[Message]:
    """The chat with a private character in the place of each word."""
    marked: list[Message] = []
    begins = [begin for begin, _ in text_starts([content for _, content in chat])]
    number = 0
    for message, ((role, content), begin) in enumerate(zip(chat, begins, strict=True)):
        parts, end = [], 0
        while number < len(words) and words[number].message == message:
            first, last = words[number].span
            parts += [content[end : first - begin], _place(number)]
            end, number = last - begin, number + 1
        marked.append((role, "".join([*parts, content[end:]])))
    return marked


def _found(rendered: str, own: Sequence[str], words: Sequence[tuple[int, str]]) -> list[Region] | None:
    """Where each (message, word) stands between the template's `own` words.

    None where these do not stand there. `span` is empty where the word itself stands there, in some form.
    """
    end = len(own[0])
    if not rendered.startswith(own[0]):
        return None
    regions: list[Region] = []
    for (message, word), after in zip(words, own[1:], strict=True):
        last = len(regions) + 1 == len(words)
        stops = (end + len(form) for form in _forms(word) if rendered.startswith(form + after, end))
        stop = next((end for end in stops if not last or end + len(after) == len(rendered)), None)
        span = None if stop is None else (0, 0)
        if stop is None:
            stop = len(rendered) - len(after) if last else rendered.find(after or "\0", end)
            if stop < end or not rendered.startswith(after, stop):
                return None
        regions.append(Region(message, (end, stop), span))
        end = stop + len(after)
    return regions if end == len(rendered) else None


def _forms(word: str) -> Iterator[str]:
    """How templates write a word."""
    yield from (word, word.upper(), word.lower(), word.capitalize(), word.title(), html.escape(word))
    yield html.escape(word).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")  # as Jinja does it
    for only_ascii in (False, True):
        quoted = json.dumps(word, ensure_ascii=only_ascii)[1:-1]
        yield quoted
        # As Jinja's own filter of JSON writes signs of HTML.
        yield re.sub("[<>&']", lambda sign: f"\\u{ord(sign[0]):04x}", quoted)


def _with_tags(
    rendered: str, text: str, placed: Sequence[Region], words: Sequence[_Word]
) -> Iterator[Region]:
    """The words, and the tags of their messages that stand beside them as they do there."""
    free = claimed = 0
    for here, (region, word) in enumerate(zip(placed, words, strict=True)):
        if here and words[here - 1].message != word.message:
            claimed = 0
        regions, stop = [], region.span[0]
        for tag in reversed([tag for tag in word.before if tag[0] >= claimed]):
            end = free + len(_BLANKS_AFTER.sub("", rendered[free:stop]))
            forms = (form for form in _forms(text[slice(*tag)]) if rendered.endswith(form, free, end))
            if not (form := next(forms, "")):
                break
            stop = end - len(form)
            regions.append(Region(word.message, (stop, end), tag))
        yield from reversed(regions)
        yield region
        free, claimed = region.span[1], word.span[1]
        limit = placed[here + 1].span[0] if here + 1 < len(placed) else len(rendered)
        for tag in word.after:
            start = limit - len(_BLANKS_BEFORE.sub("", rendered[free:limit]))
            forms = (form for form in _forms(text[slice(*tag)]) if rendered.startswith(form, start, limit))
            if not (form := next(forms, "")):
                break
            free, claimed = start + len(form), tag[1]
            yield Region(word.message, (start, free), tag)


def _merged(rendered: str, text: str, regions: Sequence[Region]) -> Iterator[Region]:
    """Regions that follow each other in the chat as in their message as one, with what is between them."""
    last: Region | None = None
    for region in regions:
        if last is not None and last.message == region.message and _follow(rendered, text, last, region):
            assert last.said is not None
            assert region.said is not None
            region = Region(last.message, (last.span[0], region.span[1]), (last.said[0], region.said[1]))
        elif last is not None:
            yield last
        last = region
    if last is not None:
        yield last


def _follow(rendered: str, text: str, first: Region, second: Region) -> bool:
    if first.said is None or second.said is None or not (first.is_verbatim and second.is_verbatim):
        return False
    between = text[first.said[1] : second.said[0]] if first.said[1] <= second.said[0] else None
    return between == rendered[first.span[1] : second.span[0]]
