"""The page on notes says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from attention_gallery.notes.content_files import SAFE_SUFFIXES
from attention_gallery.notes.live import Answer
from attention_gallery.notes.load_notes import FrontMatter
from attention_gallery.notes.markdown.note_links import LinkTarget, parse_link
from attention_gallery.notes.markdown.render_note import render_note
from attention_gallery.notes.questions.claims import ClaimSpec
from attention_gallery.notes.questions.shortcodes import SHORTCODES
from attention_gallery.notes.target import place
from sample_notes import load_notes, sample_note

PAGE = (Path(__file__).parents[2] / "docs" / "notes.md").read_text(encoding="utf-8")


def test_every_key_of_the_front_matter_is_described() -> None:
    for name, field in FrontMatter.model_fields.items():
        assert re.search(rf"^\| `{name}` \| [^|]+ \| {re.escape(field.description or '?')} \|$", PAGE, re.M)


def test_every_key_of_a_claim_is_described() -> None:
    for name, field in ClaimSpec.model_fields.items():
        key = field.alias or name
        assert re.search(rf"^\| `{key}` \| [^|]+ \| {re.escape(field.description or '?')} \|$", PAGE, re.M)


def test_every_live_value_is_described_with_its_options() -> None:
    for one in SHORTCODES:
        call = f"{one.name}({', '.join(('target', *one.words))})"
        options = ", ".join(f"`{option.name}`" for option in one.options)
        assert re.search(rf"^\| `{re.escape(call)}` \| [^|]+ \| {options} ?\|$", PAGE, re.M), call


def test_the_claims_of_the_example_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(claims:.*?)```", PAGE, re.S)
    file = tmp_path / "minilm" / "tired-cat.md"
    file.parent.mkdir()
    file.write_text(f"---\n{example}---\n", encoding="utf-8")
    (note,) = load_notes(tmp_path, ["minilm"], ["tired-cat"])
    assert len(note.claims) == 7


def test_every_place_and_every_link_of_the_tables_exists() -> None:
    files = re.findall(r"^\| `([^`]+)\.md` \|", PAGE, re.M)
    assert len(files) == 9
    assert len({place(tuple(name.split("/"))) for name in files} - {None}) == 9
    links = re.findall(r"`\[\[([^`]+)\]\]`", PAGE)
    assert len(links) == 12
    assert {"short", "pair", "head"} < {parse_link(link).kind for link in links}


def test_the_examples_can_be_rendered() -> None:
    def resolve(target: LinkTarget) -> str:
        return "page"

    examples = re.findall(r"```markdown\n(.*?)```", PAGE, re.S)
    assert len(examples) == 4
    made = [
        render_note(
            sample_note(body),
            resolve,
            answer=lambda live: Answer("<b></b>", ""),
        )
        for body in examples
    ]
    assert len(made[1].links) == 2
    assert len(made[2].asks) == 3
    assert made[3].html.count("<math") == 2


def test_the_types_that_are_copied_are_listed() -> None:
    assert all(re.search(rf"\b{suffix[1:]}\b", PAGE) for suffix in SAFE_SUFFIXES)
