"""Whatever is wrong with the YAML of a file, its line is told, and what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from attention_gallery.manifest.yaml.document import read_document
from attention_gallery.manifest.yaml.nodes import YamlError

INDENT = "check the indentation"
SPACE = "a key is followed by a colon and a space"
LOOK = "write the plain one"
MISTAKES = [
    ("title: x\nmodels:\n  - slug: a\n    source: b\n   title: c\n", 5, INDENT),
    ("title: x\n  lang: en\n", 2, INDENT),
    ("models:\n    - slug: a\n  - slug: b\n", 3, INDENT),
    ("models:\n  - slug: a\n    - slug: b\n", 3, INDENT),
    ("- a\nb: c\n", 2, INDENT),
    ("a: b\n- c\n", 2, INDENT),
    ("a:\n  - b\n  c: d\n", 3, INDENT),
    ("a:\n  b: c\n  - d\n", 3, INDENT),
    ("title: |\n  x\n y\n", 3, INDENT),
    ("models:\n\t- slug: a\n", 2, "does not allow tabs"),
    ("models:\n  - slug: a\n\tsource: b\n", 3, "does not allow tabs"),
    ("models:\n  -\tslug: a\n", 2, "does not allow tabs"),
    ("title:x\nlang: en\n", 1, f"{SPACE}: `title: …`"),
    ("lang: en\ntitle:x\n", 2, f"{SPACE}: `title: …`"),
    ("title\nlang: en\n", 1, SPACE),
    ("models:\n  - slug a\n    source: b\n", 2, SPACE),
    ("models:\n  -slug: a\n  - slug: b\n", 3, "`-` and a space"),
    ("models: - slug: a\n", 1, "begin a list in a new line"),
    ("title: - x\n", 1, "text that begins with `- ` needs quotes"),
    ("title: ? x\n", 1, "text that begins with `? ` needs quotes"),
    ("title: a: b\n", 1, 'a text that contains ": " needs quotes'),
    ('title: "x\nlang: en\n', 1, "is not closed"),
    ("lang: en\ntitle: 'x\n", 2, "is not closed"),
    ('title: "x" y\n', 1, "ends at its closing quote"),
    ("title: 'it's'\n", 1, "is written twice"),
    ("models: [a, b\nlang: en\n", 1, "is not closed"),
    ("models: {a: b\nlang: en\n", 1, "is not closed"),
    ("models: [a, b}\n", 1, "`[` ends with `]`"),
    ("models: [a]]\n", 1, "was not opened"),
    ("}\n", 1, "was not opened"),
    ('{"a" 1}\n', 1, "parted by commas"),
    ("models: [a,, b]\n", 1, "a value is missing"),
    (": x\n", 1, "a name before the colon"),
    ("title: @x\n", 1, "begins with `@` needs quotes"),
    ("title: %x\n", 1, "begins with `%` needs quotes"),
    ("title: *x\n", 1, "begins with `*` needs quotes"),
    ("title: & x\n", 1, "needs quotes"),
    ("title: !<x\n", 1, "needs quotes"),
    ("title: !a!b c\n", 1, "needs quotes"),
    ("title: | x\n", 1, "begins in the next line"),
    ("title: >x\n", 1, "begins in the next line"),
    ("title: |0\n  x\n", 1, "write `|` alone"),
    ('title: "\\d"\n', 1, "use single quotes"),
    ('title: "\\x4"\n', 1, "hexadecimal digits"),
    ('title: "\\ud800"\n', 1, "write the character itself"),
    ("title: a\n---\nb: c\n", 2, "keep one document"),
    ("title: a\n...\nb\n", 3, "remove the line `...`"),
    ("%x\ntitle: y\n", 1, "remove the lines that begin with `%`"),
    ("%YAML 3.0\n---\ntitle: x\n", 1, "remove the %YAML line"),
    ("%YAML 1.1\n%YAML 1.1\n---\nx: y\n", 2, "remove the lines that begin with `%`"),
    ("title:\xa0x\nlang: en\n", 1, f"a no-break space (U+00A0): {LOOK}"),
    ("title\uff1ax\nlang: en\n", 1, f"a wide colon (U+FF1A): {LOOK}"),
    ("title: x\n<<<<<<< HEAD\nlang: en\n=======\nlang: de\n>>>>>>> b\n", 3, "merge conflict at line 2"),
    ("[" * 100_000, 1, "no setting needs this depth"),
    ("{a: " * 100_000, 1, "no setting needs this depth"),
    ("".join("  " * depth + "a:\n" for depth in range(60)), 41, "no setting needs this depth"),
    ("- " * 100_000, 1, "no setting needs this depth"),
]
GOOD = """\
title: "A gallery"  # of attention
models:
  - slug: minilm
    source: 'package:x/model'
sentences: [{slug: cat, text: "The cat: it slept."}]
site:
  footer: |
    One line.
    Another.
"""


@pytest.mark.parametrize(("text", "line", "mend"), MISTAKES)
def test_a_mistake_is_told_with_its_line_and_its_mend(text: str, line: int, mend: str) -> None:
    with pytest.raises(YamlError) as caught:
        read_document(text)
    assert (caught.value.line, mend in caught.value.mend) == (line, True), caught.value.mend


@given(
    at=some.integers(0, len(GOOD) - 1),
    gone=some.integers(0, 6),
    put=some.text(" \t\n:-?[]{}\"'|>&*!%@`#,.ab\xa0", max_size=4),
)
def test_every_mistake_has_a_place_and_a_mend(at: int, gone: int, put: str) -> None:
    text = GOOD[:at] + put + GOOD[at + gone :]
    try:
        problems = read_document(text).problems
    except YamlError as error:
        problems = [error.problem()]
    for problem in problems:
        assert problem.mend, problem
        assert problem.line is not None
        assert 1 <= problem.line <= text.count("\n") + 1
