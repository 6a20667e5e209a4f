"""The JSON Schema of `gallery.yaml`, for editors."""

from __future__ import annotations

import json
from typing import Any

from attention_gallery.manifest.settings import CollectionSpec, GallerySettings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# What a contrast of each kind names.
_CONTRASTED = (("models", "sentence"), ("model", "sentences"), ("model", "heads"))


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) with the descriptions of the fields; slugs and titles are optional.

    A sentence has either a text or a chat, and in its place may be a treebank; a contrast is of models,
    sentences or heads.
    """
    schema = GallerySettings.model_json_schema(by_alias=True)
    for name, field in GallerySettings.model_fields.items():
        # A reference to a block loses the description of its field.
        schema["properties"][name].setdefault("description", field.description)
    for name in ("ModelSpec", "SentenceSpec", "ContrastSpec"):
        definition = schema["$defs"][name]
        definition["required"] = [key for key in definition["required"] if key not in ("slug", "title")]
    contrast = schema["$defs"]["ContrastSpec"]
    del contrast["required"]
    contrast["oneOf"] = [{"required": list(keys)} for keys in _CONTRASTED]
    sentence = schema["$defs"]["SentenceSpec"]
    del sentence["required"], sentence["properties"]["text"]["default"]
    sentence["oneOf"] = [{"required": ["text"]}, {"required": ["chat"]}]
    collection = CollectionSpec.model_json_schema(by_alias=True)
    schema["$defs"] |= {**collection.pop("$defs", {}), "CollectionSpec": collection}
    one_of = [{"$ref": f"#/$defs/{name}"} for name in ("SentenceSpec", "CollectionSpec")]
    schema["properties"]["sentences"]["items"] = {"oneOf": one_of}
    measures = schema["$defs"]["AnalysisSettings"]["properties"]["measures"]
    analysis = schema["properties"]["analysis"]
    analysis["anyOf"] = [{"$ref": analysis.pop("$ref")}, {"type": "array", "items": measures["items"]}]
    return {"$schema": _DIALECT, **schema}


def schema_text() -> str:
    """The schema as JSON, two spaces deep, the same on every run."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
