"""What pydantic found, in the words of a manifest: the reason, the mend, the place."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from attention_gallery.errors import Problem, did_you_mean
from attention_gallery.manifest.settings import GallerySettings
from attention_gallery.manifest.slugs import LONGEST_SLUG, slugify
from attention_gallery.manifest.yaml.document import Document, Unusable, surprise

_EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "a block of `key: value` lines",
    "model_type": "a block of `key: value` lines",
    "model_attributes_type": "a block of `key: value` lines",
}

_TYPE_MENDS = {
    "tuple_type": "begin each item with `- ` on a line of its own, or write `[a, b]`",
    "bool_type": "write `true` or `false`, without quotes",
    "int_type": "write digits, without quotes",
}


def explain(
    errors: Iterable[Any], document: Document, model: type[BaseModel] = GallerySettings
) -> list[Problem]:
    """One problem for each place that pydantic refused, without a file."""
    problems = []
    refused: set[tuple[str | int, ...]] = set()
    for error in errors:
        path = _in_file(tuple(error["loc"]), document)
        if path in refused or (isinstance(error["input"], Unusable) and _reported(document, path)):
            continue
        refused.add(path)
        if error["type"] == "missing" and path[-1] in ("slug", "title") and len(path) > 1:
            # These are made from other keys, which are told of themselves.
            continue
        if error["type"] == "too_short" and path in document.values and document.values[path].value:
            # A list whose items are all wrong counts as empty; the items are told of themselves.
            continue
        reason, mend = _words(error, path, document, model)
        position = document.position(*path)
        if error["type"] == "extra_forbidden" and path in document.keys:
            position = document.at(document.keys[path])
        problems.append(position.problem(reason, mend))
    return problems


def known_keys(path: Iterable[str | int], model: type[BaseModel] = GallerySettings) -> tuple[str, ...]:
    """The keys that the block at `path` may have; empty where any key will do."""
    here = _block(_annotation(path, model))
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return ()
    return tuple(field.alias or name for name, field in here.model_fields.items())


def _annotation(path: Iterable[str | int], model: type[BaseModel]) -> Any:
    """The type of what stands at a path, None where nothing does."""
    here: Any = model
    for step in path:
        here = _step(here, step)
    return here


def _block(here: Any) -> Any:
    """The block itself, of one that may be left out."""
    if get_origin(here) not in (Union, types.UnionType):
        return here
    classes = (argument for argument in get_args(here) if isinstance(argument, type))
    return next((block for block in classes if issubclass(block, BaseModel)), here)


def _step(here: Any, step: str | int) -> Any:
    here = _block(here)
    if isinstance(step, int):
        return get_args(here)[0] if get_origin(here) is tuple else None
    if isinstance(here, type) and issubclass(here, BaseModel):
        for name, field in here.model_fields.items():
            if step == (field.alias or name):
                return field.annotation
    return None


def _in_file(loc: tuple[str | int, ...], document: Document) -> tuple[str | int, ...]:
    """A place in the settings without the union branches that pydantic adds at its end."""
    if options := _options_depth(loc):
        return loc[: options + 1]
    return loc[:5] if _is_side(loc) else loc


def _options_depth(path: tuple[str | int, ...]) -> int:
    """How deep a block of options of any name lies, those of a theme or chat template; 0 outside of one."""
    if path[:1] == ("theme_options",):
        return 1
    return 3 if len(path) >= 3 and path[0] == "sentences" and path[2] == "chat_options" else 0


def _is_side(path: tuple[str | int, ...]) -> bool:
    """Whether this is one side of a relation, a text or a range."""
    return len(path) >= 5 and path[2] == "relations" and path[4] in ("from", "to")


def _reported(document: Document, path: tuple[str | int, ...]) -> bool:
    position = document.position(*path)
    places = ((problem.line, problem.column) for problem in document.problems)
    return (position.line, position.column) in places


def _words(
    error: dict[str, Any], path: tuple[str | int, ...], document: Document, model: type[BaseModel]
) -> tuple[str, str]:
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    name = _name(path)
    if kind == "missing":
        return f"{_name(path[:-1])} needs `{path[-1]}`", f"add a line `{path[-1]}: …`"
    if kind == "extra_forbidden":
        known = known_keys(path[:-1], model)
        mend = did_you_mean(str(path[-1]), known)
        listed = "known keys: " + ", ".join(known)
        return f'unknown key "{path[-1]}"', mend + "\n  " + listed if mend.startswith("did") else listed
    if _is_side(path):
        mend = "write a word of the text, in quotes where YAML reads it as something else, or `[12, 14]`"
        return f"{name} must be a word or where it begins and ends, not {_what(value)}", mend
    if 0 < _options_depth(path) < len(path):
        return f"{name} must be a text, a number, or true or false", 'put it in quotes: "…"'
    node = document.values.get(path) if kind in ("string_type", "literal_error") else None
    if node is not None and (reading := surprise(node, value)) is not None:
        return reading
    if kind in _EXPECTED:
        mend = _TYPE_MENDS.get(kind, "")
        if kind == "string_type" and isinstance(value, dict | tuple):
            mend = "a text with a colon, or one that begins with `[` or `{`, needs quotes"
        return f"{name} must be {_EXPECTED[kind]}, not {_what(value)}", mend
    if kind in ("string_pattern_mismatch", "string_too_long"):
        return _slug(kind, value)
    if kind == "string_too_short":
        return f"{name} is empty", "write a text"
    if kind == "too_short":
        return f"{name} is empty", f"write at least one {_one(path)}"
    if kind == "literal_error":
        choices = _choices(path, model)
        mend = did_you_mean(str(value), choices) or f"known: {', '.join(choices)}"
        return f'{name} cannot be "{value}"', mend
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = context.get("ge", context.get("le"))
        return f"{name} is {value}", f"it must be at {'least' if 'ge' in context else 'most'} {limit}"
    return f"{name}: {error['msg']}", ""


def _slug(kind: str, value: Any) -> tuple[str, str]:
    if not value:
        return "the slug is empty", "write a name, or remove the key to have it made from the title"
    if kind == "string_too_long":
        return f"the slug is longer than {LONGEST_SLUG} characters", "shorten it"
    reason = f'the slug "{value}" may only have a-z, 0-9 and single hyphens between them'
    return reason, f'for example "{slugify(str(value))}"'


def _choices(path: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    here = _annotation(path, model)
    if get_origin(here) in (Union, types.UnionType):
        here = next((arg for arg in get_args(here) if get_origin(arg) is Literal), here)
    return [str(choice) for choice in get_args(here)]


def _name(path: tuple[str | int, ...]) -> str:
    if not path:
        return "the manifest"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{path[-2]}`" if len(path) > 1 else f"item {path[-1] + 1}"
    return f"`{path[-1]}`"


def _one(path: tuple[str | int, ...]) -> str:
    return "message" if path[-1] == "chat" else str(path[-1]).removesuffix("s")


def _what(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a block of `key: value` lines"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, Unusable):
        return "a date"
    return f'the text "{value[:40]}"' if isinstance(value, str) else f"the number {value}"
