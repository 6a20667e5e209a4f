"""Names say what their values are: those that say nothing are rare in every room."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attention_gallery

EMPTY = {"one", "found", "told", "said", "given", "kept", "shown", "wanted", "place", "places", "part"}
ROOT = Path(attention_gallery.__file__).parent

BOUND = 0.01
"""The share of the names that a room binds that may say nothing."""


RETIRED = {
    "chrome": "page frame",
    "gauge": "metric evaluator",
    "ladder": "prefixes, length sweep, or strategies",
    "likeness": "similarity",
    "looks": "argmax targets",
    "lots": "permutations, draws",
    "beside": "side outputs",
    "rung": "prefix",
    "standouts": "top pairs",
}
"""Words that the names of what is defined did without, since the field has others, with these."""


def bound_names(tree: ast.AST) -> Iterator[str]:
    """The name that each assignment, loop, comprehension, parameter, `as` and pattern binds."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name


def says_nothing(name: str) -> bool:
    """Whether a name is one of the empty ones, also with underscores around it."""
    return name.strip("_") in EMPTY


def count(path: Path) -> tuple[int, int]:
    """How many of the names that a module binds say nothing, and how many there are."""
    names = list(bound_names(ast.parse(path.read_text(encoding="utf-8"))))
    return sum(map(says_nothing, names)), len(names)


def room_of(path: Path) -> str:
    """The folder right below the package, "" for the modules of the package itself."""
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else ""


def test_every_way_to_bind_a_name_is_counted() -> None:
    source = """
def function(one, /, found, *told, said=1, **given):
    kept = found_ = [shown for shown in told if (wanted := shown)]
    with open(one) as place, open(one) as (part, places):
        for one in said:
            pass
    try:
        lambda given: given
    except OSError as found:
        match said:
            case [one, *told] | {"a": one, **told}:
                head = one
"""
    names = Counter(filter(says_nothing, bound_names(ast.parse(source))))
    assert names == Counter(
        one=4,
        found=2,
        found_=1,
        told=3,
        said=1,
        given=2,
        kept=1,
        shown=1,
        wanted=1,
        place=1,
        part=1,
        places=1,
    )


def test_names_say_what_their_values_are() -> None:
    empty: Counter[str] = Counter()
    total: Counter[str] = Counter()
    modules: dict[str, list[tuple[int, str]]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        room = room_of(path)
        number, names = count(path)
        empty[room] += number
        total[room] += names
        modules.setdefault(room, []).append((number, path.relative_to(ROOT).as_posix()))
    wrong = []
    for room, names in total.items():
        share = empty[room] / max(names, 1)
        if share > BOUND:
            worst = ", ".join(f"{path} ({number})" for number, path in sorted(modules[room])[:-6:-1])
            wrong.append(
                f"{room or 'modules of the package'}: {share:.1%} of {names}, not {BOUND:.1%}: {worst}"
            )
    assert not wrong, "\n".join(["names that say nothing:", *wrong])


def defined_names(tree: ast.AST) -> Iterator[str]:
    """The names of classes, functions and methods, and of the fields of classes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name, body=body):
                yield name
                for statement in body:
                    match statement:
                        case ast.AnnAssign(target=ast.Name(id=field)):
                            yield field


def words_of(name: str) -> list[str]:
    """`BesideShape` and `beside_shape` are both of "beside" and "shape"."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def test_the_words_of_a_name_are_told_apart() -> None:
    assert words_of("_HeadRoutes") == words_of("head_routes") == ["head", "routes"]
    assert words_of("HTTPServer2") == ["http", "server2"]


def test_what_is_defined_has_the_names_of_the_field() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}: say {RETIRED[word]}"
        for path in sorted(ROOT.rglob("*.py"))
        for name in defined_names(ast.parse(path.read_text(encoding="utf-8")))
        for word in words_of(name)
        if word in RETIRED
    ]
    assert not wrong, "\n".join(wrong)


def test_no_two_modules_have_one_name():
    """Commands are called as people type them, whatever else has that name."""
    modules = [path for path in ROOT.rglob("*.py") if path.parent != ROOT / "cli/commands"]
    names = Counter(path.stem for path in modules if not path.stem.startswith("__"))
    assert {name for name, times in names.items() if times > 1} == set()
