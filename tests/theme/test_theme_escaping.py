"""Escaping with a memory says what escaping without one says."""

from __future__ import annotations

import jinja2
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from attention_gallery.theme.environment import Escaped, ThemeEnvironment

anything = st.one_of(
    st.text(),
    st.text().map(Markup),
    st.integers(),
    st.floats(),
    st.none(),
    st.text(alphabet="<>&'\"a", max_size=4),
)


@given(st.lists(anything, max_size=20))
def test_it_escapes_as_markupsafe_does(values: list[object]) -> None:
    page = ThemeEnvironment(jinja2.DictLoader({"page": "{{ value }}"})).get_template("page")
    for value in [*values, *reversed(values)]:
        assert page.render(value=value) == escape(value)


def test_markup_and_an_equal_text_are_told_apart() -> None:
    page = ThemeEnvironment(jinja2.DictLoader({"page": "{{ value }}"})).get_template("page")
    for value in ("<b>", Markup("<b>"), "<b>", Markup("<b>")):
        assert page.render(value=value) == ("<b>" if isinstance(value, Markup) else "&lt;b&gt;")


def test_it_remembers_short_texts_and_not_without_end() -> None:
    escaped = Escaped()
    long = "<" * 1000
    assert escaped[long] == "&lt;" * 1000
    for number in range(20_000):
        assert escaped[f"{number}&"] == f"{number}&amp;"
    assert 0 < len(escaped) < 20_000
    assert long not in escaped


@given(st.text(), st.text())
def test_templates_print_as_jinja2_prints(first: str, second: str) -> None:
    macro = "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}"
    source = macro + "{% set s %}{{ a }}{{ m(b) }}{% endset %}{{ s }}{{ s ~ a }}"
    ours = ThemeEnvironment(jinja2.DictLoader({"page": source}))
    plain = jinja2.Environment(loader=jinja2.DictLoader({"page": source}), autoescape=True)
    values = {"a": first, "b": second}
    assert ours.get_template("page").render(values) == plain.get_template("page").render(values)
    assert "environment.escaped[" in str(ours.compile(source, raw=True))
