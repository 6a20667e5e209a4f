"""What a model was given to read, as pages show it: texts, segments, and what was left out."""

from __future__ import annotations

from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.pieces import TextPart
from attention_gallery.pages.words import count
from attention_gallery.records import Tokens


def texts_of(sentence: SentenceSpec) -> tuple[TextPart, ...]:
    """The texts of a sentence in the order in which they are read; the only one has no name."""
    if sentence.chat:
        parts = [TextPart(message.role.capitalize(), message.content) for message in sentence.chat]
    elif sentence.pair is not None:
        parts = [TextPart("First text", sentence.text), TextPart("Second text", sentence.pair)]
    else:
        parts = [TextPart("Text" if sentence.target else "", sentence.text)]
    if sentence.target is not None:
        parts.append(TextPart("Target", sentence.target))
    return tuple(parts)


def left_out(tokens: Tokens, sentence: SentenceSpec, context: int | None) -> str:
    """A sentence about the tokens that the model could not read, "" where it read them all."""
    if not tokens.left_out:
        return ""
    number = count(tokens.left_out, "token")
    one = tokens.left_out == 1
    verb = "was" if one else "were"
    reads = "" if context is None else f": the model reads {context:,}"
    if sentence.pair is not None:
        return f"{number} at the ends of the texts {verb} left out{reads}."
    kind = "chat" if sentence.chat else "text"
    return f"The last {'token' if one else number} of the {kind} {verb} left out{reads}."


def opened_segments(tokens: Tokens) -> tuple[str, ...]:
    """For each token the name of the segment that begins with it, else "".

    Special tokens before the first segment count to it. Those between two segments count to the first of the
    two, up to a token that also stands before the first segment: there a template opens the next message.
    """
    opened = [""] * len(tokens)
    if tokens.segments is None:
        return tuple(opened)
    ids = tokens.ids.tolist()
    begins = _beginnings(tokens.segments.tolist())
    before = ids[: begins[0][1]] if begins else []
    between = {number for free, start, _ in begins[1:] for number in ids[free:start]}
    opener = next((number for number in before if number in between), None)
    for free, start, segment in begins:
        marks = [index for index in range(free, start) if ids[index] == opener]
        place = 0 if free == 0 else marks[-1] if marks else start
        opened[place] = tokens.segment_names[segment]
    return tuple(opened)


def _beginnings(segments: list[int]) -> list[tuple[int, int, int]]:
    """For each segment: where the special tokens before it begin, where it begins itself, and its number."""
    found = []
    last, free = -1, 0
    for index, segment in enumerate(segments):
        if segment >= 0:
            if segment != last:
                found.append((free, index, segment))
            last, free = segment, index + 1
    return found
