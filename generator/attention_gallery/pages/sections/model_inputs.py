"""What a model was given to read, as pages show it: texts, segments, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from attention_gallery.evidence.wording import count, listed, shortened
from attention_gallery.figures.describe import isolated
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.contexts.shared import TextPart
from attention_gallery.records import Tokens
from attention_gallery.texts.words import Span

# How many stretches of a text are quoted in a sentence about them.
_QUOTED = 3


def texts_of(
    sentence: SentenceSpec, unread: Sequence[Span] = (), target_unread: Sequence[Span] = ()
) -> tuple[TextPart, ...]:
    """The texts of a sentence in the order in which they are read; the only one has no name.

    `unread` are ranges of `sentence.joined`, `target_unread` of its target.
    """
    if sentence.chat:
        texts = [(message.role.capitalize(), message.content) for message in sentence.chat]
    elif sentence.pair is not None:
        texts = [("First text", sentence.text), ("Second text", sentence.pair)]
    else:
        texts = [("Text" if sentence.target else "", sentence.text)]
    parts, begin = [], 0
    for name, text in texts:
        parts.append(TextPart(name, text, _pieces(text, begin, unread)))
        # Texts are joined by a line feed.
        begin += len(text) + 1
    if sentence.target is not None:
        parts.append(TextPart("Target", sentence.target, _pieces(sentence.target, 0, target_unread)))
    return tuple(parts)


def _pieces(text: str, begin: int, unread: Sequence[Span]) -> tuple[tuple[str, bool], ...]:
    """A text that begins at `begin` in stretches, each with whether it was read."""
    pieces, free = [], 0
    for first, last in unread:
        start, end = max(0, first - begin), min(len(text), last - begin)
        if start < end:
            pieces += [(text[free:start], True), (text[start:end], False)]
            free = end
    return tuple((piece, read) for piece, read in [*pieces, (text[free:], True)] if piece)


def dropped(tokens: Tokens) -> tuple[Span, ...]:
    """What the model was not given of a text, but for what was cut off because the context is too short."""
    if not tokens.left_out or tokens.offsets is None:
        return tokens.unread
    end = int(tokens.offsets[:, 1].max(initial=0))
    return tuple(span for span in tokens.unread if span[0] < end) if tokens.segments is None else ()


def quoted_spans(text: str, spans: Sequence[Span]) -> str:
    """Stretches of a text in quotation marks, long ones shortened and no more than three of them."""
    quoted = [f"“{isolated(shortened(text[start:end], 60))}”" for start, end in spans[:_QUOTED]]
    more = len(spans) - _QUOTED
    return listed([*quoted, f"{more} more"] if more > 0 else quoted)


def reading_gaps(tokens: Tokens, text: str, sentence: SentenceSpec, context: int | None) -> str:
    """Sentences about what the model did not read of `text`, that of `tokens`; "" where it read it all."""
    spans = dropped(tokens)
    sentences = [left_out(tokens, sentence, context)]
    if spans:
        sentences.append(f"Not read: {quoted_spans(text, spans)}. {why_dropped(sentence)}.")
    return " ".join(filter(None, sentences))


def why_dropped(sentence: SentenceSpec) -> str:
    """Why a model was not given something of a sentence."""
    if sentence.chat:
        return "The model's chat template leaves it out or writes it otherwise"
    return "The model's tokenizer has no token for it"


def left_out(tokens: Tokens, sentence: SentenceSpec, context: int | None) -> str:
    """A sentence about the tokens that the model could not read, "" where it read them all."""
    if not tokens.left_out:
        return ""
    number = count(tokens.left_out, "token")
    single = tokens.left_out == 1
    verb = "was" if single else "were"
    reads = "" if context is None else f": the model reads {context:,}"
    if sentence.pair is not None:
        return f"{number} at the ends of the texts {verb} left out{reads}."
    kind = "chat" if sentence.chat else "text"
    return f"The last {'token' if single else number} of the {kind} {verb} left out{reads}."


def opened_segments(tokens: Tokens) -> tuple[str, ...]:
    """For each token the name of the segment that begins with it, else "".

    Special tokens before the first segment count to it. Those between two segments count to the first of the
    two, up to a token that also stands before the first segment: there a template opens the next message.
    """
    opened = [""] * len(tokens)
    if tokens.segments is None:
        return tuple(opened)
    ids = tokens.ids.tolist()
    # Each model has a template of its own: what opens a message is known by standing before the first, too.
    begins = _beginnings(tokens.segments.tolist())
    before = ids[: begins[0][1]] if begins else []
    between = {number for free, start, _ in begins[1:] for number in ids[free:start]}
    opener = next((number for number in before if number in between), None)
    for free, start, segment in begins:
        marks = [index for index in range(free, start) if ids[index] == opener]
        opening = 0 if free == 0 else marks[-1] if marks else start
        opened[opening] = tokens.segment_names[segment]
    return tuple(opened)


def _beginnings(segments: list[int]) -> list[tuple[int, int, int]]:
    """For each segment: where the special tokens before it begin, where it begins itself, and its number."""
    beginnings = []
    last, free = -1, 0
    for index, segment in enumerate(segments):
        if segment >= 0:
            if segment != last:
                beginnings.append((free, index, segment))
            last, free = segment, index + 1
    return beginnings
