"""Themes are found in order, inherit, and tell their mistakes."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attention_gallery.build import BuildOptions, check
from attention_gallery.errors import Problem, ThemeError, UserError
from attention_gallery.progress import SilentReporter
from attention_gallery.theme.find_theme import find_theme, list_themes, read_theme
from attention_gallery.theme.renderer import Renderer
from hostile_files import Maker, huge, pipe, put
from sample_gallery import Sample


def make(project: Path, name: str, settings: str = "", **files: str) -> Path:
    folder = project / "themes" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theme.yaml").write_text(settings or f"name: {name}\n", encoding="utf-8")
    for path, text in files.items():
        target = folder / path.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def test_the_packaged_theme_is_found_without_a_project_theme(tmp_path: Path) -> None:
    theme = find_theme("default", tmp_path)
    assert theme.name == "default"
    assert theme.styles
    assert [one.name for one in list_themes(tmp_path)] == ["default"]


def test_a_project_theme_comes_first_and_may_extend_its_namesake(tmp_path: Path) -> None:
    own = make(tmp_path, "default", "name: default\nextends: default\nstyles: [own.css]\n")
    theme = find_theme("default", tmp_path)
    assert theme.folders[0] == own
    assert len(theme.folders) == 2
    assert theme.styles[-1] == "own.css"
    assert theme.styles[:-1] == find_theme("default", tmp_path / "nowhere").styles


def test_files_options_and_styles_are_inherited_in_order(tmp_path: Path) -> None:
    make(
        tmp_path,
        "base",
        "styles: [a.css, b.css]\noptions: {x: {default: 1}, y: {default: one, css: --y}}\n",
        **{"assets__a.css": "A", "assets__b.css": "B"},
    )
    make(tmp_path, "middle", "extends: base\nstyles: [b.css, c.css]\n", **{"assets__b.css": "BB"})
    make(tmp_path, "top", "extends: middle\ntitle: The top\noptions: {y: {default: two}}\n")
    theme = find_theme("top", tmp_path)
    assert theme.styles == ("a.css", "b.css", "c.css")
    assert theme.asset("b.css").read_text() == "BB"
    assert theme.asset("a.css").read_text() == "A"
    assert {name: option.default for name, option in theme.options.items()} == {"x": 1, "y": "two"}
    assert theme.title == "The top"


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_is_told(tmp_path: Path, length: int) -> None:
    for number in range(length):
        make(tmp_path, f"t{number}", f"extends: t{(number + 1) % length}\n")
    with pytest.raises(ThemeError, match="circle"):
        find_theme("t0", tmp_path)


def test_an_unknown_theme_or_parent_is_told_with_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match='did you mean "default"'):
        find_theme("defualt", tmp_path)
    folder = make(tmp_path, "mine", "extends: defalt\n")
    with pytest.raises(ThemeError, match='did you mean "default"') as caught:
        find_theme("mine", tmp_path)
    assert caught.value.problems[0].file == folder / "theme.yaml"


def test_a_parent_that_is_missing_is_told_at_its_line(tmp_path: Path) -> None:
    make(tmp_path, "mine", "name: mine\n\nextends: nothere\n")
    with pytest.raises(ThemeError, match='there is no theme "nothere"') as caught:
        find_theme("mine", tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (3, 10)


@pytest.mark.parametrize("name", ["..", "../themes/mine", "mine/../mine", "/etc", ".", "", "mine\n", "a\x00"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    make(tmp_path, "mine")
    with pytest.raises(ThemeError, match="there is no theme"):
        find_theme(name, tmp_path)


def test_a_parent_is_no_path(tmp_path: Path) -> None:
    make(tmp_path / "other", "outside")
    make(tmp_path, "mine", "extends: ../../other/themes/outside\n")
    with pytest.raises(ThemeError, match="there is no theme"):
        find_theme("mine", tmp_path)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("- a list\n", "described by"),
        ("styels: []\n", 'did you mean "styles"'),
        ("styles: one.css\n", "list of file names"),
        ("static: [1]\n", "list of file names"),
        ("title: [x]\n", "must be text"),
        ("options: [x]\n", "mapping"),
        ("options: {x: red}\n", "needs `default:`"),
        ("options: {x: {default: red, colour: 1}}\n", "needs `default:`"),
        ("options: {x: {default: 2020-01-01}}\n", "is not text, a number, true or false"),
        ("options: {x: {default: null}}\n", "is not text, a number, true or false"),
        ("options: {x: {default: red, css: 1}}\n", "must be text"),
        ("options: {x: {default: red, choices: red}}\n", "must be a list of values"),
        ("options: {x: {default: red, choices: []}}\n", "must be a list of values"),
        ("options: {x: {default: red, choices: [red, 1]}}\n", "must be text, like its default"),
        ("options: {x: {default: 'on', choices: [on, off]}}\n", "must be text, like its default"),
        ("options: {x: {default: 1, choices: [true]}}\n", "must be a whole number, like its default"),
        ("options: {x: {default: red, choices: [blue, green]}}\n", "is none of its `choices:`"),
        ("name: [\n", "not valid YAML"),
        ("name: mine\nname: yours\n", 'the key "name" stands here twice'),
        ("name: &a x\ntitle: *b\n", "no anchor"),
    ],
)
def test_a_mistake_in_theme_yaml_is_told(tmp_path: Path, settings: str, told: str) -> None:
    folder = make(tmp_path, "mine", settings)
    with pytest.raises(ThemeError, match=told) as caught:
        find_theme("mine", tmp_path)
    assert {problem.file for problem in caught.value.problems} == {folder / "theme.yaml"}


def test_a_mistake_in_theme_yaml_has_its_line(tmp_path: Path) -> None:
    make(tmp_path, "mine", "name: mine\noptions:\n  x: {default: [1]}\nstyels: []\n")
    with pytest.raises(ThemeError) as caught:
        find_theme("mine", tmp_path)
    assert {(problem.line, problem.quote) for problem in caught.value.problems} == {
        (3, "  x: {default: [1]}"),
        (4, "styels: []"),
    }


def test_a_theme_yaml_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (make(tmp_path, "mine") / "theme.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(ThemeError, match="not UTF-8"):
        find_theme("mine", tmp_path)


def at(name: str, reason: str, mend: str) -> Problem:
    return Problem(f"{name}: {reason}", mend, Path("gallery.yaml"), 7)


OPTIONS = "options: {c: {default: red, css: --c}, n: {default: 1.5}, i: {default: 2}, b: {default: true}}\n"


def test_choices_replace_defaults(tmp_path: Path) -> None:
    make(tmp_path, "mine", OPTIONS)
    theme = find_theme("mine", tmp_path)
    chosen = theme.values({"c": "light-dark(#fff, rgb(0 0 0 / 50%))", "n": 3}, at)
    assert chosen == {"c": "light-dark(#fff, rgb(0 0 0 / 50%))", "n": 3, "i": 2, "b": True}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"C": "red"}, "known: b, c, i, n"),
        ({"c": 3}, "must be text, not 3"),
        ({"i": True}, "must be a whole number, not True"),
        ({"i": 2.5}, "must be a whole number"),
        ({"b": 1}, "must be true or false, not 1"),
        ({"n": "1.5"}, "must be a number"),
        *(
            ({"c": value}, "plain CSS")
            for value in ("red;}", "a{b", "url(x)", "URL (x)", "</style>", "@x", "/*", "image-set('//e')")
        ),
    ],
)
def test_wrong_choices_are_told(
    tmp_path: Path, chosen: dict[str, str | bool | int | float], told: str
) -> None:
    make(tmp_path, "mine", OPTIONS)
    with pytest.raises(ThemeError, match=told) as caught:
        find_theme("mine", tmp_path).values(chosen, at)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (Path("gallery.yaml"), 7)
    assert problem.reason.startswith(next(iter(chosen)) + ": ")


CHOICES = "options: {s: {default: auto, choices: [auto, dark]}, n: {default: 0.5, choices: [0.5, 1]}}\n"


def test_a_value_is_one_of_the_choices(tmp_path: Path) -> None:
    make(tmp_path, "mine", CHOICES)
    make(tmp_path, "child", "extends: mine\n")
    theme = find_theme("child", tmp_path)
    assert theme.values({"s": "dark", "n": 1}, at) == {"s": "dark", "n": 1}
    for chosen, told in (
        ({"s": "drak"}, "cannot be 'drak'\n.*did you mean \"dark\""),
        ({"s": "loud"}, "cannot be 'loud'\n.*known: auto, dark"),
        ({"s": True}, "must be text, not True"),
        ({"n": 2}, "cannot be 2\n.*known: 0.5, 1"),
    ):
        with pytest.raises(ThemeError, match=told):
            theme.values(chosen, at)


def test_a_wrong_option_has_its_line_in_the_manifest(sample: Sample) -> None:
    sample.settings["theme"] = "default"
    sample.settings["theme_options"] = {"accent": "red", "scheme": "drak", "plotyl": "ask"}
    sample.save()
    lines = sample.manifest.read_text().split("\n")
    for attempt in (sample.build, lambda: check(sample.manifest, BuildOptions(), SilentReporter())):
        with pytest.raises(UserError) as caught:
            attempt()
        places = [(one.file, lines[(one.line or 0) - 1].strip(), one.mend) for one in caught.value.problems]
        assert places == [
            (sample.manifest, "scheme: drak", 'did you mean "dark"?'),
            (sample.manifest, "plotyl: ask", 'did you mean "plotly"?'),
        ]


@pytest.mark.parametrize(
    "name", ["assets/secret.css", "templates/home.html", "assets/fonts", "assets/a/x.png"]
)
def test_no_file_of_a_theme_leads_out_of_it(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path, "mine", "styles: [secret.css]\n")
    (tmp_path / "secret").write_text("secret")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(tmp_path / "secret")
    with pytest.raises(ThemeError, match="leads out of the theme"):
        find_theme("mine", tmp_path)


@pytest.mark.parametrize("make_unusable", [pipe, huge, "a file that may not be read", "such a folder"])
def test_what_cannot_be_read_hides_no_other_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_unusable: Maker | str
) -> None:
    templates = {"templates__z.html": '<img src="//far.test/x">', "templates__pieces__a.html": "A"}
    folder = make(tmp_path, "mine", "name: mine\nstlyes: [a.css]\n", **templates)
    path = folder / "templates" / "pieces"
    if callable(make_unusable):
        path = put(path / "a.html", make_unusable)
    else:
        path = path if make_unusable == "such a folder" else path / "a.html"
        refuse(monkeypatch, path)
    theme, problems = read_theme("mine", tmp_path)
    assert theme is not None
    assert [problem.file for problem in problems].count(path) == 1, problems
    told = "\n".join(problem.render() for problem in problems)
    assert 'unknown setting "stlyes"' in told
    if path.name == "a.html":
        assert '"//far.test/x" is on another host' in told
    # What is left of it can be looked at, and what is not known to be missing is not told as missing.
    assert Renderer(theme).problems(["404.html"]) == []


def refuse(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Have the system refuse to read a file or folder, also to root."""

    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        def refused(name: Any, *rest: Any, **more: Any) -> Any:
            if not isinstance(name, int) and os.fspath(name) == str(path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return call(name, *rest, **more)

        return refused

    for module, name in ((os, "open"), (os, "scandir"), (io, "open")):
        monkeypatch.setattr(module, name, guarded(getattr(module, name)))


def test_mistakes_in_other_templates_are_told_beside_a_pipe(sample: Sample) -> None:
    put(sample.root / "themes/tiny/templates/404.html", pipe)
    sample.write("themes/tiny/templates/extra.html", "{% if %}")
    with pytest.raises(UserError) as caught:
        check(sample.manifest, BuildOptions(), SilentReporter())
    assert [problem.file.name for problem in caught.value.problems if problem.file] == [
        "404.html",
        "extra.html",
    ]


def test_links_inside_a_theme_lead_to_files(tmp_path: Path) -> None:
    folder = make(tmp_path, "mine", "styles: [b.css]\n", **{"assets__a.css": "A"})
    (folder / "assets" / "b.css").symlink_to("a.css")
    assert find_theme("mine", tmp_path).asset("b.css").read_text() == "A"
    (folder / "assets" / "more").symlink_to(".", target_is_directory=True)
    with pytest.raises(ThemeError, match="must lead to a file"):
        find_theme("mine", tmp_path)
    (folder / "assets" / "more").unlink()
    (folder / "assets" / "gone.css").symlink_to("nowhere.css")
    with pytest.raises(ThemeError, match="must lead to a file"):
        find_theme("mine", tmp_path)


@pytest.mark.parametrize("name", ["../../../secret", "/etc/hostname", "../theme.yaml/../../../secret"])
def test_an_asset_is_inside_its_theme(tmp_path: Path, name: str) -> None:
    make(tmp_path, "mine", **{"assets__a.css": ""})
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(ThemeError, match=r"leads out of the theme|does not exist"):
        find_theme("mine", tmp_path).asset(name)


def test_the_digest_follows_every_file_but_litter(tmp_path: Path) -> None:
    folder = make(tmp_path, "mine", **{"assets__a.css": "A", "templates__home.html": "x"})
    before = find_theme("mine", tmp_path).digest()
    (folder / ".DS_Store").write_text("litter")
    (folder / "templates" / ".#home.html").symlink_to("user@host.123")
    (folder / "templates" / "home.html~").write_text("litter")
    assert find_theme("mine", tmp_path).digest() == before
    (folder / "templates" / "home.html").write_text("y")
    changed = find_theme("mine", tmp_path).digest()
    assert changed != before
    (folder / "assets" / "a.css").rename(folder / "assets" / "b.css")
    assert find_theme("mine", tmp_path).digest() not in (before, changed)
