"""What is kept hangs on all code that it was made with: a change of any of it makes results anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import attention_gallery
from attention_gallery.analysis import codec

PACKAGE = Path(attention_gallery.__file__).parent


def file_of(module: str) -> Path | None:
    """Where a module of the package lies; None for others, and for names in a module."""
    top, *inner = module.split(".")
    place = PACKAGE.joinpath(*inner)
    files = (place / "__init__.py", place.with_suffix(".py") if inner else place)
    return next((path for path in files if top == PACKAGE.name and path.is_file()), None)


def asks_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(node: ast.AST) -> Iterator[str]:
    """Modules, or names in modules, that are imported when the code runs, inside functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and asks_for_types(child):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are written out in full"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from imported(child)


def needed(path: Path) -> set[Path]:
    """The files of the package that one of its files imports, with those of the packages around them."""
    if path == PACKAGE / "__init__.py":
        return set()  # it offers the library to those who ask for that; nothing here does
    files: set[Path] = set()
    for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        parts = name.split(".")
        around = (file_of(".".join(parts[:count])) for count in range(1, len(parts) + 1))
        files.update(file for file in around if file is not None)
    return files


def closure(files: set[Path]) -> set[Path]:
    waiting, seen = [*files], set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(needed(path))
    return seen


def test_all_that_measuring_imports_is_covered() -> None:
    every = closure(set((PACKAGE / "analysis").rglob("*.py")))
    assert PACKAGE / "records.py" in every
    assert {path.relative_to(PACKAGE).as_posix() for path in every - set(codec.code_files())} == set()


def test_nothing_is_covered_that_measuring_does_not_import() -> None:
    """Else results would be made again for nothing. A folder is covered as a whole."""
    every = closure(set((PACKAGE / "analysis").rglob("*.py")))
    alone = {path for path in codec.code_files() if path.parent.name not in ("analysis", "store", "texts")}
    assert {path.relative_to(PACKAGE).as_posix() for path in alone - every} == set()
    assert all(path.is_file() for path in codec.code_files())


def test_files_of_one_name_do_not_stand_for_each_other() -> None:
    names = [path.name for path in codec.code_files()]
    assert names.count("words.py") > 1
    assert len(set(codec.code_files())) == len(names)
