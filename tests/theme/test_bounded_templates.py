"""Templates that go on and on are refused with their file and line; counted, not timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import ThemeError
from attention_gallery.theme import bounds
from attention_gallery.theme.find_theme import find_theme
from attention_gallery.theme.renderer import Renderer

STEPS = "takes more than 5,000,000 steps"
SIZE = "more than 10,000,000 characters"
BOMBS = {
    "a range": ("{% for i in range(10 ** 12) %}x{% endfor %}", SIZE),
    "a range in a range": (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        STEPS,
    ),
    "loops over data": (
        "{% for a in ten %}{% for b in ten %}{% for c in ten %}{% for d in ten %}"
        "{% for e in ten %}{% for f in ten %}"
        "{% for g in ten %}{% for h in ten %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
        "{% endfor %}{% endfor %}{% endfor %}",
        STEPS,
    ),
    "a list of a range": ("{{ range(10 ** 11) | list }}", SIZE),
    "a doubled name": (
        "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        SIZE,
    ),
    "a doubled sum": (
        "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
        SIZE,
    ),
    "a doubled block": (
        "{% set n = namespace(x='a' * 99) %}{% for i in range(60) %}{% set y %}{{ n.x }}{{ n.x }}{% endset %}"
        "{% set n.x = y %}{% endfor %}",
        SIZE,
    ),
    "a doubled argument": (
        "{% macro m(x, n) %}{% if n %}{{ m(x ~ x, n - 1) }}{% endif %}{% endmacro %}{{ m('ab', 60) }}",
        SIZE,
    ),
    "a product": ("{{ 'a' * ten[9] ** 12 }}", SIZE),
    "a list": ("{{ (ten * (ten[8] ** 9)) | length }}", SIZE),
    "a power": ("{{ ten[9] ** (ten[9] ** 9) }}", SIZE),
    "a wide number": ("{{ '%99999999999d' % ten[1] }}", SIZE),
    "a wide text": ("{{ word | center(99999999999) }}", SIZE),
    "a wide indentation": ("{{ word | indent(width=99999999999) }}", SIZE),
    "a wide method": ("{{ word.ljust(99999999999) }}", SIZE),
    "a format": ("{{ '{:>99999999999}'.format(word) }}", SIZE),
    "a format of a width": ("{{ '{:>{}}'.format(word, 99999999999) }}", SIZE),
    "a format filter": ("{{ '%99999999999s' | format(word) }}", SIZE),
    "a replacement": ("{{ ('a' * 9999).replace('a', 'b' * 9999) }}", SIZE),
    "a replacing filter": ("{{ ('a' * 9999) | replace('a', 'b' * 9999) }}", SIZE),
    "a flood": (
        "{% for i in range(99999) %}{{ 'a' * 99999 ~ i }}{% endfor %}",
        "the page has more than 256,000,000 characters",
    ),
    "a mapped filter": ("{{ [word] | map('center', 99999999999) | list }}", SIZE),
    "a method by its name": ("{{ word['ljust'](99999999999) }}", "must be called where"),
    "a method as a field": ("{{ (word | attr('ljust'))(99999999999) }}", "must be called where"),
    "a method that is kept": ("{% set f = word.ljust %}{{ f(99999999999) }}", "must be called where"),
    "a joined list": ("{{ range(9999) | join('b' * 9999) }}", SIZE),
    "a joining method": ("{{ ('b' * 9999).join(range(9999) | map('string') | list) }}", SIZE),
    "a macro that calls itself twice": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        STEPS,
    ),
    "a macro without end": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "lead back"),
    "a template that has itself": ("{% include 'page.html' %}", "lead back"),
    "a template that has itself twice": (
        "{% set n = n | default(0) + 1 %}{% if n < 60 %}{% include 'page.html' %}"
        "{% include 'page.html' %}{% endif %}",
        STEPS,
    ),
    "a template that extends itself": ("{% extends 'page.html' %}", "lead back"),
    "a block in itself": ("{% block a %}{{ self.a() }}{% endblock %}", "lead back"),
    "a recursive loop": (
        "{% for x in ten recursive %}{% if loop.depth < 60 %}{{ loop(ten) }}{% endif %}{% endfor %}",
        STEPS,
    ),
}


def renderer(root: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> Renderer:
    folder = root / "themes" / "own"
    (folder / "templates").mkdir(parents=True)
    (folder / "theme.yaml").write_text("name: own\n")
    (folder / "templates" / "page.html").write_text(source)
    return Renderer(find_theme("own", root), root / "compiled")


@pytest.mark.parametrize("name", BOMBS)
def test_what_goes_on_and_on_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, reason = BOMBS[name]
    made = renderer(tmp_path, source, monkeypatch)
    with pytest.raises(ThemeError, match=f"(?i){reason}") as caught:
        made.render("page.html", ten=list(range(1, 11)), word="x")
    assert "page.html" in str(caught.value)


def test_ordinary_templates_read_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "{% macro m(x, y='d') %}[{{ x ~ y + '!' }}]{% endmacro %}{% set z %}<b>{{ word }}</b>{% endset %}"
        "{% for x in ten if x is odd %}{{ loop.index }}/{{ loop.length }}:{{ x * 2 ** 3 % 5 }}"
        "{{ ',' if not loop.last }}{% else %}none{% endfor %}|{{ m('<') }}|{{ m(1, y='2') }}|{{ z }}|"
        "{{ ten | join('<') }}|{{ word.replace('<', 'y') }}|{{ '%03d' % 7 }}|{{ '{:>4}'.format(word) }}|"
        "{{ 'a' | center(3) }}|{{ ','.join(['p', 'q']) }}|{{ 'x\ny' | indent(2) }}|"
        "{{ word | replace('<', 'z') }}|"
        "{{ range(3) | list }}|{{ [1] + [2] }}|{{ 7 % 4 }}|"
        "{{ {'format': 5}.format }}{{ {'join': 6}['join'] }}|"
        "{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}"
    )
    said = renderer(tmp_path, source, monkeypatch).render("page.html", ten=list(range(1, 11)), word="<")
    assert said == (
        "1/5:3,2/5:4,3/5:0,4/5:1,5/5:2|[&lt;d!]|[12!]|<b>&lt;</b>|"
        "1&lt;2&lt;3&lt;4&lt;5&lt;6&lt;7&lt;8&lt;9&lt;10|y|007|"
        "   &lt;| a |p,q|x\n  y|z|[0, 1, 2]|[1, 2]|3|56|a1"
    )


def test_every_page_begins_with_all_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_STEPS", 12 + bounds.CALL)
    made = renderer(tmp_path, "{% for x in ten %}{{ x }}{% endfor %}", monkeypatch)
    for _ in range(5):
        assert made.render("page.html", ten=range(10)) == "0123456789"
    with pytest.raises(ThemeError, match="takes more than 37 steps"):
        made.render("page.html", ten=range(13))
    with pytest.raises(ThemeError, match="takes more than 37 steps"):
        made.render("page.html", ten=(x for x in iter(int, 1)))
