"""A broken link is told where it stands, whatever else in the note is spelt the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attention_gallery.errors import UserError
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.markdown.render_note import render_note
from attention_gallery.notes.markdown.scan import scan, without_address_marks
from sample_notes import load_notes

GONE = "gone.md"
# `@` stands where an address begins; the link is one wherever it stands.
LINKS = (
    "Read [this](@X) first.",
    "Twice: [this](there.md), **[this](@X)** and [this](there.md).",
    "- one\n- two [this](@X)\n    - three\n",
    "- one\n\n    - two [this](@X)\n",
    "1. one\n\n    A paragraph [this](@X)\n",
    "> quoted\n> > twice, [this](@X)\n",
    "| a | b |\n|---|:-:|\n| [this](there.md) | [this](@X) |\n",
    "Term\n:   what it [this](@X) means\n",
    "A footnote[^N].\n\n[^N]: It says [this](@X).\n",
    "A footnote[^N].\n\n[^N]:\n    It says\n    [this](@X).\n",
    "### A heading with [this](@X)\n",
    'Of HTML: <a href="@X">this</a>, <a title="gone.md" href=@X>this</a>',
    "<p>\nA block of HTML: <a\n  href='@X'>this</a>\n</p>\n",
    '<div markdown="1">\n\nMarkdown in HTML [this](@X)\n\n</div>\n',
    'With a title [this](@X "gone.md (really)").',
    "Pointed [this](<@X>), spaced [this]( @X ).",
    "Over two lines [this\none](@X) or [this](\n@X).",
    "[[about]] and [this][N].\n\n[N]: @X\n",
    "This [N] and [this][N] again.\n\n[other]: there.md\n[N]:   @X 'A title'\n",
    "This [N][].\n\n> [N]: <@X>\n",
    "A picture in a link: [![this](a.png)](@X)",
    "Math first $a](gone.md)b$ then [this](@X)",
    "`code`, a stray ` and [this](@X)\n\nand another ` below",
    "An escaped \\` and [this](@X) and `code`",
)
DECOYS = (
    "`[this](gone.md)` and ``[this](gone.md)``",
    "```markdown\n[this](gone.md)\n[N]: gone.md\n```\n",
    "~~~\n<a href='gone.md'>this</a>\n~~~\n",
    "Code\n\n    [this](gone.md)\n    [^N]: [this](gone.md)\n",
    "<!-- [this](gone.md) and\n\n[this](gone.md) -->\n",
    "Escaped \\[this](gone.md) and gone.md in plain text",
    "<pre>\n[this](gone.md)\n</pre>\n",
    '<abbr title="[this](gone.md)">abbreviated</abbr>',
    "[never]: gone.md\n",
    "![[this](gone.md)](a.png)",
    "[this](there.md) [this](there.md 'gone.md')",
)


def resolve(target: LinkTarget) -> str:
    if target.raw.startswith(GONE):
        raise LookupError("it is gone", "mend it")
    return "page"


def places(text: str, ending: str = "\n") -> list[tuple[int | None, int | None]]:
    """Where a note of this text is told to have broken links."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "notes", "x.md")
        path.parent.mkdir()
        path.write_bytes(text.replace("\n", ending).encode())
        (note,) = load_notes(Path(folder), [], [])
    with pytest.raises(UserError) as caught:
        render_note(note, resolve)
    assert {problem.quote for problem in caught.value.problems} <= set(text.split("\n"))
    return [(problem.line, problem.column) for problem in caught.value.problems]


def made(blocks: list[str], broken: int) -> tuple[str, list[tuple[int, int]]]:
    """A note of blocks, of which the links of one are broken, and the places of these."""
    text = "---\ntitle: A note\n---\n"
    expected = []
    for index, block in enumerate(blocks):
        address = GONE if index == broken else "there.md"
        for part in (block.replace("N", f"n{index}") + "\n\n").replace("X", address).split("@"):
            before = text
            text += part
            if part.startswith(GONE) and before.count("\n"):
                expected.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
    return text, expected


@pytest.mark.parametrize("block", LINKS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_links_of_every_kind(block: str, ending: str) -> None:
    text, expected = made([*DECOYS, block, *DECOYS], len(DECOYS))
    assert expected
    assert places(text, ending) == expected


@settings(max_examples=120)
@given(st.lists(st.sampled_from([*LINKS, *DECOYS]), max_size=8), st.sampled_from(LINKS), st.data())
def test_one_broken_link_among_many_that_look_alike(
    blocks: list[str], broken: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(blocks)))
    text, expected = made([*blocks[:at], broken, *blocks[at:]], at)
    assert places(text) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[[gone.md]] `[[a b]]` text [[a b]]", [(1, 1), (1, 28)]),
        ("| [[a b]] | `[[c d]]` [[c d]] |\n|---|---|\n| `[[e f]]` | [[e f]] |", [(1, 3), (1, 23), (3, 15)]),
        ("`$x^$` then $x^$", [(1, 13)]),
        ("    [^1]: code\n\nText\n\n[^1]: Lost.", [(5, 1)]),
        ("`[^1]: x`\n\n> [^1]: Lost.", [(3, 3)]),
        ("```\n<img alt='x'>\n```\n\n<img alt='x'>", [(5, 11)]),
        ("[x](javascript:alert(1)) `[x](javascript:alert(1))`", [(1, 5)]),
    ],
)
def test_other_mistakes_of_notes(body: str, expected: list[tuple[int, int]]) -> None:
    assert places(f"---\ntitle: x\n---\n{body}\n") == [(line + 3, column) for line, column in expected]


@pytest.mark.parametrize("block", [*LINKS, *DECOYS])
def test_marks_of_addresses_change_nothing_else(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    same_without_marks(block.replace("@X", "there.md"), monkeypatch)


FRAGMENTS = ["](", "]:", "[", "![", "<", ">", "\n", "\n\n", " ", "    ", "- ", "> ", "#", "---", "|", "`"]
FRAGMENTS += ["```", "*", "_", "a", "a.md", ")", '"', "'", "(", "<a ", "<img ", "src=", "alt = ", "href='"]
FRAGMENTS += [
    "<div>",
    "==",
    "$",
    "[[about]]",
    "[^1]",
    "[^1]: ",
    "[x]: ",
    ": ",
    "\\",
    "<!-- ",
    " -->",
    "<pre>",
]
FRAGMENTS += ["</pre>", "1. "]


@settings(max_examples=100)
@example('[]("1. ](')
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join))
def test_marks_of_addresses_change_no_text(body: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        same_without_marks(body, patch)


def same_without_marks(body: str, patch: pytest.MonkeyPatch) -> None:
    with_marks = rendered(body)
    patch.setattr("attention_gallery.notes.markdown.markup.scan", without_addresses)
    assert with_marks == rendered(body)
    assert "\ue000" not in with_marks


def rendered(body: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "notes", "x.md")
        path.parent.mkdir()
        path.write_text(f"---\ntitle: x\n---\n{body}\n", encoding="utf-8")
        (note,) = load_notes(Path(folder), [], [])
    try:
        return render_note(note, lambda target: "page").html
    except UserError:
        return "refused"


def without_addresses(body: str) -> tuple[str, list[object]]:
    text, pieces = scan(body)
    return without_address_marks(text, pieces), [*pieces]
