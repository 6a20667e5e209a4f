"""LaTeX to MathML that holds nothing but mathematics."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

LONGEST = 4000
DEEPEST = 30

# Children that an element must have; latex2mathml leaves them out without a word.
_CHILDREN = {
    "mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3,
}  # fmt: skip
_TAGS = (
    _CHILDREN.keys()
    | {"math", "menclose", "merror", "mmultiscripts", "mpadded", "mphantom", "mrow", "mspace", "msqrt"}
    | {"mstyle", "mi", "mn", "mo", "ms", "mtext", "mtable", "mtr", "mtd", "mlabeledtr", "mprescripts", "none"}
)
# Of every element, of operators, of sizes and places, of tables.
_ATTRIBUTES = (
    {"display", "displaystyle", "mathvariant", "scriptlevel", "notation", "linethickness"}
    | {"accent", "accentunder", "fence", "form", "largeop", "lspace", "maxsize", "minsize", "movablelimits"}
    | {"rspace", "separator", "stretchy", "symmetric"}
    | {"width", "height", "depth", "voffset", "side"}
    | {"columnalign", "columnlines", "columnspacing", "frame", "rowalign", "rowlines", "rowspacing"}
)
_VALUE = re.compile(r"[A-Za-z0-9 .,%+\-]*")
_MATRICES = {"matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix"}
_ENVIRONMENTS = (
    _MATRICES
    | {f"{name}*" for name in _MATRICES}
    | {"smallmatrix", "array", "cases", "split", "align", "align*"}
)
# Commands that define others, or that reach from mathematics into the page.
_REFUSED = re.compile(
    r"\\(def|newcommand|renewcommand|newenvironment|DeclareMathOperator|href|style|class|cssId|unicode|require)"
    r"(?![A-Za-z])"
)


class MathError(ValueError):
    """LaTeX that cannot be drawn; the argument is the reason."""


def to_mathml(latex: str, block: bool) -> str:
    """MathML of a formula, with its LaTeX as alternative text. Raises `MathError`."""
    _check(latex)
    from latex2mathml.converter import convert_to_element

    display = "block" if block else "inline"
    try:
        root = convert_to_element(latex, display=display)
    except RecursionError:
        raise MathError("it nests too deeply") from None
    except Exception as error:  # latex2mathml leaks IndexError, KeyError and others for bad input
        raise MathError(_said(error)) from None
    parts = "".join("".join(_write(child)) for child in root)
    return f'<math display="{display}" alttext="{html.escape(" ".join(latex.split()))}">{parts}</math>'


def _check(latex: str) -> None:
    if not latex.strip():
        raise MathError("it is empty")
    if len(latex) > LONGEST:
        raise MathError(f"it is longer than {LONGEST} characters")
    depth = 0
    for match in re.finditer(r"\\.|[{}]", latex, re.S):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            raise MathError("a `}` closes nothing")
        if depth > DEEPEST:
            raise MathError("it nests too deeply")
    if depth:
        raise MathError("a `{` is not closed")
    if refused := _REFUSED.search(latex):
        raise MathError(f"`{refused[0]}` is not allowed in notes")
    opened = []
    for match in re.finditer(r"\\(begin|end)\s*\{([^}]*)\}", latex):
        if match[2] not in _ENVIRONMENTS:
            raise MathError(f"the environment `{match[2]}` is not known")
        if match[1] == "begin":
            opened.append(match[2])
        elif not opened or opened.pop() != match[2]:
            raise MathError(f"`{match[0]}` ends nothing that is open")
    if opened:
        raise MathError(f"`\\begin{{{opened[-1]}}}` is not ended")


def _said(error: Exception) -> str:
    """`MissingSuperScriptOrSubscriptError` as `missing super script or subscript`."""
    words = re.findall(r"[A-Z][a-z]+", type(error).__name__.removesuffix("Error"))
    named = type(error).__module__.startswith("latex2mathml")
    return " ".join(words).lower() if named and words else "it cannot be read"


def _write(element: Element) -> Iterator[str]:
    tag = element.tag.rpartition("}")[2]
    expected = _CHILDREN.get(tag)
    if expected is not None and len(element) != expected:
        raise MathError(f"a command lacks an argument (`{tag}` needs {expected})")
    text = html.unescape(element.text or "")
    if command := re.fullmatch(r"\\[A-Za-z]*", text) if tag in ("mi", "mo") else None:
        raise MathError(f"the command `{command[0]}` is not known")
    known = tag in _TAGS
    if known:
        yield f"<{tag}{_attributes(element)}>"
    yield html.escape(text, quote=False)
    for child in element:
        yield from _write(child)
        yield html.escape(html.unescape(child.tail or ""), quote=False)
    if known:
        yield f"</{tag}>"


def _attributes(element: Element) -> str:
    allowed = (
        (name, value)
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _VALUE.fullmatch(value)
    )
    return "".join(f' {name}="{value}"' for name, value in allowed)
