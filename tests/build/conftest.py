"""Every test of builds builds several times, so what these need not do anew is done once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quick_builds import frozen_objects, quick_builds


@pytest.fixture(scope="session", autouse=True)
def _quick_builds() -> Iterator[None]:
    with quick_builds():
        yield


@pytest.fixture(scope="module", autouse=True)
def _frozen_objects() -> Iterator[None]:
    with frozen_objects():
        yield
