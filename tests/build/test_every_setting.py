"""Whatever is changed, the site that a build makes of the one before equals a build from nothing.

Every field of the manifest has an edit in `edits_of_settings`; one without fails here. Those of texts and of
contrasts are tried in `test_settings_of_texts`, and edits of all else that a site is made from in
`test_edits_of_sources`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from edits_of_settings import FIELDS, OF_TEXTS, check_edit, nothing
from pydantic import BaseModel

from attention_gallery.manifest.settings import CollectionSpec, GallerySettings
from sample_gallery import Sample
from siblings import siblings


def fields(settings: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The names of all fields, those of parts after that of the whole."""
    for name, field in settings.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        for kind in _settings_in(field.annotation):
            yield from fields(kind, f"{path}.")


def _settings_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _settings_in(inner)


def test_every_field_has_an_edit() -> None:
    known = {*fields(GallerySettings), *fields(CollectionSpec, "collections.")}
    assert set(FIELDS) == known, "a setting was added or removed: give it an edit that changes a page"


OF_THE_REST = [name for name, edit in FIELDS.items() if edit is not nothing and not name.startswith(OF_TEXTS)]


@pytest.mark.parametrize("field", siblings(OF_THE_REST, 3))
def test_an_edit_of_any_field_is_built(gallery_of_all: Sample, tmp_path: Path, field: str) -> None:
    check_edit(gallery_of_all, tmp_path, field)
