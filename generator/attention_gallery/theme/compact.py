"""Scripts and styles without comments and indentation, which no browser needs.

Lines of scripts stay lines, as code may lean on their ends for semicolons. Comments that begin with `!` or
name a licence stay, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LICENCE = re.compile(r"/[*/](?:!|.*@(?:license|preserve)\b)", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<blank>\s+)|(?P<comment>//[^\n\r\u2028\u2029]*|/\*.*?(?:\*/|\Z))
    |(?P<value>"(?:[^"\\\n\r]|\\(?:\r\n|.))*"|'(?:[^'\\\n\r]|\\(?:\r\n|.))*'|\.?\d[\w.]*)
    |(?P<word>[\w$\u200c\u200d\\\#]+)|(?P<sign>\+\+|--|=>|.)""",
    re.DOTALL | re.VERBOSE,
)
_LINE_END = re.compile(r"[\n\r\u2028\u2029]")
_TEMPLATE = re.compile(r"[`}](?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
_REGULAR = re.compile(r"/(?:[^\\/\[\n\r\u2028\u2029]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+/[\w$]*")
# Words that a value follows, and not an operator.
_OPERATORS = frozenset(
    {"await", "case", "delete", "do", "else", "extends", "in", "instanceof", "new", "of", "return", "throw"}
    | {"typeof", "void", "yield"}
)
_CONDITIONS = frozenset({"if", "for", "while", "with"})
_STATEMENT_ENDS = frozenset({"", ";", "{", "}", ")", "=>"})
_STYLE = re.compile(
    r"""(?P<token>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|url\(\s*[^"'\s)][^)]*\)|\\[0-9a-fA-F]{1,6}\s?|\\.)
    |(?P<gap>(?:\s|/\*.*?\*/)+)""",
    re.DOTALL | re.VERBOSE,
)


def compact_script(source: str) -> str:
    """A script that does the same; as it is where a template or comment in it has no end."""
    pieces: list[str] = []
    gap = ""
    try:
        for kind, text in _Tokens(source):
            if kind == "blank" or (kind == "comment" and not _LICENCE.match(text)):
                gap = "\n" if gap == "\n" or _LINE_END.search(text) else " "
                continue
            if pieces:
                pieces.append(gap)
            pieces.append(text)
            gap = ""
    except EOFError:
        return source
    return "".join(pieces)


def compact_style(source: str) -> str:
    """A style sheet that says the same.

    A comment without blanks around it stays: it may hold two words apart.
    """

    def shorter(match: re.Match[str]) -> str:
        if match["token"] or _LICENCE.search(match[0]):
            return match[0]
        blanks = re.sub(r"/\*.*?\*/", "", match[0], flags=re.DOTALL)
        return "\n" if "\n" in blanks else " " if blanks else match[0]

    return _STYLE.sub(shorter, source).strip()


class _Tokens:
    """The tokens of a script as kind and text, blanks and comments among them.

    Whether a slash divides or begins a regular expression depends on what is before it. Raises `EOFError`
    in a template or comment that does not end.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._last = self._before_last = ""
        self._value_ended = False
        # By open bracket, whether a value has ended behind the closing one; None for `${` in a template.
        self._open: list[bool | None] = []

    def __iter__(self) -> Iterator[tuple[str, str]]:
        position = 0
        while match := _TOKEN.match(self._source, position):
            kind, text = str(match.lastgroup), match[0]
            if text.startswith("/*") and not text.endswith("*/"):
                raise EOFError
            if text in ("/", "`", "}"):
                kind, text = self._longer(kind, text, position)
            if kind not in ("blank", "comment"):
                self._value_ended = self._ends_value(kind, text)
                self._before_last, self._last = self._last, text
            position += len(text)
            yield kind, text

    def _longer(self, kind: str, text: str, position: int) -> tuple[str, str]:
        """A regular expression or a stretch of a template that begins here, or the token as it is."""
        if text == "/":
            match = None if self._value_ended else _REGULAR.match(self._source, position)
            return ("value", match[0]) if match else (kind, text)
        if text == "}" and (not self._open or self._open[-1] is not None):
            return kind, text
        match = _TEMPLATE.match(self._source, position)
        if match is None:
            raise EOFError
        if text == "}":
            self._open.pop()
        return "template", match[0]

    def _ends_value(self, kind: str, text: str) -> bool:
        if kind == "template" and text.endswith("${"):
            self._open.append(None)
            return False
        if kind in ("value", "template"):
            return True
        if kind == "word":
            return self._last == "." or text not in _OPERATORS
        if text in ("(", "[", "{"):
            self._open.append(self._closes_value(text))
            return False
        if text in (")", "]", "}"):
            return bool(self._open.pop()) if self._open else True
        return text in ("++", "--")

    def _closes_value(self, bracket: str) -> bool:
        if bracket == "(":
            return self._last not in _CONDITIONS or self._before_last == "."
        # A brace where a value is due begins an object, else a block.
        return bracket == "[" or not (self._value_ended or self._last in _STATEMENT_ENDS)
