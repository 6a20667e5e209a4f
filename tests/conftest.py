"""What tests of several rooms share: a small gallery that builds without running a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_gallery import Sample


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write what is built now into tests/golden/*/expected"
    )
    parser.addoption(
        "--update-architectures",
        action="store_true",
        help="write what is found now into docs/architectures.md",
    )


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """A project that has not been built yet, in a folder of its own."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Sample.make(tmp_path / "project")
