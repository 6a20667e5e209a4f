"""Relations between words of a sentence: where their words stand, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attention_gallery.errors import Problem, did_you_mean
from attention_gallery.manifest.blocks.words import occurrences
from attention_gallery.manifest.yaml.document import Document
from attention_gallery.texts.words import Span, text_words

Place = tuple[str | int, ...]
Finding = tuple[str, str, Place]

_MOST_LISTED = 8
_AROUND = 12


def placed(findings: Iterable[Finding], document: Document) -> list[Problem]:
    """The findings as problems at their places in the document, without a file."""
    problems = []
    for reason, mend, keys in findings:
        place = document.position(*keys)
        problems.append(Problem(reason, mend, line=place.line, column=place.column, quote=place.quote))
    return problems


def check_relations(relations: Any, text: str, place: Place) -> Iterator[Finding]:
    """Reason, mend and place of everything wrong with the relations at `place`.

    Values of a wrong type are told of by validation.
    """
    for n, relation in enumerate(relations if isinstance(relations, tuple) else ()):
        if not isinstance(relation, dict):
            continue
        kind = relation.get("kind")
        if isinstance(kind, str) and kind and not kind.strip(" /"):
            yield "the kind is empty", "name the relation, for example coreference", (*place, n, "kind")
        sides: dict[str, Span] = {}
        for key in ("from", "to"):
            found = _side(relation.get(key), text, (*place, n, key))
            if found is None:
                continue
            if isinstance(found[0], int):
                sides[key] = found
            else:
                yield found
        if len(sides) == 2 and _overlap(sides["from"], sides["to"]):
            mend = "a relation holds between two different words"
            yield "`from` and `to` share characters of the text", mend, (*place, n, "to")


def absent(word: str, text: str, place: Place) -> Finding:
    """The finding of a word that does not stand in the text."""
    if not word.strip():
        return "the word is empty", "write a word of the text", place
    words = dict.fromkeys(text[start:end] for start, end in text_words(text))
    exact = [other for other in words if other.casefold() == word.casefold()]
    if exact:
        return f'"{word}" does not stand in the text', f'did you mean "{exact[0]}"?', place
    mend = did_you_mean(word, words)
    if not mend.startswith("did"):
        mend = "write a word just as it stands in the text"
    return f'"{word}" does not stand in the text', mend, place


def _side(value: Any, text: str, place: Place) -> Span | Finding | None:
    """Where one side stands, or what is wrong with it; None for a value of a wrong type."""
    if isinstance(value, str):
        return _word(value, text, place)
    if isinstance(value, tuple) and len(value) == 2 and all(type(number) is int for number in value):
        return _range(value[0], value[1], text, place)
    return None


def _word(word: str, text: str, place: Place) -> Span | Finding:
    found = occurrences(text, word.strip() and word)
    if not found:
        return absent(word, text, place)
    if len(found) == 1:
        return found[0]
    places = "; ".join(
        f"at character {start + 1}: {_around(text, start, end)}" for start, end in found[:_MOST_LISTED]
    )
    mend = (
        f"add a neighbouring word, so that it stands there once, or write the place instead, "
        f"such as [{found[0][0]}, {found[0][1]}] ({places})"
    )
    return f'"{word}" stands {len(found)} times in the text', mend, place


def _range(start: int, end: int, text: str, place: Place) -> Span | Finding:
    shown = f"[{start}, {end}]"
    if not 0 <= start < end:
        mend = "write where the word begins and where it ends, counted from 0; the end is not part of it"
        return f"{shown} is no range of characters", mend, place
    if end > len(text):
        return f"{shown} reaches beyond the text", f"the text has {len(text)} characters", place
    if not text[start:end].strip():
        return f"{shown} holds no word of the text", f"around it stands: {_around(text, start, end)}", place
    return start, end


def _around(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return " ".join(f"…{before}[{text[start:end]}]{after}…".split())


def _overlap(one: Span, other: Span) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])
