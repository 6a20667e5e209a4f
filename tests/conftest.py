"""What tests of several rooms share: a small gallery that builds without running a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from sample_gallery import Sample

# Every run asks the same of property tests, so that a change alone decides whether it passes; who looks for
# new counterexamples ask at random. No example is too slow: how busy the machine is must not matter.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-profile") is None:
        settings.load_profile("steady")


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
