"""Read a treebank in CoNLL-U: sentences with their words, where these stand in the text, and relations.

In CoNLL-U Plus a line `# global.columns = …` names the columns, of which there may be others, and fewer.
Every mistake is told with the line of the file. https://universaldependencies.org/format.html and
https://universaldependencies.org/ext-format.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_gallery.errors import ManifestError, Problem
from attention_gallery.files import cannot_read
from attention_gallery.manifest.yaml.document import CONTROL
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.texts.words import Span
from attention_gallery.user_files import read_user_file

if TYPE_CHECKING:
    from conllu.models import Token

LARGEST = 256 * 1024 * 1024
_LEFT_OUT = ("root", "punct")
_MOST_TOLD = 20
_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_NEEDED = ("ID", "FORM", "HEAD", "DEPREL")
_HEADER = re.compile(r"\s*#\s*global\.columns\s*=\s*(.*)")


@dataclass(frozen=True, slots=True)
class TreeSentence:
    """One sentence of a treebank.

    line: where it begins, from 1. words: half-open code-point ranges of `text`, in order. relations:
    (kind, dependent, head), the latter two as indices of words; the kind is without its subtype.
    """

    line: int
    quote: str
    sent_id: str
    text: str
    words: tuple[Span, ...]
    relations: tuple[tuple[str, int, int], ...]


class _Wrong(Exception):  # noqa: N818 - it names what was found, and never leaves this module
    """What is wrong with a line, and the mend."""

    def __init__(self, reason: str, mend: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.mend, self.line = reason, mend, line


def read_conllu(path: Path) -> list[TreeSentence]:
    """The sentences of a file. Raises `ManifestError` with everything that is wrong with it."""
    lines = _lines(path)
    sentences, problems = [], []
    headers = {number: header for number, line in enumerate(lines) if (header := _HEADER.fullmatch(line))}
    columns: tuple[str, ...] = _COLUMNS
    read = 0
    for first, last in _blocks(lines):
        try:
            for number in range(read, last):
                if number in headers:
                    columns = ()  # what follows columns that cannot be used is passed over
                    columns = _named(headers[number][1], number + 1)
            if columns:
                sentences.append(_sentence(lines, (first, last), columns))
        except _Wrong as wrong:
            quote = lines[wrong.line - 1]
            problems.append(Problem(wrong.reason, wrong.mend, path, wrong.line, quote=quote))
        read = last
    if problems:
        rest = len(problems) - _MOST_TOLD
        listed = problems[:_MOST_TOLD]
        if rest > 0:
            line = problems[_MOST_TOLD].line
            listed.append(Problem(f"here and below, {rest} more sentences cannot be used", "", path, line))
        raise ManifestError(listed)
    if not sentences:
        raise ManifestError(Problem("the file has no sentences", "write them in CoNLL-U", path))
    return sentences


def _lines(path: Path) -> list[str]:
    try:
        data = read_user_file(path, LARGEST)
        text = data.decode("utf-8").replace("\r\n", "\n")
        # Files that were put together may have a byte order mark each.
        return [line.removeprefix("\ufeff") for line in text.split("\n")]
    except UnicodeDecodeError as error:
        raise ManifestError(not_utf8(path, data, error)) from None
    except OSError as error:
        mend = "name a CoNLL-U file that can be read"
        raise ManifestError(cannot_read("the file cannot be read", error, mend, path)) from None


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """The first line and the line after the last of each sentence, from 0."""
    first = None
    for index, line in enumerate([*lines, ""]):
        if line.strip():
            first = index if first is None else first
        elif first is not None:
            if not all(map(_is_comment, lines[first:index])):
                yield first, index
            first = None


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _named(names: str, line: int) -> tuple[str, ...]:
    """The columns that a line names."""
    columns = tuple(names.split())
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        reason = f"the columns of this treebank have no {' and no '.join(missing)}"
        mend = "words, their heads and relations are read from ID, FORM, HEAD and DEPREL; name the columns so"
        raise _Wrong(reason, mend, line)
    for name in columns:
        if columns.count(name) > 1:
            raise _Wrong(f"the column {name} is named twice", "give each column a name of its own", line)
    return columns


def _sentence(lines: list[str], block: tuple[int, int], columns: tuple[str, ...]) -> TreeSentence:
    first, last = block
    for number in range(first, last):
        if control := CONTROL.search(lines[number].replace("\t", "")):
            reason = f"the line contains the control character U+{ord(control[0]):04X}"
            raise _Wrong(reason, "remove it", number + 1)
    nodes, comments = _parsed(lines, block, columns)
    text = str(comments.get("text") or "") or _spelt(nodes)
    words = _placed(nodes, text)
    return TreeSentence(
        line=first + 1,
        quote=lines[first],
        sent_id=str(comments.get("sent_id") or ""),
        text=text,
        words=tuple(dict.fromkeys(words.values())),
        relations=tuple(_relations(nodes, words)),
    )


_Nodes = list[tuple[int, "Token"]]


def _parsed(
    lines: list[str], block: tuple[int, int], columns: tuple[str, ...]
) -> tuple[_Nodes, dict[str, Any]]:
    """The nodes of a sentence, each with its line, and what its comments tell."""
    import conllu
    from conllu.exceptions import ParseException

    first, last = block
    mend = f"a word is a line of {len(columns)} columns with tabs between them: {' '.join(columns)}"
    fields = [name.lower() for name in columns]
    numbers = [number + 1 for number in range(first, last) if not _is_comment(lines[number])]
    for number in numbers:
        if (count := len(lines[number - 1].split("\t"))) != len(columns):
            reason = f"this is no line of CoNLL-U: it has {count} columns, not {len(columns)}"
            raise _Wrong(reason, mend, number)
    try:
        (tree,) = conllu.parse("\n".join(lines[first:last]) + "\n\n", fields=fields)
    except (ParseException, ValueError):
        for number in numbers:
            try:
                conllu.parse(lines[number - 1] + "\n\n", fields=fields)
            except (ParseException, ValueError) as error:  # a number can have too many digits to be one
                raise _Wrong(f"this is no line of CoNLL-U: {str(error)[:200]}", mend, number) from None
        raise _Wrong("this is no sentence of CoNLL-U", mend, first + 1) from None
    if len(tree) != len(numbers):
        raise _Wrong("this is no sentence of CoNLL-U", mend, first + 1)
    for number, node in zip(numbers, tree, strict=True):
        if not str(node["form"] or "").strip():
            raise _Wrong("the word has no form", "write it into the column FORM", number)
    return list(zip(numbers, tree, strict=True)), dict(tree.metadata)


def _surface(nodes: _Nodes) -> Iterator[tuple[int, Token, _Nodes]]:
    """What is written in the text: each multiword token with its words, and each word outside of them."""
    waiting = deque((line, node) for line, node in nodes if not _is_empty(node))
    while waiting:
        line, node = waiting.popleft()
        inner: _Nodes = []
        if _is_range(node):
            while waiting and not _is_range(waiting[0][1]) and waiting[0][1]["id"] <= node["id"][2]:
                inner.append(waiting.popleft())
        yield line, node, inner or [(line, node)]


def _is_range(node: Token) -> bool:
    return isinstance(node["id"], tuple) and node["id"][1] == "-"


def _is_empty(node: Token) -> bool:
    return isinstance(node["id"], tuple) and node["id"][1] == "."


def _spelt(nodes: _Nodes) -> str:
    """The text of a sentence whose comments do not tell it."""
    parts = []
    for _, node, _ in _surface(nodes):
        glued = (node.get("misc") or {}).get("SpaceAfter") == "No"
        parts.append(str(node["form"]) + ("" if glued else " "))
    return "".join(parts).strip()


def _placed(nodes: _Nodes, text: str) -> dict[int, Span]:
    """Where each word stands in the text, by its number.

    The words of a multiword token share its place where they are not spelt one after the other.
    """
    spans: dict[int, Span] = {}
    end = 0
    for line, node, inner in _surface(nodes):
        form = str(node["form"])
        start = text.find(form, end)
        if start < 0 or text[end:start].strip():
            beside = text[end : end + 20].strip()
            reason = f'"{form}" does not stand where it should in the text, before "{beside}"'
            raise _Wrong(reason, "`# text` and the words must be spelt alike", line)
        end = start + len(form)
        spelt = "".join(str(word["form"]) for _, word in inner) == form
        at = start
        for number, word in inner:
            if not isinstance(word["id"], int):
                mend = "a range such as 3-4 is followed by its words, 3 and 4"
                raise _Wrong("the range of this line holds no words", mend, number)
            if word["id"] != len(spans) + 1:
                reason = f"this word should have the number {len(spans) + 1}"
                raise _Wrong(reason, "number them in order", number)
            spans[word["id"]] = (at, at + len(str(word["form"]))) if spelt else (start, end)
            at += len(str(word["form"]))
    if text[end:].strip():
        reason = f'the text goes on after its last word: "{text[end:].strip()[:20]}"'
        raise _Wrong(reason, "`# text` and the words must be spelt alike", nodes[0][0])
    return spans


def _relations(nodes: _Nodes, spans: dict[int, Span]) -> Iterator[tuple[str, int, int]]:
    """The edges of the tree; those between words that share a place are left out."""
    order = {span: index for index, span in enumerate(dict.fromkeys(spans.values()))}
    for line, node in nodes:
        if not isinstance(node["id"], int):
            continue
        head, relation = node["head"], node["deprel"]
        if not isinstance(head, int) or not 0 <= head <= len(spans) or head == node["id"]:
            mend = f"write the number of another word, 1 to {len(spans)}, or 0 for the root"
            raise _Wrong(f"the head of this word is {_shown(head)}", mend, line)
        if not relation or relation == "_":
            raise _Wrong("this word has no relation to its head", "write it into the column DEPREL", line)
        kind = str(relation).partition(":")[0]
        if head and kind not in _LEFT_OUT and spans[head] != spans[node["id"]]:
            yield kind, order[spans[node["id"]]], order[spans[head]]


def _shown(value: object) -> str:
    return "missing" if value is None else str(value)[:40]
