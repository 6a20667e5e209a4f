"""Whatever stands in a text, title, tag, note or model's facts: it is shown, and never runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

import sample_gallery
from attention_gallery.build.plan import gather
from sample_gallery import Sample

# One for each way out of a context: element, attribute, script, comment, template, line, direction.
ATTACKS = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "]]></style></title></textarea><svg onload=alert(1)>",
    "{{ 7*7 }}{% include 'base.html' %}{{ ''.__class__ }}",
    "a\u2028b\u2029c",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "javascript:alert(1)",
    "null \ufffd \U0001f469\u200d\U0001f4bb é\u0301 \ufeff",
    "%3Cscript%3E &lt;script&gt; &#60;script&#62; \\u003cscript\\u003e",
)
EVERYTHING = " ".join(ATTACKS)

# Elements and attributes that can run or fetch something, beyond those that pages are known to have.
RUNNING = {"iframe", "object", "embed", "base", "form", "applet", "frame", "math:script"}
OWN_SCRIPT = re.compile(r"(\./|(\.\./)+)assets/[a-z]+\.[0-9a-f]{10}\.js")
SCRIPT_TYPES = {"application/json", "application/octet-stream"}


@dataclass
class Found(HTMLParser):
    """What a browser would see of a page."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inside: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "script":
            self.inside = given
            self.scripts.append((given, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside is not None:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        else:
            self.text += data


def parsed(html: str) -> Found:
    found = Found()
    found.feed(html)
    found.close()
    return found


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements with the names of their attributes, in order."""
    return [(tag, tuple(attributes)) for tag, attributes in parsed(html).tags]


def hostile(root: Path, attack: str) -> Sample:
    """A gallery that says `attack` wherever its author can say something."""
    sample = Sample.make(
        root,
        title=f"Gallery {attack}",
        description=f"About {attack}",
        author=f"Me {attack}",
        theme="default",
        models=[
            {"slug": "enc", "title": f"Model {attack}", "source": "./models/enc", "description": attack},
            {"slug": "dec", "title": f"Other {attack}", "source": "./models/dec"},
        ],
        sentences=[
            {
                "slug": "one",
                "title": f"Title {attack}",
                "text": f"Text {attack} end",
                "tags": [f"tag {attack}"],
                "focus": "Text",
                "relations": [{"from": "Text", "to": "end", "kind": f"kind {attack}"}],
            },
            {"slug": "two", "title": "Two", "text": "Plain words"},
        ],
        notes={},
    )
    said = {"title": f"Note {attack}", "description": f"Said {attack}", "tags": [attack]}
    matter = yaml.safe_dump(said, allow_unicode=True).strip()
    quoted = attack.replace("<img src=x", "<b")  # a picture that is not there would be an error
    for name in (
        "gallery",
        "about",
        "models/enc",
        "models/enc/L0H0",
        "sentences/one",
        "enc/one",
        "enc/one/L0H1",
    ):
        sample.note(f"{name}.md", f"---\n{matter}\n---\n{quoted}\n\n```\n{attack}\n```\n")
    sample.note("notes/first.md", f"---\n{matter}\n---\n# {quoted}\n\n| {quoted} |\n|---|\n| x |\n")
    return sample


@pytest.fixture(scope="module")
def tame(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = hostile(tmp_path_factory.mktemp("tame") / "project", "word")
    sample.build()
    return sample


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = hostile(tmp_path_factory.mktemp("wild") / "project", EVERYTHING)
    sample.build()
    return sample


def pages(sample: Sample) -> dict[str, str]:
    return {
        path.relative_to(sample.site).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(sample.site.rglob("*.html"))
    }


def test_nothing_runs_on_any_page(wild: Sample) -> None:
    assert len(pages(wild)) > 30
    for name, html in pages(wild).items():
        found = parsed(html)
        for tag, attributes in found.tags:
            assert tag not in RUNNING, name
            assert not [one for one in attributes if one.startswith("on")], name
            assert "style" not in attributes, name
            addresses = [attributes[one] for one in ("href", "src", "action") if one in attributes]
            assert not [one for one in addresses if one.lower().lstrip().startswith("javascript:")], name
        for attributes, content in found.scripts:
            if "src" in attributes:
                assert OWN_SCRIPT.fullmatch(attributes["src"]), name
                assert not content.strip(), name
            else:
                assert attributes["type"] in SCRIPT_TYPES, name


def test_the_attack_shows_as_text(wild: Sample) -> None:
    for route in ("", "enc/one/", "enc/one/l00h00/", "sentences/one/", "models/enc/"):
        text = " ".join(parsed(wild.page(route)).text.split())
        assert "<script>alert(1)</script>" in text
        assert "{{ 7*7 }}" in text
        assert "49" not in parsed(wild.page(route)).text.split()


def test_every_block_of_data_is_json_or_base64(wild: Sample) -> None:
    for name, html in pages(wild).items():
        for attributes, content in parsed(html).scripts:
            if attributes.get("type") == "application/json":
                assert json.loads(content), name
            elif attributes.get("type") == "application/octet-stream":
                assert content.replace("+", "").replace("/", "").rstrip("=").isalnum(), name


@pytest.mark.parametrize("route", ["404.html", "notes/index.html"])
def test_a_hostile_page_has_the_elements_of_a_tame_one(tame: Sample, wild: Sample, route: str) -> None:
    """No text makes an element or an attribute; these pages have as many texts in both galleries."""
    assert shape(pages(wild)[route]) == shape(pages(tame)[route])


def test_a_hostile_model_page_has_elements_of_the_same_kinds(tame: Sample, wild: Sample) -> None:
    """How many types of heads its legend lists depends on the attention, which the texts are the seed of."""
    route = "models/dec/index.html"
    assert set(shape(pages(wild)[route])) == set(shape(pages(tame)[route]))


def test_downloads_hold_the_exact_text(wild: Sample) -> None:
    value = json.loads((wild.site / "enc" / "one" / "attention.json").read_text(encoding="utf-8"))
    assert value["sentence"]["text"] == f"Text {EVERYTHING} end"
    assert value["model"]["title"] == f"Model {EVERYTHING}"


def test_facts_of_a_model_are_no_html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def facts(*arguments: Any) -> Any:
        return original(f"Arch{ATTACKS[0]}", f"type{ATTACKS[1]}", *arguments[2:])

    original = sample_gallery.ModelFacts
    monkeypatch.setattr(sample_gallery, "ModelFacts", facts)
    monkeypatch.setattr(gather, "license_of", lambda model: ATTACKS[4])
    sample = Sample.make(tmp_path / "project", theme="default")
    sample.build()
    found = parsed(sample.page("models/enc/"))
    assert f"Arch{ATTACKS[0]}" in found.text
    assert ATTACKS[4] in found.text
    assert "svg onload" not in " ".join(tag for tag, _ in found.tags)
    assert not [one for _, attributes in found.tags for one in attributes if one.startswith("on")]
    assert len(found.scripts) == len(parsed(sample.page("models/dec/")).scripts)


def test_a_redirect_and_the_sitemap_escape_the_base_url(sample: Sample) -> None:
    sample.settings["base_url"] = "https://example.org/a&b/"
    sample.sentence("cat")["aliases"] = ["old"]
    sample.build()
    assert "https://example.org/a&amp;b/sentences/cat/" in sample.page("sentences/old/")
    assert "<loc>https://example.org/a&amp;b/</loc>" in (sample.site / "sitemap.xml").read_text()
