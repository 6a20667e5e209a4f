"""The import contracts of pyproject.toml fail where they are broken, also by an import inside a function."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from attention_gallery.installed import PACKAGE

ROOT = Path(__file__).parent.parent
# For every contract what breaks it: a module, and what it imports.
FAULTS = {
    "Imports run downwards only": ("notes/load_notes.py", "attention_gallery.pages.plan"),
    "torch and transformers only where models run": ("build/engine.py", "torch"),
    "Rooms that work on numbers and words do not even reach torch": (
        "analysis/codec.py",
        "attention_gallery.models.loading.load_model",
    ),
    "plotly only in figures and the library": ("pages/plan.py", "plotly.graph_objects"),
    "click and rich only in cli": ("progress.py", "rich.console"),
    "jinja2 only in theme, and where chat templates are held to limits": ("workers/limited.py", "jinja2"),
    "sqlite3 only in build": ("store/folder.py", "sqlite3"),
}


def _contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def _results(folder: Path, changed: dict[str, str]) -> dict[str, str]:
    """What import-linter says of each contract, for a copy of the package where some modules are changed."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in changed.items():
        (folder / PACKAGE.name / name).write_text(text, encoding="utf-8")
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", run.stdout, re.M))
    assert set(found) == set(_contracts()), run.stdout + run.stderr
    return found


def test_every_contract_can_fail(tmp_path: Path) -> None:
    assert set(FAULTS) == set(_contracts())
    changed = {
        name: (PACKAGE / name).read_text(encoding="utf-8") + f"\n\ndef broken():\n    import {module}\n"
        for name, module in FAULTS.values()
    }
    assert _results(tmp_path, changed) == dict.fromkeys(FAULTS, "BROKEN")


def test_a_room_that_is_on_no_floor_is_refused(tmp_path: Path) -> None:
    found = _results(tmp_path, {"attic.py": '"""A room that nobody gave a floor."""\n'})
    assert [name for name, result in found.items() if result == "BROKEN"] == ["Imports run downwards only"]
