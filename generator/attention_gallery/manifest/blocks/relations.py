"""Relations between words of a sentence: where their words stand, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attention_gallery.errors import did_you_mean
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.manifest.findings import Finding, KeyPath, entries
from attention_gallery.texts.words import Span, text_words

_MOST_LISTED = 8
_AROUND = 12


def check_relations(relations: Any, text: str, keys: KeyPath) -> Iterator[Finding]:
    """Reason, mend and place of everything wrong with the relations at `keys`.

    Values of a wrong type are told of by validation.
    """
    for n, relation in enumerate(entries(relations)):
        if not isinstance(relation, dict):
            continue
        kind = relation.get("kind")
        if isinstance(kind, str) and kind and not kind.strip(" /"):
            yield "the kind is empty", "name the relation, for example coreference", (*keys, n, "kind")
        sides: dict[str, Span] = {}
        for key in ("from", "to"):
            side = _side(relation.get(key), text, (*keys, n, key))
            if side is None:
                continue
            if isinstance(side[0], int):
                sides[key] = side
            else:
                yield side
        if len(sides) == 2 and _overlap(sides["from"], sides["to"]):
            mend = "a relation holds between two different words"
            yield "`from` and `to` share characters of the text", mend, (*keys, n, "to")


def absent(word: str, text: str, keys: KeyPath) -> Finding:
    """The finding of a word that does not stand in the text."""
    if not word.strip():
        return "the word is empty", "write a word of the text", keys
    words = dict.fromkeys(text[start:end] for start, end in text_words(text))
    exact = [other for other in words if other.casefold() == word.casefold()]
    if exact:
        return f'"{word}" does not stand in the text', f'did you mean "{exact[0]}"?', keys
    mend = did_you_mean(word, words)
    if not mend.startswith("did"):
        mend = "write a word just as it stands in the text"
    return f'"{word}" does not stand in the text', mend, keys


def _side(value: Any, text: str, keys: KeyPath) -> Span | Finding | None:
    """Where one side stands, or what is wrong with it; None for a value of a wrong type."""
    if isinstance(value, str):
        return _word(value, text, keys)
    if isinstance(value, tuple) and len(value) == 2 and all(type(number) is int for number in value):
        return _range(value[0], value[1], text, keys)
    return None


def _word(word: str, text: str, keys: KeyPath) -> Span | Finding:
    spans = occurrences(text, word.strip() and word)
    if not spans:
        return absent(word, text, keys)
    if len(spans) == 1:
        return spans[0]
    listed = "; ".join(
        f"at character {start + 1}: {_around(text, start, end)}" for start, end in spans[:_MOST_LISTED]
    )
    mend = (
        f"add a neighbouring word, so that it stands there once, or write the place instead, "
        f"such as [{spans[0][0]}, {spans[0][1]}] ({listed})"
    )
    return f'"{word}" stands {len(spans)} times in the text', mend, keys


def _range(start: int, end: int, text: str, keys: KeyPath) -> Span | Finding:
    written = f"[{start}, {end}]"
    if not 0 <= start < end:
        mend = "write where the word begins and where it ends, counted from 0; the end is not part of it"
        return f"{written} is no range of characters", mend, keys
    if end > len(text):
        return f"{written} reaches beyond the text", f"the text has {len(text)} characters", keys
    if not text[start:end].strip():
        return f"{written} holds no word of the text", f"around it stands: {_around(text, start, end)}", keys
    return start, end


def _around(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return " ".join(f"…{before}[{text[start:end]}]{after}…".split())


def _overlap(span: Span, other: Span) -> bool:
    return max(span[0], other[0]) < min(span[1], other[1])
