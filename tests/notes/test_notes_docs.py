"""The page on notes says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from attention_gallery.notes import FrontMatter, LinkTarget, Note, NoteTarget, parse_link, render_note
from attention_gallery.notes.assets import SAFE_SUFFIXES
from attention_gallery.notes.target import place

PAGE = (Path(__file__).parents[2] / "docs" / "notes.md").read_text(encoding="utf-8")


def test_every_key_of_the_front_matter_is_described() -> None:
    for name, field in FrontMatter.model_fields.items():
        assert re.search(rf"^\| `{name}` \| [^|]+ \| {re.escape(field.description or '?')} \|$", PAGE, re.M)


def test_every_place_and_every_link_of_the_tables_exists() -> None:
    files = re.findall(r"^\| `([^`]+)\.md` \|", PAGE, re.M)
    assert len(files) == 8
    assert len({place(tuple(name.split("/"))) for name in files} - {None}) == 8
    links = re.findall(r"`\[\[([^`]+)\]\]`", PAGE)
    assert len(links) == 10
    assert {"short", "pair", "head"} < {parse_link(link).kind for link in links}


def test_the_examples_can_be_rendered() -> None:
    def resolve(target: LinkTarget) -> str:
        return "page"

    examples = re.findall(r"```markdown\n(.*?)```", PAGE, re.S)
    assert len(examples) == 3
    target = NoteTarget("about")
    made = [
        render_note(Note(Path("/p/about.md"), "about.md", target, "", "", (), False, body, 1, ""), resolve)
        for body in examples
    ]
    assert len(made[1].links) == 2
    assert made[2].html.count("<math") == 2


def test_the_types_that_are_copied_are_listed() -> None:
    assert all(re.search(rf"\b{suffix[1:]}\b", PAGE) for suffix in SAFE_SUFFIXES)
