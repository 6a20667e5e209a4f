"""The default theme: every template renders, escapes what is untrusted, and keeps a strict policy."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from markupsafe import Markup

from attention_gallery.analysis.measures.head_types import KINDS
from attention_gallery.pages.contexts import contrast_context, page_contexts, shared
from attention_gallery.theme.find_theme import find_theme
from attention_gallery.theme.renderer import Renderer

ROOT = Path(__file__).resolve().parents[2]
THEME = ROOT / "themes" / "default"
HOSTILE = "\"'><script>alert(1)</script>&"
VIEWS = {
    "home.html": page_contexts.HomeContext,
    "model.html": page_contexts.ModelContext,
    "model_length.html": page_contexts.LengthContext,
    "model_head.html": page_contexts.ModelHeadContext,
    "sentence.html": page_contexts.SentenceContext,
    "explorer.html": page_contexts.ExplorerContext,
    "head.html": page_contexts.HeadContext,
    "contrast.html": contrast_context.ContrastContext,
    "contrasts.html": contrast_context.ContrastsContext,
    "note.html": page_contexts.NotePageContext,
    "notes.html": page_contexts.NotesContext,
    "404.html": page_contexts.NotFoundContext,
}
VOID = {"meta", "link", "img", "input", "br", "hr"}


def sample(kind: Any, *, full: bool) -> Any:
    """A value of a contract type: hostile text everywhere; collections and optionals full or empty."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return sample(arguments[0], full=full) if full else None
    if origin is tuple:
        if arguments[-1] is not Ellipsis:
            return tuple(sample(argument, full=full) for argument in arguments)
        return (sample(arguments[0], full=full),) * 2 if full else ()
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: sample(hints[field.name], full=full) for field in fields(kind)})  # type: ignore[operator]
    if hasattr(kind, "_fields"):
        return kind(*(sample(hint, full=full) for hint in get_type_hints(kind).values()))
    plain = {Markup: Markup("<em>made</em>"), str: HOSTILE, int: 1, float: 0.25, bool: full}
    return plain[kind]


@lru_cache(maxsize=1)
def renderer() -> Renderer:
    return Renderer(find_theme("default", ROOT))


def site(full: bool) -> shared.SiteInfo:
    theme = find_theme("default", ROOT)
    text = HOSTILE if full else ""
    options = {name: option.default for name, option in theme.options.items()}
    static = {name: name for name in theme.static}
    return shared.SiteInfo(HOSTILE, text, text, "en", HOSTILE, options, full, full, static)


def page(name: str, full: bool) -> shared.PageInfo:
    made: shared.PageInfo = sample(shared.PageInfo, full=full)
    return made._replace(kind=name.removesuffix(".html"), styles=("a.css",), scripts=("a.js",))


def render(name: str, full: bool) -> str:
    view = sample(VIEWS[name], full=full)
    return renderer().render(name, site=site(full), page=page(name, full), view=view)


class Reader(HTMLParser):
    """Collects elements and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> is out of place"


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


CASES = [(name, full) for name in VIEWS for full in (True, False)]


@pytest.mark.parametrize(("name", "full"), CASES)
def test_renders_well_formed_html_with_one_h1(name: str, full: bool) -> None:
    reader = read(render(name, full))
    tags = [tag for tag, _ in reader.elements]
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    assert all("alt" in attributes for tag, attributes in reader.elements if tag == "img")
    assert all(attributes.get("scope") for tag, attributes in reader.elements if tag == "th")
    assert tags.count("caption") == tags.count("table")


@pytest.mark.parametrize("name", VIEWS)
def test_escapes_untrusted_text(name: str) -> None:
    html = render(name, full=True)
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
    scripts = [attributes for tag, attributes in read(html).elements if tag == "script"]
    assert [attributes["src"] for attributes in scripts] == [f"{HOSTILE}js/early.js", "a.js"]


@pytest.mark.parametrize("name", VIEWS)
def test_has_nothing_inline_that_a_strict_policy_forbids(name: str) -> None:
    for tag, attributes in read(render(name, full=True)).elements:
        assert tag != "style"
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]


@pytest.mark.parametrize("name", VIEWS)
def test_ids_are_unique_and_labels_exist(name: str) -> None:
    elements = read(render(name, full=False)).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {attributes["aria-labelledby"] for _, attributes in elements if "aria-labelledby" in attributes}
    assert wanted <= set(ids)


def test_token_strip_renders_alone() -> None:
    tokens = (
        shared.TokenView(0, "[CLS]", True, False),
        shared.TokenView(1, HOSTILE, False, False),
        shared.TokenView(2, "ing", False, True),
    )
    reader = read(renderer().render("partials/token_strip.html", tokens=tokens, lang="de"))
    classes = [attributes["class"] for tag, attributes in reader.elements if tag == "span"]
    assert classes == ["token special", "token", "token joined"]
    assert reader.elements[0][1]["lang"] == "de"


def test_segments_are_groups_with_names() -> None:
    tokens = (
        shared.TokenView(0, "[CLS]", True, False, opens="first"),
        shared.TokenView(1, "it", False, False),
        shared.TokenView(2, "[SEP]", True, False),
        shared.TokenView(3, "is", False, False, opens=HOSTILE),
    )
    elements = read(renderer().render("partials/token_strip.html", tokens=tokens, lang="de")).elements
    groups = [attributes for _, attributes in elements if attributes.get("role") == "group"]
    assert [group["aria-label"] for group in groups] == ["first", HOSTILE]
    assert all(group["data-name"] == group["aria-label"] and group["dir"] == "auto" for group in groups)
    opened = [n for n, (_, attributes) in enumerate(elements) if attributes.get("role") == "group"]
    assert opened == [1, 5]


def test_every_asset_is_listed_once_and_exists() -> None:
    theme = find_theme("default", ROOT)
    listed = [*theme.styles, *theme.scripts, *theme.static]
    on_disk = {path.relative_to(THEME / "assets").as_posix() for path in (THEME / "assets").rglob("*.*")}
    assert sorted(listed) == sorted(on_disk)


@pytest.mark.parametrize("path", sorted((THEME / "assets").rglob("*.*")), ids=lambda path: path.name)
def test_assets_name_no_other_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    assert not re.search(r"@import|\bfetch\(|\beval\(|innerHTML|new Function", text)


def test_every_family_of_heads_has_a_colour() -> None:
    tokens = (THEME / "assets" / "css" / "tokens.css").read_text(encoding="utf-8")
    for family in {kind.family for kind in KINDS}:
        assert f"--family-{family}:" in tokens
        assert f".f-{family}" in tokens


def test_bars_cover_every_hundredth() -> None:
    bars = (THEME / "assets" / "css" / "bars.css").read_text(encoding="utf-8")
    found = {int(a): int(b) for a, b in re.findall(r"\.b(\d+)\{--part:(\d+)%\}", bars)}
    assert found == {part: part for part in range(101)}


@pytest.mark.parametrize("name", ["home.html", "model_head.html"])
def test_texts_of_authors_bring_their_own_direction(name: str) -> None:
    """Text in another script than the page's is set from the side where that script begins."""
    authored = {"tag", "quote", "quote small", "gallery-model", *(["lead"] if name == "home.html" else [])}
    found = set()
    for tag, attributes in read(render(name, full=True)).elements:
        kind = attributes.get("class") or ""
        if tag == "h3" or (kind in authored and attributes.get("data-tag") != ""):
            assert attributes.get("dir") == "auto", (tag, kind)
            found.add(kind or tag)
    assert "h3" in found


def test_the_way_home_from_an_unknown_depth_is_told() -> None:
    """Without `base_url`, the links of the 404 page lead home from the top of the site only."""
    second = '<a href="/">'
    assert second not in render("404.html", full=True)
    assert second in render("404.html", full=False)


def test_options_with_fixed_values_list_them() -> None:
    options = find_theme("default", ROOT).options
    assert options["scheme"].choices == ("auto", "light", "dark")
    assert options["plotly"].choices == ("ask", "idle", "once")
