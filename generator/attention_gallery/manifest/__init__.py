"""From `gallery.yaml` to frozen settings that remember where every value stands.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_gallery.manifest.blocks.words import occurrences
    from attention_gallery.manifest.drafts import without_drafts
    from attention_gallery.manifest.load import Manifest, load_manifest
    from attention_gallery.manifest.schema import json_schema, schema_text
    from attention_gallery.manifest.settings import (
        AnalysisSettings,
        ContrastSpec,
        GallerySettings,
        ModelSpec,
        PageSettings,
        RelationSpec,
        SentenceSpec,
    )
    from attention_gallery.manifest.slugs import slugify
    from attention_gallery.manifest.source import Source, parse_source
    from attention_gallery.manifest.yaml.document import Position

_HOMES = {
    "AnalysisSettings": "settings",
    "ContrastSpec": "settings",
    "GallerySettings": "settings",
    "Manifest": "load",
    "ModelSpec": "settings",
    "PageSettings": "settings",
    "Position": "yaml.document",
    "RelationSpec": "settings",
    "SentenceSpec": "settings",
    "Source": "source",
    "json_schema": "schema",
    "load_manifest": "load",
    "occurrences": "blocks.words",
    "parse_source": "source",
    "schema_text": "schema",
    "slugify": "slugs",
    "without_drafts": "drafts",
}

__all__ = [
    "AnalysisSettings",
    "ContrastSpec",
    "GallerySettings",
    "Manifest",
    "ModelSpec",
    "PageSettings",
    "Position",
    "RelationSpec",
    "SentenceSpec",
    "Source",
    "json_schema",
    "load_manifest",
    "occurrences",
    "parse_source",
    "schema_text",
    "slugify",
    "without_drafts",
]


def __getattr__(name: str) -> Any:
    """Load the module that a public name lives in. Raises `AttributeError` for other names."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
