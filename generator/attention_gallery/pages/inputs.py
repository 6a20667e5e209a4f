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

    Special tokens before the first segment count to it, those after a segment to the one before them.
    """
    opened = [""] * len(tokens)
    if tokens.segments is None:
        return tuple(opened)
    last = -1
    for index, segment in enumerate(tokens.segments.tolist()):
        if segment >= 0 and segment != last:
            opened[0 if last < 0 else index] = tokens.segment_names[segment]
            last = segment
    return tuple(opened)
