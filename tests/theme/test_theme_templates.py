"""Mistakes in templates and assets are all found before anything is rendered, with their lines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from attention_gallery.errors import Problem, ThemeError
from attention_gallery.theme.bundle import bundle
from attention_gallery.theme.find_theme import find_theme, read_theme
from attention_gallery.theme.renderer import Renderer


def make(project: Path, settings: str = "name: mine\n", **files: str | bytes) -> Path:
    folder = project / "themes" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theme.yaml").write_text(settings, encoding="utf-8")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_html", ".html")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def problems(project: Path, compiled: Path | None = None, needed: tuple[str, ...] = ()) -> list[Problem]:
    return Renderer(find_theme("mine", project), compiled).problems(needed)


def told(found: list[Problem]) -> list[tuple[str, int | None, str, str]]:
    return [(one.file.name if one.file else "", one.line, one.reason, one.quote or "") for one in found]


@pytest.mark.parametrize(
    ("line", "reason", "mend"),
    [
        ('{% extends "bse.html" %}', 'the theme has no template "bse.html"', 'did you mean "base.html"?'),
        ('{% include "partials/x.html" %}', 'the theme has no template "partials/x.html"', None),
        ("{% include ['a1.html', 'a2.html'] %}", 'the theme has no template "a1.html"', None),
        ('{% import "gone.html" as x %}', 'the theme has no template "gone.html"', None),
        ('{% from "gone.html" import x %}', 'the theme has no template "gone.html"', None),
        ('{% from "macros.html" import buton %}', 'has no macro "buton"', 'did you mean "button"?'),
        ("{{ 1|tojso }}", 'there is no filter "tojso"', 'did you mean "tojson"?'),
        ("{% if 0 %}{{ 1|nosuch }}{% endif %}", 'there is no filter "nosuch"', None),
        ("{% if x is definde %}{% endif %}", 'there is no test "definde"', 'did you mean "defined"?'),
        ("{% if %}", "Expected an expression", None),
        ("{% for a in b %}", "Unexpected end of template", None),
        ("{% block main %}{% endblock %}", 'the block "main" is defined twice; the first is in line 1', None),
    ],
)
def test_a_mistake_in_a_template_has_its_line(
    tmp_path: Path, line: str, reason: str, mend: str | None
) -> None:
    make(
        tmp_path,
        templates__home_html="{% block main %}{% endblock %}\n\n" + line + "\n",
        templates__base_html="x",
        templates__macros_html="{% macro button() %}{% endmacro %}{% set title = 1 %}",
    )
    (problem,) = problems(tmp_path)
    assert (problem.file, problem.line) == (tmp_path / "themes/mine/templates/home.html", 3)
    assert reason in problem.reason
    assert problem.quote == line
    if mend is not None:
        assert problem.mend == mend


def test_what_may_be_missing_is_no_mistake(tmp_path: Path) -> None:
    text = """{% include "gone.html" ignore missing %}{% include ["gone.html", "b.html"] %}
    {% include name %}{% extends page.base if page else "gone.html" %}
    {% if "ours" is filter %}{{ 1|ours }}{% endif %}{% if "mine" is test and 1 is mine %}{% endif %}
    {% from "b.html" import one, two as three %}"""
    own = "{% macro one() %}{% endmacro %}{% if 1 %}{% set two = 2 %}{% endif %}"
    folder = make(tmp_path, templates__a_html=text, templates__b_html=own)
    (folder / "templates" / ".#a.html").symlink_to("user@host.1")
    (folder / "templates" / ".a.html.swp.html").write_bytes(b"\xff")
    assert problems(tmp_path) == []


def test_all_mistakes_of_all_templates_are_told(tmp_path: Path) -> None:
    make(
        tmp_path,
        templates__a_html="{{ 1|nosuch }}\n{{ 2|nosuch }}{{ 2|nosuch }}\n",
        templates__b_html="{% if %}",
        templates__c_html="café é\n".encode("latin-1"),
        templates__d_html='{% include "c.html" %}\n{% include "e.html" %}',
    )
    found = problems(tmp_path, needed=("home.html", "a.html"))
    assert [(file, line) for file, line, *_ in told(found)] == [
        ("a.html", 1), ("a.html", 2), ("b.html", 1), ("c.html", 1), ("d.html", 2), ("", None),
    ]  # fmt: skip
    assert found[-1].reason == 'the theme has no template "home.html"'


def test_templates_that_were_sound_are_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path, templates__a_html="x")
    compiled = tmp_path / "compiled"
    assert problems(tmp_path, compiled) == []

    def looked(*arguments: object) -> bool:
        raise AssertionError("looked at again")

    with monkeypatch.context() as patch:
        patch.setattr("attention_gallery.theme.templates.TemplateInspector.inspect", looked)
        assert problems(tmp_path, compiled) == []
        assert len(problems(tmp_path, compiled, ("b.html",))) == 1
        (folder / "templates" / "a.html").write_text("{{ 1|nosuch }}")
        with pytest.raises(AssertionError):
            problems(tmp_path, compiled)
    assert len(problems(tmp_path, compiled)) == 1
    assert len(problems(tmp_path, compiled)) == 1
    (folder / "templates" / "a.html").write_text("x")
    shutil.rmtree(compiled)
    assert problems(tmp_path, compiled) == []


@pytest.mark.parametrize("kind", ["templates/a.html", "assets/a.css", "assets/a.js", "theme.yaml"])
def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path, kind: str) -> None:
    folder = make(
        tmp_path,
        "name: mine\nstyles: [a.css]\nscripts: [a.js]\n",
        templates__a_html="x\n",
        **{"assets__a.css": "/* x */\n", "assets__a.js": "// x\n"},
    )
    before = (folder / kind).read_bytes()
    (folder / kind).write_bytes(before + "# caf\u00e9\n".encode("latin-1"))
    theme, found = read_theme("mine", tmp_path)
    assert theme is not None
    found += Renderer(theme).problems()
    try:
        bundle(theme, {})
    except ThemeError as error:
        found += error.problems
    (problem,) = found
    assert "not UTF-8" in problem.reason
    assert "save it as UTF-8" in problem.mend
    assert (problem.file, problem.line, problem.column) == (folder / kind, before.count(b"\n") + 1, 6)


def test_marks_of_the_byte_order_do_not_reach_the_site(tmp_path: Path) -> None:
    bom = "\ufeff"
    make(
        tmp_path,
        "styles: [a.css, b.css]\nscripts: [a.js]\n",
        templates__a_html=f"{bom}<p>",
        **{"assets__a.css": f"{bom}a{{}}", "assets__b.css": f"{bom}b{{}}", "assets__a.js": f"{bom}c()"},
    )
    theme = find_theme("mine", tmp_path)
    assert {file.data for file in bundle(theme, {}).files} == {b"a{}\nb{}\n", b"c()\n"}
    assert Renderer(theme).render("a.html") == "<p>"


def test_assets_that_are_missing_are_told_where_they_are_listed(tmp_path: Path) -> None:
    settings = "name: mine\nstyles:\n  - a.css\n  - gone.css\nscripts: [b.js]\nstatic: [f.woff, sub/x.png]\n"
    folder = make(
        tmp_path, settings, **{"assets__a.css": "x{background:url(y.png)}\n\ny{background:url(z.png)}"}
    )
    with pytest.raises(ThemeError) as caught:
        bundle(find_theme("mine", tmp_path), {})
    found = told(list(caught.value.problems))
    assert sorted((file, line, reason.split('"')[1]) for file, line, reason, _ in found) == [
        ("a.css", 1, "y.png"), ("a.css", 3, "z.png"),
        ("theme.yaml", 4, "gone.css"), ("theme.yaml", 5, "b.js"), ("theme.yaml", 6, "f.woff"),
        ("theme.yaml", 6, "sub/x.png"),
    ]  # fmt: skip
    one = next(problem for problem in caught.value.problems if "gone.css" in problem.reason)
    assert (one.file, one.column, one.quote) == (folder / "theme.yaml", 5, "  - gone.css")


def test_an_asset_of_a_parent_is_told_in_the_theme_that_lists_it(tmp_path: Path) -> None:
    make(tmp_path, "extends: base\n")
    (tmp_path / "themes" / "base").mkdir()
    (tmp_path / "themes" / "base" / "theme.yaml").write_text("name: base\nstyles: [base.css]\n")
    with pytest.raises(ThemeError) as caught:
        bundle(find_theme("mine", tmp_path), {})
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (tmp_path / "themes" / "base" / "theme.yaml", 2)


def test_a_parent_that_is_missing_keeps_nothing_else_from_being_told(tmp_path: Path) -> None:
    settings = "name: mine\n\nextends: defalt\nstyels: []\n"
    make(tmp_path, settings, templates__a_html='{% extends "base.html" %}\n{{ 1|nosuch }}')
    theme, found = read_theme("mine", tmp_path)
    assert theme is not None
    assert [
        (line, reason) for _, line, reason, _ in told([*found, *Renderer(theme).problems(("x.html",))])
    ] == [
        (4, 'unknown setting "styels"'),
        (3, 'there is no theme "defalt"'),
        (2, 'there is no filter "nosuch"'),
    ]
    assert found[1].mend == 'did you mean "default"?'
    assert found[1].column == 10


@pytest.mark.parametrize("name", ["mine", "other"])
def test_a_circle_is_told_at_its_line(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path, f"title: x\nextends: {name}\n")
    (tmp_path / "themes" / "other").mkdir()
    (tmp_path / "themes" / "other" / "theme.yaml").write_text("extends: mine\n")
    _, (problem,) = read_theme("mine", tmp_path)
    assert "circle" in problem.reason
    last = folder if name == "mine" else tmp_path / "themes" / "other"
    assert (problem.file, problem.line) == (last / "theme.yaml", 2 if name == "mine" else 1)
