"""A theme that would make a page ask another host for something is refused, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.build import BuildOptions, check
from attention_gallery.errors import Problem, ThemeError
from attention_gallery.progress import SilentReporter
from attention_gallery.theme.find_theme import find_theme, list_themes
from attention_gallery.theme.local import of_sheet, of_template
from sample_gallery import Sample

FAR = "https://far.test/x"


def in_template(folder: Path, text: str) -> list[Problem]:
    (folder / "a.html").write_text(text, encoding="utf-8")
    return of_template(folder / "a.html")


def in_sheet(folder: Path, text: str) -> list[Problem]:
    (folder / "a.css").write_text(text, encoding="utf-8")
    return of_sheet(folder / "a.css")


@pytest.mark.parametrize(
    "text",
    [
        f'<script src="{FAR}"></script>',
        f"<script src='{FAR}'></script>",
        f"<SCRIPT SRC={FAR}></SCRIPT>",
        '<img src="//far.test/x" alt="">',
        r'<img src="\\far.test/x" alt="">',
        '<img src="http://far.test" alt="">',
        '<img src="&#104;ttps://far.test" alt="">',
        f'<img src="a.png" srcset="a.png 1x, {FAR} 2x" alt="">',
        f'<source srcset="{FAR}, a.png 2x">',
        f'<video poster="{FAR}"></video>',
        f'<iframe src="{FAR}"></iframe>',
        f'<object data="{FAR}"></object>',
        f'<body background="{FAR}">',
        f'<a href="x" ping="{FAR}">x</a>',
        f'<base href="{FAR}/">',
        f'<meta content="0; url={FAR}" http-equiv="Refresh">',
        f'<svg><use href="{FAR}#a"/></svg>',
        f'<svg><image xlink:href="{FAR}"></image></svg>',
        f'<svg><rect fill="url({FAR}#a)"/></svg>',
        f'<p style="background: url({FAR})">x</p>',
        f"<style>p {{ background: url({FAR}) }}</style>",
        *(
            f'<link href="{FAR}" rel="{rel}">'
            for rel in (
                "stylesheet",
                "alternate StyleSheet",
                "icon",
                "shortcut icon",
                "apple-touch-icon",
                "manifest",
                "preload",
                "modulepreload",
                "prefetch",
                "preconnect",
                "dns-prefetch",
            )
        ),
        f'<link rel="preload" as="image" imagesrcset="{FAR} 1x">',
        '<img src="https://{{ site.title }}/x" alt="">',
        "<img src=\"{{ 'https://far.test/' ~ page.title }}\" alt=''>",
        '<img src="{% if page.title %}//far.test/x{% else %}a.png{% endif %}" alt="">',
        '<img src="{% if page.title %}{{ page.root }}{% else %}//far.test/x{% endif %}" alt="">',
        f'<h{{{{ level }}}}><img{{% if a %}} class="b"{{% endif %}} src="{FAR}" alt=""></h{{{{ level }}}}>',
        f'{{% raw %}}<img src="{FAR}" alt="">{{% endraw %}}',
        f'<![if x]><![0[> <img src="{FAR}" alt="">',
    ],
)
def test_a_template_that_names_another_host_is_seen(tmp_path: Path, text: str) -> None:
    (problem,) = in_template(tmp_path, f"first\n{text}")
    assert "is on another host" in problem.reason
    assert problem.mend
    assert (problem.file, problem.line) == (tmp_path / "a.html", 2)
    assert problem.quote == text


@pytest.mark.parametrize(
    "text",
    [
        f'<a href="{FAR}">x</a>',
        f'<svg><a xlink:href="{FAR}"><text>x</text></a></svg>',
        f'<map><area href="{FAR}" alt="x"></map>',
        f'<form action="{FAR}"><button formaction="{FAR}">x</button></form>',
        f'<blockquote cite="{FAR}">{FAR}</blockquote>',
        f'<meta property="og:image" content="{FAR}">',
        *(
            f'<link rel="{rel}" href="{FAR}">'
            for rel in ("canonical", "license", "author", "me", "next", "alternate")
        ),
        '<link rel="{{ rel }}" href="https://far.test">',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"></svg>',
        "<link rel='icon' href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' //x /%3E\">",
        '<img src="data:image/png;base64,//8A" srcset="data:image/png;base64,//8A 2x, a,//b 3x" alt="">',
        f'{{# <img src="{FAR}" alt=""> #}}',
        f'{{#\n<script src="{FAR}"></script>\n#}}',
        f'<!-- <img src="{FAR}" alt=""> -->',
        f'<p>&lt;img src="{FAR}"></p>',
        f"<p title='<img src={FAR}>' data-src='{FAR}'>src=\"{FAR}\"</p>",
        '<img src="{{ page.root }}{{ site.static["a.png"] }}" alt="">',
        '<img src="{{ page.root }}//a.png" alt="">',
        "<img src=\"{{ {'a': 'https://far.test'}.b }}\" alt=''>",
        '<script src="/a.js"></script><script src="a//b.js"></script><img src="//" alt="">',
        '<meta http-equiv="refresh" content="5"><meta http-equiv="refresh" content="0; url=../a/">',
        "<p {{ more }}>{{ 1 < 2 }} < {% if a > 3 %}x{% endif %}",
    ],
)
def test_what_no_browser_loads_is_left_alone(tmp_path: Path, text: str) -> None:
    assert in_template(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"p {{ background: url({FAR}) }}",
        f"p {{ background: URL( '{FAR}' ) }}",
        'p { background: url("//far.test/x") }',
        f'@import "{FAR}";',
        f"@import url({FAR}) screen;",
        f'@IMPORT/* */"{FAR}";',
        f"@font-face {{ src: local(x), url({FAR}) }}",
        f'p {{ background: -webkit-image-set("a.png" type("image/png") 1x, "{FAR}" 2x) }}',
        f"p {{ background: image-set(url({FAR}) 1x) }}",
        f"p {{ --later: url({FAR}) }}",
        f'p {{ content: "/*"; background: url({FAR}) }}',
    ],
)
def test_a_style_sheet_that_names_another_host_is_seen(tmp_path: Path, text: str) -> None:
    (problem,) = in_sheet(tmp_path, f"/* first\n */ {text}\nq {{}}")
    assert problem.line == 2
    assert "far.test" in problem.reason
    assert "assets/" in problem.mend


@pytest.mark.parametrize(
    "text",
    [
        f"/* url({FAR}) @import '{FAR}'; */",
        f"/*\nurl({FAR})",
        "p { background: url(data:image/png;base64,//8A) }",
        "p { background: url(\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>\") }",
        "p { background: url(data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>) }",
        f'a[href^="{FAR}"]::after {{ content: "{FAR}" }}',
        "p { background: url(a.png), url('../b//c.png'), url(#d) }",
        "@namespace svg url(http://www.w3.org/2000/svg); @namespace 'http://www.w3.org/1999/xhtml';",
        "@import 'print.css';",
    ],
)
def test_rules_that_load_nothing_from_elsewhere_are_left_alone(tmp_path: Path, text: str) -> None:
    assert in_sheet(tmp_path, text) == []


def test_the_line_is_that_of_the_address(tmp_path: Path) -> None:
    text = f'{{# a\nb #}}\n<img\n  data-src="x"\n  srcset="a.png"\n  src="{FAR}" alt="">\r\n<p>'
    (problem,) = in_template(tmp_path, text)
    assert (problem.line, problem.quote) == (6, f'  src="{FAR}" alt="">')


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        (f'<script src="{FAR}"></script>', "`scripts:`"),
        (f'<link rel="stylesheet" href="{FAR}">', "`styles:`"),
        (f'<img src="{FAR}" alt="">', "site.static"),
        (f'<link rel="preconnect" href="{FAR}">', "remove it"),
        (f'<iframe src="{FAR}"></iframe>', "remove it"),
    ],
)
def test_the_mend_says_where_the_file_goes(tmp_path: Path, text: str, mend: str) -> None:
    assert mend in in_template(tmp_path, text)[0].mend


def test_only_what_a_theme_uses_is_looked_at_and_all_is_told_at_once(tmp_path: Path) -> None:
    for name, settings in (("base", "styles: [a.css]"), ("mine", "extends: base\nstatic: [s.css, x.txt]")):
        for folder in ("templates", "assets"):
            (tmp_path / "themes" / name / folder).mkdir(parents=True)
        (tmp_path / "themes" / name / "theme.yaml").write_text(settings)
    base, mine = tmp_path / "themes" / "base", tmp_path / "themes" / "mine"
    image, sheet = f'<img src="{FAR}" alt="">', f"p{{background:url({FAR})}}"
    for folder in (base, mine):
        (folder / "templates" / "b.html").write_text(image)
    (base / "templates" / "a.html").write_text(image)
    (mine / "templates" / "a.html").write_text("replaced")
    (mine / "templates" / ".b.html").write_text(image)
    (mine / "templates" / "readme.md").write_text(image)
    (base / "assets" / "a.css").write_text(sheet)
    (mine / "assets" / "s.css").write_text(sheet)
    (mine / "assets" / "unused.css").write_text(sheet)
    with pytest.raises(ThemeError) as caught:
        find_theme("mine", tmp_path)
    assert [problem.file for problem in caught.value.problems] == [
        mine / "templates" / "b.html",
        base / "assets" / "a.css",
        mine / "assets" / "s.css",
    ]
    (mine / "assets" / "a.css").write_text("p{}")
    with pytest.raises(ThemeError) as caught:
        find_theme("mine", tmp_path)
    assert len(caught.value.problems) == 2
    assert {theme.name for theme in list_themes(tmp_path)} == {"base", "default", "mine"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/partials/token_strip.html", f'x\n<img src="{FAR}" alt="">'),
        ("assets/tiny.css", f"x{{}}\n@import url({FAR});"),
    ],
)
def test_build_and_check_refuse_such_a_theme(sample: Sample, name: str, text: str) -> None:
    sample.build()
    before = sample.tree()
    path = sample.write(f"themes/tiny/{name}", text)
    for attempt in (sample.build, lambda: check(sample.manifest, BuildOptions(), SilentReporter())):
        with pytest.raises(ThemeError, match="is on another host") as caught:
            attempt()
        assert [(problem.file, problem.line) for problem in caught.value.problems] == [(path, 2)]
    assert sample.tree() == before
