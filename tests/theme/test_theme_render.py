"""Templates escape everything, and every mistake in them is told with template and line."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from attention_gallery.errors import ThemeError
from attention_gallery.pages.contexts.page_contexts import Link, Neighbours
from attention_gallery.theme.find_theme import find_theme
from attention_gallery.theme.renderer import Renderer
from attention_gallery.theme.undefined import without_modules
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


class Owner:
    """Has a field, an element, and one of each under the same name."""

    field = "<field>"
    both = "field"

    def __getitem__(self, name: str) -> str:
        return {"element": "element", "both": "element"}[name]


def test_fields_are_found_as_jinja2_finds_them(tmp_path: Path) -> None:
    source = "{{ o.field }} {{ o.both }} {{ o.element }} {{ d.key.deeper }} {{ t.x }} {{ d.x is defined }}"
    page = renderer(tmp_path, a=source, b="{% include 'a.html' %}")
    values = {"o": Owner(), "d": {"key": {"deeper": [1]}}, "t": {"x": None}}
    expected = jinja2.Environment(autoescape=True).from_string(source).render(values)
    for name in ("a.html", "b.html", "a.html"):
        assert page.render(name, **values) == expected


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        ("one\ntwo {{ nothing }}", "'nothing' is undefined", 2),
        ("\n\n{{ x.field }}", '"x" is a text and has no "field"', 3),
        ("{{ x.field.deeper }}", '"x" is a text and has no "field"', 1),
        ("\n{% if nothing %}{% endif %}", "'nothing' is undefined", 2),
        ("\n{% for a in nothing %}{% endfor %}", "'nothing' is undefined", 2),
        ("a\n{% endif %}", "unknown tag 'endif'", 2),
        ("a\nb\n{{ x|nofilter }}", "nofilter", 3),
        ("\n{{ 1 / 0 }}", "ZeroDivisionError", 2),
        ('\n{{ "%d" % x }}', "TypeError", 2),
        ("\n{{ x[2:3].index('z') }}", "ValueError", 2),
        ("{% macro again() %}\n{{ again() }}{% endmacro %}{{ again() }}", "lead back to the same place", 2),
    ],
)
def test_mistakes_are_told_with_template_and_line(tmp_path: Path, text: str, told: str, line: int) -> None:
    page = renderer(tmp_path, a=text)
    with pytest.raises(ThemeError, match=told) as caught:
        page.render("a.html", x="text")
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == (tmp_path / "themes" / "mine" / "templates" / "a.html", line)
    assert problem.quote == text.split("\n")[line - 1]


WAYS = Neighbours(None, Link("L0H1", "../l00h01/"), None, None)
GIVEN = {"view": WAYS, "link": WAYS.next, "cards": [WAYS], "options": {"scheme": "auto"}}


@pytest.mark.parametrize(
    ("text", "reason", "mend"),
    [
        ("{{ view.nxet }}", '"view" has no "nxet"', 'did you mean "next"?'),
        ("{{ view.nxet.href }}", '"view" has no "nxet"', 'did you mean "next"?'),
        ("{{ view['nxet'] }}", '"view" has no "nxet"', 'did you mean "next"?'),
        ("{{ view.next.hreff }}", '"view.next" has no "hreff"', 'did you mean "href"?'),
        ("{{ cards[0].nxet }}", '"cards[0]" has no "nxet"', 'did you mean "next"?'),
        ("{{ link.unheard }}", '"link" has no "unheard"', "known: href, text, title"),
        ("{{ options.shceme }}", '"options" has no "shceme"', 'did you mean "scheme"?'),
        ('{{ options["shceme"] }}', '"options" has no "shceme"', 'did you mean "scheme"?'),
        (
            "{{ view.up.href }}",
            '"view.up" is nothing (None) and has no "href"',
            "write {% if view.up %} … {% endif %} around it",
        ),
        ("{{ cards[3] }}", '"cards" is a list and has no element 3', ""),
        (
            "{{ cards.nxet }}",
            '"cards" is a list and has no "nxet"',
            "go through it: {% for one in cards %} … {% endfor %}",
        ),
        ("{{ link.href.uper() }}", '"link.href" is a text and has no "uper"', 'did you mean "upper"?'),
        (
            "{% for a in cards %}{{ loop.fisrt }}{% endfor %}",
            '"loop" has no "fisrt"',
            'did you mean "first"?',
        ),
        ("{{ cards|map(attribute='nxet')|join }}", 'a Neighbours has no "nxet"', 'did you mean "next"?'),
        ("{{ link.text }}{{ view.text }}", 'a Neighbours has no "text"', 'did you mean "next"?'),
        ("{{ veiw }}", "'veiw' is undefined", 'did you mean "view"?'),
        ("{{ sit.title }}", "'sit' is undefined", 'did you mean "site"?'),
        ("{% import 'm.html' as m %}{{ m.shwo() }}", '"m" has no "shwo"', 'did you mean "show"?'),
        ("{{ options + 1 }}", "TypeError: unsupported operand type(s) for +: 'dict' and 'int'", ""),
        ("{{ '%d' % options }}", "TypeError: %d format: a real number is required, not dict", ""),
        (
            "{{ link.count }}",
            '"count" is a function, not a text: call it, or ask for something else',
            "",
        ),
        (
            "{{ link.href.upper }}",
            '"upper" is a function, not a text: call it, or ask for something else',
            "",
        ),
        ("{{ view() }}", "TypeError: 'Neighbours' object is not callable", ""),
    ],
)
def test_what_is_not_there_is_told_in_the_words_of_the_template(
    tmp_path: Path, text: str, reason: str, mend: str
) -> None:
    page = renderer(tmp_path, a=f"\n{text}", m="{% macro show() %}{% endmacro %}")
    page.share(site="site")
    with pytest.raises(ThemeError) as caught:
        page.render("a.html", **GIVEN)
    (problem,) = caught.value.problems
    assert (problem.reason, problem.mend, problem.line) == (reason, mend, 2)


def test_a_macro_that_does_not_see_a_name_is_told_how_it_would(tmp_path: Path) -> None:
    macros = "{% macro show() %}{{ view }}{% endmacro %}"
    page = renderer(tmp_path, a='{% from "b.html" import show %}{{ show() }}', b=macros)
    with pytest.raises(ThemeError, match="with context") as caught:
        page.render("a.html", **GIVEN)
    assert caught.value.problems[0].reason == "'view' is undefined"


def test_what_may_be_missing_can_still_be_asked_for(tmp_path: Path) -> None:
    text = "{{ view.nothing is defined }} {{ view.nothing|default('-') }} {{ nothing|default('-') }}"
    assert renderer(tmp_path, a=text).render("a.html", **GIVEN) == "False - -"


def test_no_message_names_a_module(tmp_path: Path) -> None:
    assert (
        without_modules("'attention_gallery.pages.contexts.page_contexts.Link object' is odd")
        == "'Link object' is odd"
    )
    page = renderer(tmp_path, a='{% from "b.html" import shwo %}{{ shwo() }}', b="x")
    with pytest.raises(ThemeError, match=r"b\.html.* does not export the requested name 'shwo'"):
        page.render("a.html")


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
