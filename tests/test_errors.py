"""How mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_gallery import errors
from attention_gallery.errors import ManifestError, Problem, UserError, did_you_mean, first_words, width

FILE = Path("/project/gallery.yaml")


def test_a_problem_points_at_its_place() -> None:
    problem = Problem("unknown key", 'did you mean "title"?', FILE, 3, 5, "    titel: x\n")
    assert problem.render(Path("/project")) == (
        'gallery.yaml:3:5: unknown key\n  3 |     titel: x\n          ^\n  did you mean "title"?'
    )


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("it is wrong"), "it is wrong"),
        (Problem("it is wrong", "mend it"), "it is wrong\n  mend it"),
        (Problem("it is wrong", file=FILE), "/project/gallery.yaml: it is wrong"),
        (Problem("it is wrong", file=FILE, line=7), "/project/gallery.yaml:7: it is wrong"),
        (Problem("it is wrong", file=FILE, line=7, quote="  "), "/project/gallery.yaml:7: it is wrong"),
        (Problem("it is wrong", quote="a\tb"), "it is wrong\n  | a b"),
        (Problem("it is wrong", file=FILE, column=4), "/project/gallery.yaml: it is wrong"),
    ],
)
def test_what_is_not_known_is_left_out(problem: Problem, text: str) -> None:
    assert problem.render(Path("/elsewhere")) == text


@pytest.mark.parametrize("column", [1, 41, 95, 150, 300])
def test_a_long_line_is_cut_around_its_mark(column: int) -> None:
    source = "".join(chr(ord("a") + n % 26) for n in range(300))
    quote, mark = Problem("x", "", FILE, 12, column, source).render().split("\n")[1:]
    assert len(quote) < 115
    assert quote[mark.index("^")] == source[column - 1]


@pytest.mark.parametrize(
    ("quote", "before"),
    [
        ("title: 猫は寝た X", 16),  # letters that are wide
        ("\ttitle:\tX", 8),  # tabs are shown as a space each
        ("ｆｕｌｌ X", 9),  # Latin letters in their wide form
        ("🐈 the cat X", 11),
        ("cafe\u0301 X", 5),  # an accent of its own takes no column
        ("नमस्ते X", 5),
        ("a\u200db X", 3),
        ("abc X", 4),
    ],
)
def test_the_mark_stands_below_its_letter(quote: str, before: int) -> None:
    shown, mark = Problem("x", "", FILE, 3, quote.index("X") + 1, quote).render().split("\n")[1:]
    assert mark == " " * (len("  3 | ") + before) + "^"
    assert width(shown[: shown.index("X")]) == mark.index("^")


@pytest.mark.parametrize("column", [1, 41, 150, 300])
def test_a_long_line_of_wide_letters_is_cut_around_its_mark(column: int) -> None:
    source = "猫" * (column - 1) + "X" + "猫" * (300 - column)
    shown, mark = Problem("x", "", FILE, 12, column, source).render().split("\n")[1:]
    assert width(shown) < 115
    assert width(shown[: shown.index("X")]) == mark.index("^")


def test_all_problems_are_told_in_order() -> None:
    error = ManifestError([Problem("first", file=FILE), Problem("second", "mend")])
    assert error.render(Path("/project")) == "gallery.yaml: first\n\nsecond\n  mend"
    assert str(error) == "/project/gallery.yaml: first\n\nsecond\n  mend"
    assert error.exit_code == 2


def test_one_problem_or_a_text_is_enough() -> None:
    assert UserError("wrong", "mend").problems == (Problem("wrong", "mend"),)
    assert UserError(Problem("wrong")).problems == (Problem("wrong"),)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn, under its parent."""
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    tree = (errors.__doc__ or "").split("\n\n")[1].replace("│", " ").split("\n")
    depth = {line.lstrip(" ├└─").split()[0]: len(line) - len(line.lstrip(" ├└─")) for line in tree}
    assert len(depth) == len(classes)
    for one in classes:
        parent = one.__mro__[1].__name__
        if one is not errors.GalleryError:
            assert depth[one.__name__] == depth[parent] + 4


@pytest.mark.parametrize(
    ("wrong", "known", "told"),
    [
        ("titel", ["title", "theme"], 'did you mean "title"?'),
        ("xyz", ["b", "a", "a"], "known: a, b"),
        ("xyz", [str(number) for number in range(13)], ""),
        ("xyz", [], ""),
    ],
)
def test_what_was_meant_is_offered(wrong: str, known: list[str], told: str) -> None:
    assert did_you_mean(wrong, known) == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\ntwo", "one"),
        ("\n one:\n\n  two\nthree", "one: two"),
        ("one:\ntwo:\nthree\nfour", "one: two: three"),
        ("one:", "one"),
        (" \n", ""),
        ("abcdef", "abcd"),
    ],
)
def test_the_first_words_say_something(text: str, said: str) -> None:
    assert first_words(text, 4 if text == "abcdef" else 99) == said
