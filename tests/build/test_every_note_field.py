"""Whatever is changed in the front matter of a note, in its claims, or in an option of a theme, is built.

Each field has an edit here; one without fails the test, so that what is added to notes is added here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from attention_gallery.notes.load_notes import FrontMatter
from attention_gallery.notes.questions.claims import ClaimSpec
from attention_gallery.theme.theme_settings import KINDS
from sample_gallery import Sample
from siblings import siblings

HEAD_NOTE, LIST_NOTE = "enc/cat/L0H1.md", "notes/first.md"
CLAIMS: dict[str, dict[str, Any]] = {
    "weight": {"head": "L0H1", "from": "it", "to": "cat", "at_least": 0.01},
    "layer": {"layer": "L0", "from": "it", "to": "cat", "at_most": 0.99},
    "received": {"of": "enc/cat", "received_by": "cat", "between": [0.01, 0.99]},
    "measure": {"head": "models/enc/L0H1", "measure": "previous", "about": 0.5, "within": 0.9},
    "type": {"head": "L0H1", "type": "broad"},
    "count": {"of": "enc/cat", "count": "broad", "at_least": 0},
    "relation": {"of": "models/enc", "relation": "previous word", "at_least": 0},
}
FRONT_MATTER: dict[str, dict[str, Any]] = {
    "title": {"title": "Another title"},
    "description": {"description": "Another description."},
    "tags": {"tags": ["c"]},
    "draft": {"draft": True},
    "claims": {"claims": []},
}
# Of a claim: its name above, and what is changed in it.
CLAIM: dict[str, tuple[str, dict[str, Any]]] = {
    "head": ("weight", {"head": "L1H1"}),
    "layer": ("layer", {"layer": "L1"}),
    "of": ("received", {"of": "enc/river", "received_by": "river"}),
    "from": ("weight", {"from": "tired"}),
    "to": ("weight", {"to": "cross"}),
    "received_by": ("received", {"received_by": "cross"}),
    "measure": ("measure", {"measure": "next"}),
    "which": ("measure", {"which": "highest"}),
    "type": ("type", {"type": "previous-token"}),
    "count": ("count", {"count": "previous-token"}),
    "relation": ("relation", {"relation": "next word"}),
    "at_least": ("weight", {"at_least": 0.02}),
    "at_most": ("layer", {"at_most": 0.98}),
    "between": ("received", {"between": [0.02, 0.99]}),
    "about": ("measure", {"about": 0.4}),
    "within": ("measure", {"within": 0.8}),
}
# Of nothing that a theme shows: a note's tags, until there are pages of tags.
NOT_SHOWN = {"tags"}
OPTIONS: dict[str, tuple[dict[str, Any], Any]] = {
    "text": ({"default": "one"}, "two"),
    "choice": ({"default": "left", "choices": ["left", "right"]}, "right"),
    "flag": ({"default": True}, False),
    "whole": ({"default": 3}, 4),
    "number": ({"default": 0.5}, 1),
    "colour": ({"default": "black", "css": "--colour"}, "navy"),
}


def note(matter: dict[str, Any], body: str) -> str:
    return f"---\n{yaml.safe_dump(matter, sort_keys=False)}---\n{body}"


def write_notes(sample: Sample, changes: dict[str, Any], claims: dict[str, dict[str, Any]]) -> None:
    matter = {"title": "A head", "description": "What it does.", "tags": ["a", "b"], "draft": False}
    matter["claims"] = list(claims.values())
    sample.note(HEAD_NOTE, note({**matter, **changes}, "What a head does.\n"))
    sample.note(LIST_NOTE, note({**matter, "claims": [], **changes}, "What a note says.\n"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    root = tmp_path_factory.mktemp("base") / "project"
    sample = Sample.make(root)
    # Enough words for a score of a relation, without pages.
    sample.settings["sentences"] += [
        {"slug": f"more-{number}", "text": f"The {noun} sat on a wall {number}", "pages": False}
        for number, noun in enumerate(("dog", "fox", "hen", "owl", "cow", "pig", "ant", "bee", "eel", "elk"))
    ]
    theme = root / "themes" / "tiny"
    settings = yaml.safe_load((theme / "theme.yaml").read_text(encoding="utf-8"))
    settings["options"].update({name: option for name, (option, _) in OPTIONS.items()})
    (theme / "theme.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    base = theme / "templates" / "base.html"
    whole = "<pre>{{ view }} {{ page }} {{ site }}</pre>"  # all that any theme could print
    text = base.read_text(encoding="utf-8").replace("{% block main %}", whole + "{% block main %}", 1)
    base.write_text(text, encoding="utf-8")
    write_notes(sample, {}, CLAIMS)
    sample.build()
    return sample


def same_as_clean(sample: Sample, tmp_path: Path) -> None:
    clean = sample.copy(tmp_path / "clean", clean=True)
    clean.build()
    incremental, expected = sample.tree(), clean.tree()
    assert sorted(incremental) == sorted(expected)
    stale = [name for name, content in expected.items() if incremental[name] != content]
    assert stale == [], "these pages are stale"


def test_every_field_has_an_edit() -> None:
    assert FRONT_MATTER.keys() == FrontMatter.model_fields.keys()
    assert CLAIM.keys() == {field.alias or name for name, field in ClaimSpec.model_fields.items()}
    assert {type(option["default"]) for option, _ in OPTIONS.values()} == set(KINDS)


@pytest.mark.parametrize("field", FRONT_MATTER)
def test_an_edit_of_front_matter_is_built(built: Sample, tmp_path: Path, field: str) -> None:
    sample = built.copy(tmp_path / "edited")
    write_notes(sample, FRONT_MATTER[field], CLAIMS)
    sample.build()
    same_as_clean(sample, tmp_path)
    assert (sample.tree() != built.tree()) is (field not in NOT_SHOWN)


@pytest.mark.parametrize("field", siblings(CLAIM, 4))
def test_an_edit_of_a_claim_is_built(built: Sample, tmp_path: Path, field: str) -> None:
    name, change = CLAIM[field]
    sample = built.copy(tmp_path / "edited")
    write_notes(sample, {}, {**CLAIMS, name: {**CLAIMS[name], **change}})
    sample.build()
    same_as_clean(sample, tmp_path)
    assert sample.tree() != built.tree()


@pytest.mark.parametrize("name", OPTIONS)
def test_an_edit_of_a_theme_option_is_built(built: Sample, tmp_path: Path, name: str) -> None:
    sample = built.copy(tmp_path / "edited")
    sample.settings["theme_options"] = {name: OPTIONS[name][1]}
    sample.build()
    same_as_clean(sample, tmp_path)
    assert sample.tree() != built.tree()
