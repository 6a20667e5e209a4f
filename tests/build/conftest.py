"""Every test of builds builds several times, so what these need not do anew is done once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from edits_of_settings import built_gallery

from quick_builds import KnownTemplates, frozen_objects, quick_builds
from sample_gallery import Sample


@pytest.fixture(scope="session")
def known_templates() -> KnownTemplates:
    return KnownTemplates()


# Module by module: a process that tests builds tests other rooms afterwards.
@pytest.fixture(scope="module", autouse=True)
def _quick_builds(known_templates: KnownTemplates) -> Iterator[None]:
    with quick_builds(known_templates):
        yield


@pytest.fixture(scope="module", autouse=True)
def _frozen_objects() -> Iterator[None]:
    with frozen_objects():
        yield


@pytest.fixture(scope="module")
def gallery_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """A gallery that has some of everything, built once for a module; copy it before changing it."""
    with built_gallery(tmp_path_factory.mktemp("gallery")) as sample:
        yield sample
