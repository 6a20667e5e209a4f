"""Scripts run after what they say on top that they need; lists of older themes keep their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery.errors import Problem, ThemeError
from attention_gallery.theme.bundle import bundle
from attention_gallery.theme.find_theme import find_theme
from attention_gallery.theme.scripts import in_order

ROOT = Path(__file__).resolve().parents[2]


def make(project: Path, name: str, settings: str, **scripts: str) -> None:
    folder = project / "themes" / name
    (folder / "assets" / "js").mkdir(parents=True)
    (folder / "theme.yaml").write_text(settings)
    for script, text in scripts.items():
        (folder / "assets" / "js" / f"{script}.js").write_text(text)


def ordered(project: Path, name: str = "mine") -> list[str]:
    order, problems = in_order(find_theme(name, project))
    assert problems == []
    return [Path(script).stem for script in order]


def problems(project: Path) -> list[Problem]:
    with pytest.raises(ThemeError) as caught:
        bundle(find_theme("mine", project), {})
    return list(caught.value.problems)


PATTERN = "scripts: [js/*.js]\n"


def test_what_is_needed_comes_first_and_the_rest_by_name(tmp_path: Path) -> None:
    make(
        tmp_path,
        "mine",
        PATTERN,
        a="// needs: z.js, d.js\na()",
        b="b()",
        c="/* A licence. */\n\n'use strict';\n// needs: b.js\n// needs: e.js\nc()",
        d="d()",
        e="// needs: z.js\r\ne()",
        z="z()",
    )
    assert ordered(tmp_path) == ["z", "d", "a", "b", "e", "c"]


def test_listed_scripts_that_say_nothing_keep_their_order(tmp_path: Path) -> None:
    make(
        tmp_path,
        "mine",
        "scripts: [js/z.js, js/b.js, js/a.js]\n",
        z="// needs: a steady hand\nz()",
        b="b()\n// needs: a.js\n",
        a="a()",
    )
    assert ordered(tmp_path) == ["z", "b", "a"]


def test_a_pattern_leaves_out_what_is_static(tmp_path: Path) -> None:
    make(tmp_path, "mine", PATTERN + "static: [js/early.js]\n", early="e()", late="l()")
    assert ordered(tmp_path) == ["late"]
    make(tmp_path, "other", "scripts: [js/m*.js, lib/*.js]\n", main="m()", late="l()")
    with pytest.raises(ThemeError, match=r'"lib/\*\.js" does not exist') as caught:
        bundle(find_theme("other", tmp_path), {})
    assert (caught.value.problems[0].line, len(caught.value.problems)) == (1, 1)


def test_a_script_may_need_one_that_is_not_listed(tmp_path: Path) -> None:
    make(tmp_path, "mine", "scripts: [js/a.js]\n", a="// needs: ../lib/x.js\na()")
    (tmp_path / "themes/mine/assets/lib").mkdir()
    (tmp_path / "themes/mine/assets/lib/x.js").write_text("x()")
    assert ordered(tmp_path) == ["x", "a"]


def test_a_circle_is_one_error_with_its_place(tmp_path: Path) -> None:
    make(
        tmp_path,
        "mine",
        PATTERN,
        a="a()",
        b="// What it does.\n// needs: a.js, c.js\nb()",
        c="// needs: d.js\nc()",
        d="// needs: a.js, b.js\nd()",
    )
    (problem,) = problems(tmp_path)
    assert problem.reason.endswith("in a circle: js/b.js → js/c.js → js/d.js → js/b.js")
    assert problem.file == tmp_path / "themes/mine/assets/js/d.js"
    assert (problem.line, problem.column, problem.quote) == (1, 17, "// needs: a.js, b.js")
    make(tmp_path, "other", PATTERN, a="// needs: a.js\na()")
    with pytest.raises(ThemeError, match=r"a\.js → js/a\.js"):
        bundle(find_theme("other", tmp_path), {})


@pytest.mark.parametrize("name", ["cores.js", "../core.js", "../../../../core.js", "/core.js"])
def test_a_script_that_there_is_not_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    make(tmp_path, "mine", PATTERN, core="c()", a=f"// What it does.\n// needs: core.js,  {name}\na()")
    (problem,) = problems(tmp_path)
    assert problem.reason == f'there is no script "{name}"'
    assert 'did you mean "core.js"?' in problem.mend or "known: a.js, core.js" in problem.mend
    assert problem.file == tmp_path / "themes/mine/assets/js/a.js"
    assert (problem.line, problem.column) == (2, 21)


def test_a_long_chain_is_no_trouble(tmp_path: Path) -> None:
    scripts = {f"s{i:04}": f"// needs: s{i + 1:04}.js\n" if i < 1999 else "" for i in range(2000)}
    make(tmp_path, "mine", PATTERN, **scripts)
    assert ordered(tmp_path) == sorted(scripts, reverse=True)


def test_scripts_of_a_theme_come_after_those_that_it_extends(tmp_path: Path) -> None:
    make(tmp_path, "mine", "extends: default\nscripts: [js/own.js]\n", own="own()")
    default = ordered(tmp_path, "default")
    assert ordered(tmp_path) == [*default, "own"]


def test_a_script_put_in_place_of_another_keeps_its_needs(tmp_path: Path) -> None:
    """Those written before scripts could say what they need say nothing."""
    make(tmp_path, "mine", "extends: default\n", colour="own()")
    assert ordered(tmp_path) == ordered(tmp_path, "default")
    make(tmp_path, "other", "extends: default\n", begin="// needs:\nown()")
    order = ordered(tmp_path, "other")
    assert order.index("begin") == order.index("atlas") + 1, "after what comes before it by name, and no more"
