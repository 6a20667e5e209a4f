"""Where automatic parses come from in tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_pipeline import install


@pytest.fixture
def pipelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed pipelines with one, `tiny_rules`, on the path while a test runs."""
    pytest.importorskip("spacy")
    folder = tmp_path / "installed"
    install(folder)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("tiny_rules", None)
