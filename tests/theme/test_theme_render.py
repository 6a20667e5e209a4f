"""Templates escape everything, and every mistake in them is told with template and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import ThemeError
from attention_gallery.theme.find import find_theme
from attention_gallery.theme.render import Renderer
from sample_gallery import Sample


def renderer(tmp_path: Path, **templates: str) -> Renderer:
    folder = tmp_path / "themes" / "mine"
    (folder / "templates").mkdir(parents=True)
    (folder / "theme.yaml").write_text("name: mine\n")
    for name, text in templates.items():
        (folder / "templates" / f"{name}.html").write_text(text, encoding="utf-8")
    return Renderer(find_theme("mine", tmp_path))


def test_values_are_escaped_in_text_and_attributes(tmp_path: Path) -> None:
    page = renderer(tmp_path, a='<p title="{{ x }}">{{ x }}</p>')
    html = page.render("a.html", x="</p>\"'><script>&{{ 7*7 }}")
    assert html == (
        '<p title="&lt;/p&gt;&#34;&#39;&gt;&lt;script&gt;&amp;{{ 7*7 }}">'
        "&lt;/p&gt;&#34;&#39;&gt;&lt;script&gt;&amp;{{ 7*7 }}</p>"
    )


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        ("one\ntwo {{ nothing }}", "'nothing' is undefined", 2),
        ("\n\n{{ x.field }}", "no attribute 'field'", 3),
        ("{{ x.field.deeper }}", "no attribute 'field'", 1),
        ("\n{% if nothing %}{% endif %}", "'nothing' is undefined", 2),
        ("\n{% for a in nothing %}{% endfor %}", "'nothing' is undefined", 2),
        ("a\n{% endif %}", "unknown tag 'endif'", 2),
        ("a\nb\n{{ x|nofilter }}", "nofilter", 3),
        ("\n{{ 1 / 0 }}", "ZeroDivisionError", 2),
        ('\n{{ "%d" % x }}', "TypeError", 2),
        ("\n{{ x[2:3].index('z') }}", "ValueError", 2),
        ("{% macro again() %}\n{{ again() }}{% endmacro %}{{ again() }}", "RecursionError", 2),
    ],
)
def test_mistakes_are_told_with_template_and_line(tmp_path: Path, text: str, told: str, line: int) -> None:
    page = renderer(tmp_path, a=text)
    with pytest.raises(ThemeError, match=told) as caught:
        page.render("a.html", x="text")
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (tmp_path / "themes" / "mine" / "templates" / "a.html", line)
    assert problem.quote == text.split("\n")[line - 1]


def test_a_mistake_in_an_included_template_is_told_there(tmp_path: Path) -> None:
    page = renderer(tmp_path, a='\n\n{% include "b.html" %}', b="\n{{ nothing }}")
    with pytest.raises(ThemeError) as caught:
        page.render("a.html")
    problem = caught.value.problems[0]
    assert problem.file is not None
    assert (problem.file.name, problem.line) == ("b.html", 2)


def test_a_missing_template_is_told_with_what_was_meant(tmp_path: Path) -> None:
    page = renderer(tmp_path, home='{% include "heda.html" %}', head="x")
    with pytest.raises(ThemeError, match=r'did you mean "home\.html"'):
        page.render("hme.html")
    with pytest.raises(ThemeError, match=r'no template "heda.html"\n.*did you mean "head.html"'):
        page.render("home.html")


@pytest.mark.parametrize("name", ["../secret.html", "/etc/hostname", "../../mine/theme.yaml"])
def test_a_template_cannot_read_outside_its_theme(tmp_path: Path, name: str) -> None:
    page = renderer(tmp_path, a='{% include "' + name + '" %}')
    (tmp_path / "themes" / "mine" / "secret.html").write_text("secret")
    with pytest.raises(ThemeError, match="no template"):
        page.render("a.html")


def test_a_template_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    page = renderer(tmp_path, a="x")
    (tmp_path / "themes" / "mine" / "templates" / "b.html").write_bytes(b"caf\xe9")
    with pytest.raises(ThemeError, match="not UTF-8"):
        page.render("b.html")


def test_shared_values_are_known_to_macros_of_other_templates(tmp_path: Path) -> None:
    macros = "{% macro show() %}{{ site }}{% endmacro %}"
    page = renderer(tmp_path, a='{% from "b.html" import show %}{{ show() }}', b=macros)
    page.share(site="<shared>")
    assert page.render("a.html") == "&lt;shared&gt;"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('<a href="x">y</a><img src="z">', True),
        ("<a href='x'>y</a>", False),
        ('<a HREF="x">y</a>', False),
        ('<img src = "x">', False),
        ('<img srcset="x 2x">', False),
        ('<p data-href="x">the href of it</p>', True),
    ],
)
def test_the_writing_of_links_is_seen(tmp_path: Path, text: str, plain: bool) -> None:
    assert renderer(tmp_path, a=text).writes_plain_links() is plain


@pytest.mark.parametrize("template", ["head.html", "partials/token_strip.html", "home.html", "404.html"])
def test_a_broken_template_swaps_nothing(sample: Sample, template: str) -> None:
    sample.build()
    before = sample.tree()
    sample.write(f"themes/tiny/templates/{template}", "first\n{{ site.tilte }}")
    with pytest.raises(ThemeError) as caught:
        sample.build()
    problem = caught.value.problems[0]
    assert problem.file == sample.root / "themes" / "tiny" / "templates" / template
    assert problem.line == 2
    assert sample.tree() == before
