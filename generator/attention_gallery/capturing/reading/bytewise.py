"""Tokens of tokenizers without offsets, some of which give one token to each byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attention_gallery.capturing.reading.marks import NAMED_BYTE, plain_vocabulary
from attention_gallery.texts.readable import numbered, readable


def plain_names(tokenizer: Any, names: Sequence[str], added: Sequence[bool]) -> tuple[str, ...]:
    """What people read for each token, by its name in the vocabulary.

    Bytes that make up a character together are shown as that character, with a number for each: `é₁`, `é₂`.
    """
    labels = [name if extra else _plain(name) for name, extra in zip(names, added, strict=True)]
    for first, last in _runs(names, added):
        text = str(tokenizer.convert_tokens_to_string(list(names[first:last])))
        index = first
        for character in text if len(text.encode("utf-8", "replace")) == last - first else "":
            size = len(character.encode("utf-8", "replace"))
            for number in range(size):
                if size > 1:
                    labels[index + number] = numbered(readable(character), number + 1)
            index += size
    return tuple(labels)


def _plain(name: str) -> str:
    named = NAMED_BYTE.fullmatch(name)
    code = int(named[1], 16) if named else 0x80
    return readable(chr(code)) if code < 0x80 else plain_vocabulary(name)


def _runs(names: Sequence[str], added: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of tokens that may each be a byte beyond ASCII."""
    first = None
    for index, (name, extra) in enumerate(zip([*names, ""], [*added, True], strict=True)):
        named = NAMED_BYTE.fullmatch(name)
        high = not extra and (
            int(named[1], 16) > 0x7F if named else len(name) == 1 and "\x80" <= name <= "\xff"
        )
        if high and first is None:
            first = index
        elif not high and first is not None:
            yield first, index
            first = None
