"""`name("text", 3, option=true)` read by hand: a name and literals, nothing that could be evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass

from attention_gallery.notes.target import ExplainedError

Value = str | int | float | bool

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?![\w.])")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.|\n)*)"|\'((?:[^\'\\\n]|\\.|\n)*)\'')
_ESCAPED = re.compile(r"\\(.)", re.S)
_WORDS: dict[str, Value] = {"true": True, "false": False}
_CURLY = "“”„‟‘’‚‛«»"
_SPACE = re.compile(r"\s*")

EXAMPLE = 'write {{ weight("model/sentence/L3H1", "it", "cat") }}'


@dataclass(frozen=True, slots=True)
class Literal:
    """A value and where it begins in the text that was read."""

    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A name with its arguments in order and its options by name. `at` is where the name begins."""

    name: str
    at: int
    arguments: tuple[Literal, ...]
    options: dict[str, Literal]


class CallError(ExplainedError):
    """The text is no call. `at` is the place that cannot be read, counted from its beginning."""

    def __init__(self, reason: str, mend: str, at: int) -> None:
        super().__init__(reason, mend)
        self.at = at


def parse_call(text: str) -> Call:
    """The call that a text consists of. Raises `CallError`."""
    return _Reader(text).call()


class _Reader:
    """Reads a text from left to right; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def call(self) -> Call:
        self._skip()
        begin = self.at
        name = self._take(_NAME)
        if name is None:
            raise CallError("a live value begins with a name", EXAMPLE, self.at)
        if not self._sign("("):
            raise CallError(f'"(" is missing after "{name}"', EXAMPLE, self.at)
        arguments: list[Literal] = []
        options: dict[str, Literal] = {}
        while not self._sign(")"):
            self._argument(arguments, options)
            if not self._sign(",") and not self._ahead(")"):
                mend = "put a comma between two arguments, and `)` after the last"
                raise CallError(f"{self._rest()} cannot stand here", mend, self.at)
        if not self._ahead(""):
            raise CallError(f"{self._rest()} stands behind the call", "remove it", self.at)
        return Call(name, begin, tuple(arguments), options)

    def _argument(self, arguments: list[Literal], options: dict[str, Literal]) -> None:
        self._skip()
        begin = self.at
        name = self._take(_NAME)
        if name is not None and self._sign("="):
            if name in options:
                raise CallError(f'the option "{name}" is given twice', "keep one", begin)
            self._skip()
            options[name] = self._literal()
            return
        self.at = begin
        literal = self._literal()
        if options:
            raise CallError("an argument stands after an option", "write options last", begin)
        arguments.append(literal)

    def _literal(self) -> Literal:
        begin = self.at
        if match := _STRING.match(self.text, begin):
            self.at = match.end()
            raw = match[1] if match[1] is not None else match[2]
            return Literal(_ESCAPED.sub(r"\1", raw), begin)
        if match := _NUMBER.match(self.text, begin):
            self.at = match.end()
            return Literal(float(match[0]) if "." in match[0] else int(match[0]), begin)
        word = self._take(_NAME)
        if word in _WORDS:
            return Literal(_WORDS[word], begin)
        self.at = begin
        raise CallError(*self._no_literal(word), begin)

    def _no_literal(self, word: str | None) -> tuple[str, str]:
        mark = self.text[self.at : self.at + 1]
        if mark and mark in _CURLY:
            return f"`{mark}` is a typographic quotation mark", 'write straight ones: "it"'
        if mark in ('"', "'"):
            return "this text is not closed", f"end it with `{mark}`"
        if word is not None:
            return f"`{word}` is neither a text nor a number", f'put it in quotes: "{word}"'
        return f"{self._rest()} cannot stand here", "write a text in quotes, a number, true or false"

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[0]

    def _skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _ahead(self, sign: str) -> bool:
        """Whether a sign comes next; "" is the end."""
        self._skip()
        return self.text.startswith(sign, self.at) if sign else self.at == len(self.text)

    def _sign(self, sign: str) -> bool:
        matches = self._ahead(sign)
        self.at += len(sign) if matches else 0
        return matches

    def _rest(self) -> str:
        rest = self.text[self.at :].split("\n")[0].strip()
        return f"`{rest[:20]}`" if rest else "the end"
