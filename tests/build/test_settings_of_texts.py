"""Whatever a text or a contrast says, an edit of it makes the site that a build from nothing makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from edits_of_settings import FIELDS, OF_TEXTS, check_edit, nothing

from sample_gallery import Sample
from siblings import siblings

FIELDS_OF_TEXTS = [name for name, edit in FIELDS.items() if edit is not nothing and name.startswith(OF_TEXTS)]


@pytest.mark.parametrize("field", siblings(FIELDS_OF_TEXTS, 6))
def test_an_edit_of_any_field_is_built(gallery_of_all: Sample, tmp_path: Path, field: str) -> None:
    check_edit(gallery_of_all, tmp_path, field)
