"""Turn what a model is given into tokens that people can read, with their places, words and segments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attention_gallery.capturing.reading.bytewise import plain_names
from attention_gallery.capturing.reading.chats import render_chat
from attention_gallery.capturing.reading.limits import check_tokens
from attention_gallery.capturing.reading.quoted import Region
from attention_gallery.capturing.reading.spans import labels, pieces_of, placed, uncovered
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import TextInput, Tokens
from attention_gallery.texts.reading import text_starts
from attention_gallery.texts.words import Span

PAIR = ("first", "second")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a tokenizer made of a text: a value for each token.

    `added` are the tokens that stand for no text. `sources` tells which text a token comes from (0 or 1, -1
    for added ones), `spans` where it stands there; None without a fast tokenizer.
    """

    ids: list[int]
    names: list[str]
    added: list[bool]
    sources: list[int]
    spans: list[Span] | None
    word_ids: list[int | None]

    def take(self, indices: Sequence[int]) -> _Reading:
        """The same for some of the tokens only."""
        spans = None if self.spans is None else [self.spans[index] for index in indices]
        ids, names, added, sources, word_ids = (
            [values[index] for index in indices]
            for values in (self.ids, self.names, self.added, self.sources, self.word_ids)
        )
        return _Reading(ids, names, added, sources, spans, word_ids)  # type: ignore[arg-type]


def tokenise(tokenizer: Any, text_input: TextInput, limit: int | None = None) -> Tokens:
    """The tokens of a text, a pair of texts or a chat, in the model's order, never padded.

    Special tokens are those that stand for nothing the author wrote: what the tokenizer adds, and all that
    the template of a chat puts around its messages. Offsets are half-open ranges of code points of
    `text_input.joined`, and (n, n) where a token stands for none of it, n being the end of what came before.
    Without a fast tokenizer, offsets and words are None. Segments are the two texts of a pair, or the
    messages of a chat named by their roles. `text_input.target` is not read.

    With `text_input.truncate` no more than `limit` tokens are kept: the end of the text goes, of a pair first
    that of the longer one, and the tokens that the tokenizer adds stay.

    Raises `ModelError`, without a place, for a chat that the tokenizer cannot write.
    """
    limit = limit if text_input.truncate else None
    with quiet_libraries():
        if text_input.chat:
            return _chat(tokenizer, text_input, limit)
        reading = _read(tokenizer, text_input.text, text_input.pair)
    reading, left_out = _cut(reading, limit)
    shift = [start for start, _ in text_starts(text_input.texts)]
    spans = None
    if reading.spans is not None:
        spans = [
            (start + shift[source], end + shift[source])
            for (start, end), source in zip(reading.spans, reading.sources, strict=True)
        ]
    reading = replace(reading, spans=spans)
    tokens = _assembled(tokenizer, text_input.joined, reading, reading.added)
    if text_input.pair is not None:
        tokens = replace(tokens, segments=np.array(reading.sources, np.int32), segment_names=PAIR)
    return replace(tokens, left_out=left_out, unread=_unread(text_input.joined, tokens))


def _read(tokenizer: Any, text: str, pair: str | None = None, *, complete: bool = True) -> _Reading:
    """All tokens of a text or pair, with the special ones that the model expects where `complete`."""
    fast = bool(getattr(tokenizer, "is_fast", False))
    check_tokens(tokenizer, text, pair)
    second = {} if pair is None else {"text_pair": pair}
    encoded = tokenizer(
        text,
        **second,
        add_special_tokens=complete,
        return_offsets_mapping=fast,
        return_special_tokens_mask=True,
        truncation=False,
        padding=False,
    )
    ids = [int(number) for number in encoded["input_ids"]]
    added = [bool(flag) for flag in encoded["special_tokens_mask"]]
    names = [str(name) for name in tokenizer.convert_ids_to_tokens(ids)]
    if fast:
        spans = [(int(start), int(end)) for start, end in encoded["offset_mapping"]]
        word_ids = list(encoded.word_ids())
        belongs = encoded.sequence_ids()
        sources = [-1 if extra else sequence or 0 for sequence, extra in zip(belongs, added, strict=True)]
        return _Reading(ids, names, added, sources, spans, word_ids)
    # The tokens of the first text come first, and as many as it has alone.
    own = len(tokenizer(text, add_special_tokens=False)["input_ids"]) if pair is not None else len(ids)
    sources = []
    for extra in added:
        sources.append(-1 if extra else int(sum(source >= 0 for source in sources) >= own))
    return _Reading(ids, names, added, sources, None, [None] * len(ids))


def _cut(reading: _Reading, limit: int | None) -> tuple[_Reading, int]:
    """The reading with at most `limit` tokens, and how many were left out."""
    total = len(reading.ids)
    if limit is None or total <= limit:
        return reading, 0
    room = _shared(reading.sources.count(0), reading.sources.count(1), limit - sum(reading.added))
    indices = []
    for index, source in enumerate(reading.sources):
        if source < 0 or room[source] > 0:
            indices.append(index)
        if source >= 0:
            room[source] -= 1
    return reading.take(indices), total - len(indices)


def _shared(first: int, second: int, room: int) -> list[int]:
    """How many tokens of two texts are kept: the longer one gives way until both are as long.

    As `truncation="longest_first"` of the tokenizers library shares them.
    """
    room = max(0, room)
    less, more = sorted((first, second))
    if less > room // 2:
        less, more = room // 2, room - room // 2
    else:
        more = min(more, room - less)
    return [more, less] if first > second else [less, more]


def _unknown(tokenizer: Any, reading: _Reading) -> list[bool]:
    """Which tokens stand for what the vocabulary lacks."""
    return [
        number == tokenizer.unk_token_id and not extra
        for number, extra in zip(reading.ids, reading.added, strict=True)
    ]


def _assembled(tokenizer: Any, text: str, reading: _Reading, special: list[bool]) -> Tokens:
    """Tokens with offsets into `text`; `special` are left out of words."""
    ids, flags = np.array(reading.ids, np.int64), np.array(special, bool)
    if reading.spans is None:
        joined = [name.startswith("##") for name in reading.names]
        return Tokens(
            ids, plain_names(tokenizer, reading.names, reading.added), flags, np.array(joined, bool)
        )
    pieces = pieces_of(tokenizer, reading.names, reading.added, _unknown(tokenizer, reading))
    spans = placed(text, reading.spans, pieces)
    divided = [
        n == 0 or number is None or number != reading.word_ids[n - 1]
        for n, number in enumerate(reading.word_ids)
    ]
    tokens = Tokens(
        ids=ids,
        texts=labels(text, spans, pieces),
        special=flags,
        continues=np.zeros(len(ids), bool),
        offsets=np.array(spans, np.int32).reshape(-1, 2),
        splits=np.array(divided, bool),
    )
    return tokens.worded(text)


def _chat(tokenizer: Any, text_input: TextInput, limit: int | None) -> Tokens:
    """The tokens of a chat. The template writes its special tokens itself, so that none are added to it."""
    text, regions = render_chat(
        tokenizer, text_input.chat, answer=text_input.generate > 0, options=dict(text_input.chat_options)
    )
    reading, left_out = _cut(_read(tokenizer, text, complete=False), limit)
    tokens = _assembled(tokenizer, text, reading, reading.added)
    if tokens.offsets is None:
        segments = _counted_segments(tokenizer, text, regions, len(reading.ids))
        offsets = None
    else:
        spans = [(start, end) for start, end in tokens.offsets.tolist()]
        segments = [_segment(span, regions) for span in spans]
        offsets = np.array(_in_messages(spans, segments, regions), np.int32).reshape(-1, 2)
    tokens = replace(
        tokens,
        special=np.array([segment < 0 for segment in segments], bool),
        offsets=offsets,
        segments=np.array(segments, np.int32),
        segment_names=tuple(role for role, _ in text_input.chat),
        left_out=left_out,
    )
    quoted = [region.said for region in regions if region.said is not None]
    return replace(tokens.worded(text_input.joined), unread=_unread(text_input.joined, tokens, quoted))


def _unread(text: str, tokens: Tokens, quoted: Sequence[Span] = ()) -> tuple[Span, ...]:
    """What can be seen of a text and no token stands for; without offsets, what is not in `quoted`."""
    if tokens.offsets is None:
        return uncovered(text, quoted) if quoted else ()
    return uncovered(text, [(start, end) for start, end in tokens.offsets[~tokens.special].tolist()])


def _segment(span: Span, regions: Sequence[Region]) -> int:
    """The message that a token shares a character with or stands inside of; -1 for the template's own."""
    start, end = span
    near = max(0, bisect_right(regions, start, key=lambda region: region.span[0]) - 1)
    for region in regions[near:]:
        first, last = region.span
        if max(start, first) < min(end, last) or first < start == end < last:
            return region.message
        if first >= end:
            break
    return -1


def _counted_segments(tokenizer: Any, text: str, regions: Sequence[Region], total: int) -> list[int]:
    """The message of each token by counting the tokens up to its beginning and end, without offsets."""
    segments = [-1] * total
    for region in regions:
        first, last = (len(_read(tokenizer, text[:end], complete=False).ids) for end in region.span)
        for index in range(first, min(last, total)):
            segments[index] = region.message
    return segments


def _in_messages(spans: Sequence[Span], segments: Sequence[int], regions: Sequence[Region]) -> list[Span]:
    """Ranges of a rendered chat as ranges of its joined messages."""
    moved: list[Span] = []
    end = 0
    for (start, stop), segment in zip(spans, segments, strict=True):
        near = max(0, bisect_right(regions, start, key=lambda region: region.span[0]) - 1)
        spoken: list[Span] = []
        for region in regions[near:]:
            if region.span[0] >= max(stop, start + 1):
                break
            if segment == region.message and region.said is not None and start <= region.span[1]:
                spoken.append(_moved((start, stop), region, region.said))
        if spoken:
            end = max(last for _, last in spoken)
        moved.append((min(first for first, _ in spoken), end) if spoken else (end, end))
    return moved


def _moved(span: Span, region: Region, spoken: Span) -> Span:
    """What a range says of a message; all of the region where the template wrote it in another length."""
    if not region.is_verbatim:
        return spoken
    shift = spoken[0] - region.span[0]
    return max(span[0] + shift, spoken[0]), min(span[1] + shift, spoken[1])
