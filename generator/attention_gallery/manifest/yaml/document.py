"""A YAML file as plain data in which every value still knows its line, column and original spelling.

Notes use it for their front matter, too, with the line at which it begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from attention_gallery.errors import Problem
from attention_gallery.manifest.yaml.nodes import Node, YamlError, compose, split_lines

KeyPath = tuple[str | int, ...]

MOST_REPEATED = 10_000
# A carriage return ends a line in a file; in a text it only comes from an escape.
_RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SAFE = yaml.constructor.SafeConstructor()
# Characters that neither HTML nor XML can hold; tab and line feed are fine.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_READS_AS = {
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
    "null": "nothing",
}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file: 1-based line and column, and the line itself."""

    line: int
    column: int
    quote: str

    def problem(self, reason: str, mend: str, file: Path | None = None) -> Problem:
        """What is wrong at this place."""
        return Problem(reason, mend, file, self.line, self.column, self.quote)


class Unusable:
    """Stands for a value that was already reported, or that no field accepts."""


@dataclass(slots=True)
class Document:
    """Plain data (`dict`, `tuple`, `str`, `bool`, `int`, `float`, `None`) and the nodes that it came from."""

    lines: list[str]
    data: Any = None
    keys: dict[KeyPath, Node] = field(default_factory=dict)
    values: dict[KeyPath, Node] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    repeated: int = 0

    def position(self, *path: str | int) -> Position:
        """Where a value stands: a scalar at its own place, a block at its key; else the nearest parent."""
        for end in range(len(path), -1, -1):
            key, value = self.keys.get(path[:end]), self.values.get(path[:end])
            if value is None:
                continue
            block = not isinstance(value.value, str) or (value.kind == "null" and not value.value)
            return self.at(key if key is not None and block else value)
        return Position(1, 1, self.lines[0])

    def move(self, old: KeyPath, new: KeyPath) -> None:
        """What stands below `old` is found below `new`, too, where the place that was written is kept."""
        for nodes in (self.keys, self.values):
            below = [path for path in nodes if len(path) > len(old) and path[: len(old)] == old]
            nodes.update({(*new, *path[len(old) :]): nodes[path] for path in below})

    def at(self, node: Node) -> Position:
        """The position of a node."""
        quote = self.lines[node.line - 1] if node.line <= len(self.lines) else ""
        return Position(node.line, node.column, quote)

    def report(self, reason: str, mend: str, node: Node) -> None:
        """Note a problem at a node."""
        self.problems.append(self.at(node).problem(reason, mend))


def read_document(text: str) -> Document:
    """Parse one YAML document. Problems that do not stop the reading are in `problems`, without a file.

    Raises `YamlError` where the text is not YAML, nests too deeply, or repeats too much through aliases.
    """
    lines = split_lines(text)
    if control := _RAW.search(text):
        before = split_lines(text[: control.start()])
        reason = f"the file contains the control character U+{ord(control[0]):04X}"
        raise YamlError(reason, "remove it", len(before), len(before[-1]) + 1)
    document = Document(lines)
    root = compose(text)
    if root is not None:
        document.data = _build(document, root, ())
    return document


def _build(document: Document, node: Node, path: KeyPath, repeating: bool = False) -> Any:
    if node.alias is not None and not repeating:
        repeating = True
        document.repeated += node.size
        if document.repeated > MOST_REPEATED:
            reason = f"aliases such as `*{node.alias}` repeat more than {MOST_REPEATED} values"
            raise YamlError(reason, "write the values out", node.line, node.column)
    document.values[path] = node
    if node.kind == "map":
        return _mapping(document, node, path, repeating)
    if node.kind == "seq":
        return tuple(_build(document, item, (*path, i), repeating) for i, item in enumerate(node.value))
    return _scalar(document, node)


def _mapping(document: Document, node: Node, path: KeyPath, repeating: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in node.value:
        name = _key(document, key)
        if name is None:
            continue
        keys = (*path, name)
        if name in result:
            first = document.keys[keys].line
            reason = f'the key "{name}" stands here twice; the first is in line {first}'
            document.report(reason, "keep one", key)
            continue
        document.keys[keys] = key
        result[name] = _build(document, value, keys, repeating)
    return result


def _key(document: Document, key: Node) -> str | None:
    if key.kind == "merge":
        document.report("merge keys (`<<`) are not used in galleries", "write the values out", key)
    elif key.kind in {"str", "value"} and isinstance(key.value, str):
        if not CONTROL.search(key.value):
            return key.value
        document.report("the key contains a control character", "remove it", key)
    elif key.kind in _READS_AS:
        mend = f'put it in quotes: "{key.value}"' if key.value else "write a name before the colon"
        reason = f"YAML reads the key `{key.value}` as {_READS_AS[key.kind]}, not as a name"
        document.report(reason, mend, key)
    else:
        mend = "text that begins with `[`, `{` or `?` needs quotes"
        document.report("a key must be a plain name", mend, key)
    return None


def _scalar(document: Document, node: Node) -> Any:
    text = node.value
    if node.kind in {"str", "value", "merge"} and isinstance(text, str):
        if control := CONTROL.search(text):
            reason = f"the text contains the control character U+{ord(control[0]):04X}"
            document.report(reason, "remove it", node)
            return Unusable()
        # The line feed that ends a block scalar is a matter of YAML, not of the text.
        return text.removesuffix("\n") if node.style in {"|", ">"} else text
    if node.kind == "null":
        return None
    if node.kind == "timestamp":
        return Unusable()
    if node.kind in {"bool", "int", "float"} and isinstance(text, str):
        return _number(document, node)
    tag = node.kind if node.kind.startswith("!") else f"!!{node.kind}"
    mend = "text that begins with `!` needs quotes"
    document.report(f"the tag `{tag}` is not used in galleries", mend, node)
    return Unusable()


def _number(document: Document, node: Node) -> Any:
    scalar = yaml.ScalarNode(f"tag:yaml.org,2002:{node.kind}", node.value)
    try:
        return _SAFE.yaml_constructors[scalar.tag](_SAFE, scalar)
    except (ValueError, KeyError, OverflowError, IndexError):
        reason = f"`{node.value[:40]}` cannot be read as {_READS_AS[node.kind]}"
        document.report(reason, "put it in quotes", node)
        return Unusable()


def surprise(node: Node, value: Any) -> tuple[str, str] | None:
    """Why YAML does not see a text in this scalar, and the mend; None where it does.

    `value` is what the scalar was read as.
    """
    if not isinstance(node.value, str) or node.kind not in _READS_AS:
        return None
    spelt = node.value
    if node.kind == "null" and not spelt:
        return "nothing follows the colon", "write a value, or remove the key"
    reading = {
        "bool": f"the boolean {str(value).lower()}",
        "int": f"the number {value}" if isinstance(value, int) and abs(value) < 10**30 else "a number",
        "float": f"the number {value}",
        "timestamp": "a date",
        "null": "nothing",
    }[node.kind]
    return f"YAML reads `{spelt}` as {reading}, not as text", f'put it in quotes: "{spelt}"'
