"""docs/architecture.md and CONTRIBUTING.md name what is there, and every room of the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_gallery.installed import PACKAGE

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

# A file or folder in code style, perhaps with a test of it.
_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|yaml))(?:::(\w+))?`")


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def _rows(title: str) -> list[list[str]]:
    rows = [line.strip("|").split("|") for line in _section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.mark.parametrize("text", [PAGE, GUIDE], ids=["architecture", "contributing"])
def test_every_path_and_test_that_is_named_exists(text: str) -> None:
    named = _PATH.findall(text)
    assert named
    made = {"gallery.yaml", "gallery.lock", "theme.yaml", "dist/"}  # by users, and by make
    for path, test in named:
        found = [base / path for base in (ROOT, PACKAGE) if (base / path).exists()]
        assert found or path in made, path
        if test:
            assert f"def {test}(" in found[0].read_text(encoding="utf-8"), f"{path}::{test}"


def test_every_room_stands_on_a_floor_of_the_table() -> None:
    named = {
        name.rstrip("/") for row in _rows("Floors and rooms") for name in re.findall(r"`([\w./]+)`", row[1])
    }
    rooms = {
        path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"
    }
    assert rooms - named == {"__init__.py", "__main__.py"}
    assert named <= rooms


def test_every_value_is_where_the_table_says() -> None:
    rows = _rows("Values that flow")
    assert rows
    for names, where, _ in rows:
        code = (PACKAGE / where.strip("`")).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^class {name}\b", code, re.M), f"{name} in {where}"


def test_every_promise_names_its_tests() -> None:
    rows = _rows("Promises")
    assert len(rows) == 10
    assert all(re.search(r"`tests/\S+`", tests) for _, tests in rows)
