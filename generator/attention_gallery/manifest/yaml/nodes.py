"""YAML text to a tree of nodes that know their place, without ever recursing deeper than a manifest can."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from attention_gallery.errors import Problem
from attention_gallery.manifest.yaml.yaml_mends import ANY, mend_of

DEEPEST = 40
_BREAKS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_PREFIX = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(Exception):
    """The text stops being YAML that can be used; nothing after this place can be trusted."""

    def __init__(self, reason: str, mend: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.mend, self.line, self.column = reason, mend, line, column

    def problem(self, lines: Sequence[str] = ()) -> Problem:
        """The same as a `Problem` that has no file yet, with its line where the text is of these `lines`."""
        quote = lines[self.line - 1] if self.line is not None and self.line <= len(lines) else None
        return Problem(self.reason, self.mend, line=self.line, column=self.column, quote=quote)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One scalar, list or mapping. `line` and `column` are 1-based; `kind` is a YAML tag without its prefix.

    `value` is the scalar's text as YAML folds it, a list of nodes, or a list of (key, value) pairs.
    """

    kind: str
    value: Any
    line: int
    column: int
    style: str | None = None
    alias: str | None = None
    size: int = field(default=1, repr=False)


def split_lines(text: str) -> list[str]:
    """The lines of a text, broken where YAML breaks them."""
    return _BREAKS.split(text)


def compose(text: str) -> Node | None:
    """The root node of the only document, or None for an empty one. Raises `YamlError`."""
    loader = _LOADER(text)
    try:
        return _Composer(loader).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    except yaml.reader.ReaderError:
        reason = "YAML does not allow a character of this file"
        raise YamlError(reason, "remove the control characters") from None
    finally:
        loader.dispose()


class _Composer:
    """Walks the events of one document; anchors are known from the end of their node on."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.anchors: dict[str, Node] = {}
        self.open: list[str] = []

    def document(self) -> Node | None:
        self.loader.get_event()
        if self.loader.check_event(yaml.StreamEndEvent):
            return None
        self.loader.get_event()
        root = self.node(0)
        self.loader.get_event()
        if not self.loader.check_event(yaml.StreamEndEvent):
            second = _place(self.loader.peek_event().start_mark)
            mend = "keep one document: remove the `---`"
            raise YamlError("a second YAML document begins here", mend, *second)
        return root

    def node(self, depth: int) -> Node:
        event = self.loader.get_event()
        line, column = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor, line, column)
        if depth > DEEPEST:
            raise YamlError("the values are nested too deeply", "no setting needs this depth", line, column)
        if event.anchor is not None:
            self.open.append(event.anchor)
        node = self.content(event, depth, line, column)
        if event.anchor is not None:
            self.open.pop()
            self.anchors[event.anchor] = node
        return node

    def content(self, event: Any, depth: int, line: int, column: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            tag = event.tag
            if tag is None or tag == "!":
                tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
            return Node(_kind(tag), event.value, line, column, event.style)
        children: list[Any] = []
        size = 1
        if isinstance(event, yaml.SequenceStartEvent):
            while not self.loader.check_event(yaml.SequenceEndEvent):
                children.append(item := self.node(depth + 1))
                size += item.size
            kind = "seq"
        else:
            while not self.loader.check_event(yaml.MappingEndEvent):
                children.append(pair := (self.node(depth + 1), self.node(depth + 1)))
                size += pair[0].size + pair[1].size
            kind = "map"
        self.loader.get_event()
        if event.tag not in (None, "!", _PREFIX + kind):
            kind = _kind(event.tag)
        return Node(kind, children, line, column, size=size)

    def alias(self, name: str | None, line: int, column: int) -> Node:
        name = name or ""
        if name in self.open:
            reason = f"`*{name}` stands inside the value that it repeats"
            raise YamlError(reason, "write the value out", line, column)
        if name not in self.anchors:
            mend = f"text that begins with `*` needs quotes; a repeated value is marked `&{name}` further up"
            raise YamlError(f"there is no anchor `&{name}` above", mend, line, column)
        return replace(self.anchors[name], line=line, column=column, alias=name)


def _kind(tag: str) -> str:
    return tag.removeprefix(_PREFIX)


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _syntax(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    complaint = error.problem or error.context or "it cannot be read"
    lines = split_lines(text)
    mend = mend_of(error, lines)
    if mend is None:
        return YamlError(f"this is not valid YAML: {complaint}", ANY)
    # The parser counts a line after the end of the text, which nobody can look at.
    line = None if mend.line is None else min(mend.line, len(lines))
    return YamlError(f"this is not valid YAML: {complaint}", mend.text, line, mend.column)
