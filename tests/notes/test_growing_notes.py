"""Notes that Markdown would take for ever to read are refused; every other one reads as ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_gallery.errors import NoteError
from attention_gallery.notes.markdown import markup
from attention_gallery.notes.markdown.highlighting import highlight
from attention_gallery.notes.markdown.markup import converted, is_quick, marked_up
from attention_gallery.notes.markdown.render_note import render_note
from attention_gallery.user_files import MB
from attention_gallery.workers import LimitedProcess, Limits
from sample_notes import sample_note

BOMBS = {
    "links that never close": "[[a " * 20_000,
    "brackets": "[" * 60_000,
    "pictures": "![" * 40_000,
    "links in links": "[a](" * 20_000,
    "backticks": "`a``b" * 100_000,
    "live values that never close": "{{" * 250_000,
    "formulas that never close": "$$a" * 200_000,
    "footnotes of footnotes": "[^a]\n\n[^a]: [^a]" + "[^a]" * 20_000,
    "elements": "<a " * 30_000,
}
DEEP = {
    "lists": "\n".join(" " * (4 * level) + "- a" for level in range(400)),
    "definitions": "a\n: b\n" * 2000,
}


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    # Systems count whole seconds: with none, what is left of the one that has begun.
    monkeypatch.setattr(markup, "LIMITS", Limits(seconds=0, memory=300 * MB, answer=4 * MB))


# Each takes all the time there is; those that take it in the same way as the first are left out.
@pytest.mark.usefixtures("tight")
@pytest.mark.parametrize("name", sorted(set(BOMBS) - {"brackets", "pictures", "links in links"}))
def test_notes_that_take_too_long_are_refused(name: str) -> None:
    note = sample_note(BOMBS[name])
    with pytest.raises(
        NoteError, match=r"cannot be read: it (takes more than 0 seconds|makes more than 4 MB of it)"
    ) as caught:
        render_note(note, lambda target: "x")
    assert caught.value.problems[0].file == note.path


@pytest.mark.parametrize("name", DEEP)
def test_notes_that_nest_too_deeply_are_refused(name: str) -> None:
    with pytest.raises(NoteError, match=r"nests too deeply|takes more than"):
        render_note(sample_note(DEEP[name]), lambda target: "x")


@pytest.mark.parametrize("name", [*BOMBS, *DEEP])
def test_none_of_them_is_taken_for_quick(name: str) -> None:
    assert not is_quick({**BOMBS, **DEEP}[name])


@pytest.mark.parametrize(
    "text", ["# A\n\n[[a/b|c]] $x^2$ {{ top }}\n\n```python\nx = 1\n```\n" * 3, "<b>x</b>" * 900]
)
def test_a_note_reads_the_same_in_the_other_process(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "is_quick", lambda body: False)
    assert marked_up(text) == converted(text)


def test_the_notes_that_there_are_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedProcess, "ask", lambda *_, **__: pytest.fail("a process was asked"))
    content = Path(__file__).parents[2] / "content"
    for path in content.rglob("*.md"):
        marked_up(path.read_text(encoding="utf-8"))


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["[", "](", "![", "*", "_", "`", "<a ", ">", "- ", "\n", "  ", "a", "{{", "$"]),
        max_size=40,
    )
)
def test_whatever_is_quick_is_read_whatever_it_says(parts: list[str]) -> None:
    body = "".join(parts) * 20
    if is_quick(body):
        marked_up(body)


def test_long_code_is_shown_without_colours() -> None:
    code = "x = '" * 30_000
    assert "hl-" not in highlight(code, "python")
    assert "hl-" in highlight("x = 1", "python")
