"""Escaping with a memory says what escaping without one says."""

from __future__ import annotations

from types import SimpleNamespace

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from attention_gallery.theme.escaping import Escaped, EscapingEnvironment

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
    page = EscapingEnvironment(jinja2.DictLoader({"page": "{{ value }}"})).get_template("page")
    for value in [*values, *reversed(values)]:
        assert page.render(value=value) == escape(value)


def test_markup_and_an_equal_text_are_told_apart() -> None:
    page = EscapingEnvironment(jinja2.DictLoader({"page": "{{ value }}"})).get_template("page")
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
    ours = EscapingEnvironment(jinja2.DictLoader({"page": source}))
    plain = jinja2.Environment(loader=jinja2.DictLoader({"page": source}), autoescape=True)
    values = {"a": first, "b": second}
    assert ours.get_template("page").render(values) == plain.get_template("page").render(values)
    assert "environment.escaped[" in str(ours.compile(source, raw=True))


@given(st.text(), st.sampled_from(["text", "class", "deep.text", "deep.deep.text"]))
def test_plain_fields_are_python_s_own(value: str, path: str) -> None:
    source = f"{{{{ o.{path} }}}}{{% if o.{path} %}}+{{% endif %}}"
    quick = EscapingEnvironment(jinja2.DictLoader({"page": source}), plain_fields=True)
    plain = jinja2.Environment(loader=jinja2.DictLoader({"page": source}), autoescape=True)
    owner = SimpleNamespace(text=value, **{"class": value})
    owner.deep = owner
    assert quick.get_template("page").render(o=owner) == plain.get_template("page").render(o=owner)
    assert ("environment.getattr" in str(quick.compile(source, raw=True))) == (path == "class")


@pytest.mark.parametrize("source", ["{{ o.nothing }}", "{{ o.text.nothing }}", "{{ d.key }}"])
def test_what_is_no_field_is_an_error_of_python_s(source: str) -> None:
    quick = EscapingEnvironment(jinja2.DictLoader({"page": source}), plain_fields=True)
    with pytest.raises(AttributeError):
        quick.get_template("page").render(o=SimpleNamespace(text="a"), d={"key": 1})
