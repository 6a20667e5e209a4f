"""What is kept hangs on all code that it was made with: a change of any of it makes results anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from attention_gallery import imported_code
from attention_gallery.analysis.results import RESULTS
from attention_gallery.imported_code import code_digest, code_files, file_of
from attention_gallery.installed import PACKAGE

MODULES = sorted({result.compute.__module__ for result in RESULTS})


def forget() -> None:
    """What was read is remembered, since code does not change while it runs."""
    code_digest.cache_clear()
    imported_code._read.cache_clear()


def imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Modules with the names that are imported from them, inside functions too; "" for a module itself."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, "") for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are written out in full"
            yield from ((str(child.module), alias.name) for alias in child.names)


def parsed_files(module: str) -> set[Path]:
    """The files that a module runs with, as the parser of Python sees its imports."""
    first = file_of(module)
    assert first is not None
    waiting, seen = [first], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name, inner in imports(ast.parse(path.read_text(encoding="utf-8"))):
            imported = file_of(f"{name}.{inner}") or file_of(name)
            if imported is not None:
                waiting.append(imported)
    return seen


@pytest.mark.parametrize("module", MODULES)
def test_all_that_a_result_runs_with_is_covered_and_nothing_else(module: str) -> None:
    files = code_files(module)
    assert set(files) == parsed_files(module)
    assert len(files) == len(set(files))
    assert {PACKAGE / "analysis" / "result.py", PACKAGE / "records.py"} <= set(files)


def test_a_package_counts_where_names_of_its_own_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = PACKAGE.name
    package = tmp_path / own
    (package / "inner").mkdir(parents=True)
    sources = {
        "start.py": f"from {own}.inner import (\n    module,  # by itself\n)\n",
        "other.py": f"def late():\n    from {own}.inner import module, name\n    import {own}.last as l\n",
        "last.py": "",
        "inner/__init__.py": "name = 1\n",
        "inner/module.py": "import json\nfrom pathlib import Path\n",
        "unused.py": "",
    }
    for name, source in sources.items():
        (package / name).write_text(source, encoding="utf-8")
    monkeypatch.setattr(imported_code, "PACKAGE", package)

    def names(module: str) -> list[str]:
        return [path.relative_to(package).as_posix() for path in code_files(f"{own}.{module}")]

    assert names("start") == ["inner/module.py", "start.py"]
    assert names("other") == ["inner/__init__.py", "inner/module.py", "last.py", "other.py"]
    with pytest.raises(ValueError, match="there is no module"):
        names("gone")


def test_another_byte_is_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / PACKAGE.name
    package.mkdir()
    monkeypatch.setattr(imported_code, "PACKAGE", package)
    digests = set()
    for source in ("x = 1\n", "x = 2\n"):
        (package / "single.py").write_text(source, encoding="utf-8")
        forget()
        digests.add(code_digest(f"{PACKAGE.name}.single"))
    forget()
    assert len(digests) == 2
