"""The field reference of `docs/manifest.md`, made from the settings themselves.

`python tests/manifest/manifest_reference.py docs/manifest.md` brings the page up to date.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from attention_gallery.manifest.settings import CollectionSpec, GallerySettings

BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"
_PLAIN = {str: "text", bool: "true or false", int: "whole number", float: "number", type(None): "nothing"}
_DEFAULTED = frozenset({"slug", "title"})


def field_reference() -> str:
    """One table for each block of the manifest, in the order of the settings; treebanks come last."""
    seen: set[type[BaseModel]] = set()
    tables = [
        *_tables(GallerySettings, "", seen),
        *_tables(CollectionSpec, "sentences, from a treebank", seen),
    ]
    return "\n\n".join(tables)


def update(page: str) -> str:
    """The page with its field reference made anew. Raises `ValueError` when it has no place for one."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{head}{BEGIN}\n\n{field_reference()}\n\n{END}{tail}"


def _tables(model: type[BaseModel], path: str, seen: set[type[BaseModel]]) -> Iterator[str]:
    seen.add(model)
    heading = f"### `{path}`" if path else "### The whole file"
    rows = [heading, "", "| key | value | default | what it is |", "|---|---|---|---|"]
    inner: list[tuple[type[BaseModel], str]] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        below = f"{path}.{key}" if path else key
        rows.append(
            f"| `{key}` | {_type(field.annotation)} | {_default(key, path, field)} | {field.description} |"
        )
        inner += [(block, below) for block in _blocks(field.annotation) if block not in seen]
    yield "\n".join(rows)
    for block, below in inner:
        yield from _tables(block, below, seen)


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(
            dict.fromkeys(_type(argument) for argument in arguments if argument is not type(None))
        )
    if origin is tuple:
        plural = "" if get_origin(arguments[0]) is Literal else "s"
        return f"list of {_type(arguments[0])}{plural}"
    if origin is dict:
        return f"block: any key, {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "block"
    return _PLAIN.get(annotation) or _type(getattr(annotation, "__origin__", str))


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [block for argument in get_args(annotation) for block in _blocks(argument)]


def _default(key: str, path: str, field: FieldInfo) -> str:
    if field.is_required():
        return "made" if path and key in _DEFAULTED else "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value in (None, "", (), {}) or isinstance(value, BaseModel):
        return ""
    plain = list(value) if isinstance(value, tuple) else value
    return f"`{str(value).lower() if isinstance(value, bool) else plain}`"


def main(arguments: list[str]) -> None:
    """Bring the named pages up to date."""
    for name in arguments:
        page = Path(name)
        page.write_text(update(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
