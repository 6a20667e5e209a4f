"""Schema, docs and code say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from manifest_reference import field_reference, update

from attention_gallery.manifest.load_manifest import load_manifest
from attention_gallery.manifest.schema import json_schema, schema_text
from attention_gallery.manifest.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "manifest.md"


def valid(text: str) -> bool:
    validator = jsonschema.Draft202012Validator(json_schema())
    return bool(validator.is_valid(yaml.safe_load(text)))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads(schema_text()) == json_schema()
    assert schema_text() == schema_text()


def test_the_schema_accepts_the_demo() -> None:
    assert valid((PAGE.parents[1] / "gallery.yaml").read_text(encoding="utf-8"))


def test_the_schema_accepts_what_the_loader_accepts() -> None:
    assert valid(
        "{title: x, models: [{source: a/b}], sentences: ["
        "{conllu: a.conllu, limit: 9, filter: {words: [5, 30]}, pages: false}]}"
    )
    assert valid(
        "{title: x, models: [{source: a/b}], sentences: [{text: y, relations: [{from: y, to: [1, 3]}]}]}"
    )
    assert valid(
        "{title: x, models: [{source: a/b}], sentences: ["
        "{text: y, pair: z, truncate: true}, {text: y, target: z}, "
        "{chat: [{role: system, content: y}, {role: user, content: z}], generate: 8}]}"
    )
    assert valid(
        "{title: x, models: [{source: a/b}], sentences: [{text: y}], contrasts: ["
        "{models: [b, c], sentence: y}, {model: b, sentences: [y, z]}, "
        "{model: b, heads: [L0H1, L1H1], sentence: y, title: t, draft: true}]}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{title: x, models: [{source: a/b}], sentences: [{conllu: a.conllu, text: y}]}",
        "{title: x, models: [{source: a/b}], sentences: [{conllu: a.conllu, limit: 0}]}",
        "{title: x, models: [{source: a/b}], sentences: [{text: no}]}",
        "{title: x, models: [{source: a/b}], sentences: []}",
        "{title: x, models: [{source: a/b, dtype: int8}], sentences: [{text: y}]}",
        "{title: x, models: [{source: a/b}], sentences: [{text: y}], extra: 1}",
        "{title: x, models: [{}], sentences: [{text: y}]}",
        "{title: x, models: [{source: a/b}], sentences: [{slug: y}]}",
        "{title: x, models: [{source: a/b}], sentences: [{text: y, chat: [{role: user, content: z}]}]}",
        "{title: x, models: [{source: a/b}], sentences: [{chat: [{role: bot, content: z}]}]}",
        "{title: x, models: [{source: a/b}], sentences: [{chat: []}]}",
        "{title: x, models: [{source: a/b}], sentences: [{text: y, generate: 257}]}",
        "{title: x, models: [{source: a/b}], sentences: [{text: y}], contrasts: [{model: b}]}",
        "{title: x, models: [{source: a/b}], sentences: [{text: y}], contrasts: [{models: [b], heads: [L]}]}",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str) -> None:
    assert not valid(text)


def described(node: Any) -> list[str]:
    """The names of properties without a description."""
    if not isinstance(node, dict):
        return []
    bare = [name for name, one in node.get("properties", {}).items() if not one.get("description")]
    return bare + [name for one in node.get("$defs", {}).values() for name in described(one)]


def test_every_field_is_described_where_it_is_defined() -> None:
    assert described(json_schema()) == []
    assert all(model.__doc__ for model in Settings.__subclasses__())


def test_the_page_of_the_manifest_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert update(page) == page, "run: python tests/manifest/manifest_reference.py docs/manifest.md"
    properties = json_schema()["properties"]
    assert all(f"| `{name}` |" in field_reference() for name in properties)


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "gallery.yaml").write_text(example, encoding="utf-8")
    slugs = [sentence.slug for sentence in load_manifest(tmp_path / "gallery.yaml").settings.sentences]
    assert slugs == ["the-tired-cat", "trophy-big"]
    assert valid(example)


def test_a_list_alone_names_measures() -> None:
    text = "title: x\nmodels: [{source: a/b}]\nsentences: [{text: one}]\nanalysis: "
    assert valid(text + "[mine:loud]")
    assert valid(text + "{measures: [mine:loud]}")
    assert not valid(text + "[1]")
    assert not valid(text + "{measure: [mine:loud]}")
