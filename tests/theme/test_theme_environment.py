"""Templates print what plain Jinja2 prints with autoescape on."""

from __future__ import annotations

import jinja2
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from attention_gallery.theme.environment import ThemeEnvironment

anything = st.one_of(
    st.text(),
    st.text().map(Markup),
    st.integers(),
    st.floats(),
    st.none(),
    st.text(alphabet="<>&'\"a", max_size=4),
)


@given(anything)
def test_it_escapes_as_markupsafe_does(printed: object) -> None:
    page = ThemeEnvironment(jinja2.DictLoader({"page": "{{ printed }}"})).get_template("page")
    assert page.render(printed=printed) == escape(printed)


@given(st.text(), st.text())
def test_templates_print_as_jinja2_prints(first: str, second: str) -> None:
    macro = "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}"
    source = macro + "{% set s %}{{ a }}{{ m(b) }}{% endset %}{{ s }}{{ s ~ a }}"
    ours = ThemeEnvironment(jinja2.DictLoader({"page": source}))
    plain = jinja2.Environment(loader=jinja2.DictLoader({"page": source}), autoescape=True)
    values = {"a": first, "b": second}
    assert ours.get_template("page").render(values) == plain.get_template("page").render(values)
