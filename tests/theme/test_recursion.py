"""Templates that lead back to themselves are told with the way that they take and what ends it."""

from __future__ import annotations

import pytest
from test_theme_render import renderer

from attention_gallery.errors import ThemeError

LEADS_BACK: dict[str, tuple[dict[str, str], str]] = {
    "includes itself": ({"a": "x\n{% include 'a.html' %}"}, "a.html line 2 → a.html line 2"),
    "include each other": (
        {"a": "x\n{% include 'b.html' %}", "b": "\n\n{% include 'a.html' %}"},
        "a.html line 2 → b.html line 3 → a.html line 2",
    ),
    "extends itself": ({"a": "{% extends 'a.html' %}"}, "a.html line 1 → a.html line 1"),
    "extend each other": (
        {"a": "{% extends 'b.html' %}", "b": "{% extends 'a.html' %}"},
        "a.html line 1 → b.html line 1 → a.html line 1",
    ),
    "import each other": (
        {"a": "{% import 'b.html' as b %}", "b": "{% import 'a.html' as a %}"},
        "a.html line 1 → b.html line 1 → a.html line 1",
    ),
    "a macro": (
        {"a": "{% macro m() %}\n{{ m() }}{% endmacro %}\n{{ m() }}"},
        "a.html line 2 → a.html line 2",
    ),
    "two macros": (
        {"a": "{% macro m() %}\n{{ n() }}{% endmacro %}\n{% macro n() %}{{ m() }}{% endmacro %}\n{{ m() }}"},
        "a.html line 2 → a.html line 3 → a.html line 2",
    ),
    "a block": ({"a": "{% block b %}\n{{ self.b() }}{% endblock %}"}, "a.html line 2 → a.html line 2"),
    "a loop": (
        {"a": "{% for x in [1] recursive %}\n{{ loop([1]) }}{% endfor %}"},
        "a.html line 2 → a.html line 2",
    ),
    "many": (
        {
            f"{name}": f"{{% include '{after}.html' %}}"
            for name, after in zip("abcdefgh", "bcdefgha", strict=True)
        },
        "a.html line 1 → b.html line 1 → c.html line 1 → d.html line 1 → … → a.html line 1",
    ),
}


@pytest.mark.parametrize("name", LEADS_BACK)
def test_what_leads_back_to_itself_is_told_with_its_way(tmp_path, name: str) -> None:
    templates, way = LEADS_BACK[name]
    page = renderer(tmp_path, **templates)
    with pytest.raises(ThemeError) as caught:
        page.render("a.html")
    [problem] = caught.value.problems
    assert problem.reason == f"the templates lead back to the same place again and again: {way}"
    assert "{% if … %}" in problem.mend
    assert problem.file is not None
    assert f"{problem.file.name} line {problem.line}" == way.split(" → ")[0]


@pytest.mark.parametrize(
    "source", ["{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{% if 1 %}" * 900 + "{% endif %}" * 900]
)
def test_a_template_that_is_nested_too_deep_is_told(tmp_path, source: str) -> None:
    page = renderer(tmp_path, a=source, b="{% from 'a.html' import m %}")
    [problem] = page.problems()
    assert (problem.file and problem.file.name) == "a.html"
    assert problem.reason == "the template is nested too deep to be read"
    with pytest.raises(ThemeError, match="nested too deep"):
        page.render("a.html")
