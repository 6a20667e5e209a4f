"""What settings must hold beyond their types: slugs, addresses, sources, sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attention_gallery.errors import ManifestError
from attention_gallery.manifest.blocks.contrasts import check_forms
from attention_gallery.manifest.blocks.readers import check_readers
from attention_gallery.manifest.blocks.sentences import (
    check_collections,
    check_language,
    check_sentences,
    check_title,
)
from attention_gallery.manifest.defaults import Origins
from attention_gallery.manifest.findings import Finding, KeyPath, entries
from attention_gallery.manifest.folders import check_paths
from attention_gallery.manifest.slugs import RESERVED_LATELY, is_slug, reserved_reason
from attention_gallery.manifest.source import parse_source
from attention_gallery.manifest.yaml.document import Document


def check(data: dict[str, Any], origins: Origins, document: Document, path: Path) -> list[Finding]:
    """All findings. Values of a wrong type are passed over: validation tells of them."""
    return [
        *_site(data),
        *_models(data),
        *check_sentences(_sentences(data)),
        *check_collections(_items(data, "sentences")),
        *_slugs("models", _items(data, "models"), origins, document),
        *_slugs("sentences", _sentences(data), origins, document),
        *check_forms(_items(data, "contrasts")),
        *_slugs("contrasts", _items(data, "contrasts"), origins, document),
        *check_readers(_items(data, "models"), _items(data, "sentences")),
        *check_paths(data, path),
    ]


def _items(data: dict[str, Any], name: str) -> list[tuple[int, dict[str, Any]]]:
    return [(i, item) for i, item in enumerate(entries(data.get(name))) if isinstance(item, dict)]


def _sentences(data: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """The sentences that stand in the manifest itself."""
    return [(i, item) for i, item in _items(data, "sentences") if "conllu" not in item]


def _site(data: dict[str, Any]) -> Iterator[Finding]:
    title = data.get("title")
    if isinstance(title, str) and not title.strip():
        yield "the title is empty", "write the name of the gallery", ("title",)
    yield from check_language(data.get("language"), ("language",))
    theme = data.get("theme")
    if isinstance(theme, str) and not is_slug(theme):
        mend = "write the name of a folder in `themes/`, of a-z, 0-9 and hyphens"
        yield f'"{theme}" is not the name of a theme', mend, ("theme",)
    address = data.get("base_url")
    if isinstance(address, str) and (wrong := _address(address)) is not None:
        yield wrong, "write, for example, https://example.org/gallery/", ("base_url",)
    options = data.get("theme_options")
    if isinstance(options, dict):
        for name, value in options.items():
            if isinstance(value, float) and not math.isfinite(value):
                yield f"`{name}` is not a finite number", "write a number", ("theme_options", name)


def _address(address: str) -> str | None:
    """What is wrong with a base address, or None."""
    if re.search(r"[\s<>\"'\\`{}|^]", address):
        return "the address contains a space or a character that addresses do not have"
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        return f"the address cannot be read: {error}"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return f'"{address}" is not a web address: it needs http:// or https:// and a host'
    if parts.username is not None or parts.password is not None:
        return "the address contains a user name or password"
    if "?" in address or "#" in address:
        return "the address ends in a query (`?`) or fragment (`#`), which pages cannot be placed under"
    if any(segment in (".", "..") for segment in parts.path.split("/")):
        return "the path of the address contains `.` or `..`"
    return None


def _models(data: dict[str, Any]) -> Iterator[Finding]:
    for i, model in _items(data, "models"):
        yield from check_title(model, ("models", i))
        yield from _attention(model, ("models", i, "attention"))
        source = model.get("source")
        if not isinstance(source, str):
            continue
        try:
            kind = parse_source(source).kind
        except ManifestError as error:
            yield error.problems[0].reason, error.problems[0].mend, ("models", i, "source")
            continue
        revision = model.get("revision")
        if isinstance(revision, str):
            if kind != "hub":
                mend = "remove it: only a hub id has revisions"
                yield f"the revision says nothing about a {kind} source", mend, ("models", i, "revision")
            elif not re.fullmatch(r"[A-Za-z0-9][\w./-]*", revision) or ".." in revision:
                mend = "write a branch, tag or commit"
                yield f'"{revision}" is not the name of a revision', mend, ("models", i, "revision")
        if model.get("trust_remote_code") is True and (kind == "package" or source.endswith(".gguf")):
            what = "a package's" if kind == "package" else "a GGUF file's"
            reason = f"there is no code that transformers could run with {what} weights"
            yield reason, "remove it: it is for folders and hub ids", ("models", i, "trust_remote_code")


def _attention(model: dict[str, Any], keys: KeyPath) -> Iterator[Finding]:
    kinds: Any = model.get("attention")
    if kinds == ():
        yield "`attention` names no kind", "name encoder, decoder or cross, or remove the key", keys
    for n, kind in enumerate(entries(kinds)):
        if isinstance(kind, str) and kind in kinds[:n]:
            yield f'the kind "{kind}" stands here twice', "remove it", (*keys, n)


def _slugs(
    name: str, items: list[tuple[int, dict[str, Any]]], origins: Origins, document: Document
) -> Iterator[Finding]:
    """Reserved and repeated slugs, then aliases against all slugs and each other."""
    taken: dict[str, KeyPath] = {}
    for i, item in items:
        slug = item.get("slug")
        if not isinstance(slug, str) or not is_slug(slug):
            continue
        made = origins.get((name, i))
        keys: KeyPath = (name, i, made or "slug")
        hint = "give it another name with `slug: …`"
        if (reason := reserved_reason(slug)) is not None:
            if slug in RESERVED_LATELY:
                hint += f", and keep links that were shared alive with `aliases: [{slug}]`"
            yield f'the slug "{slug}"{_made(made)} is reserved: {reason}', hint, keys
        elif slug in taken:
            line = document.position(*taken[slug]).line
            yield f'the slug "{slug}"{_made(made)} is already that of line {line}', hint, keys
        else:
            taken[slug] = keys
    for i, item in items:
        for n, alias in enumerate(entries(item.get("aliases"))):
            if not isinstance(alias, str) or not is_slug(alias):
                continue
            keys = (name, i, "aliases", n)
            reason = None if alias in RESERVED_LATELY else reserved_reason(alias)
            if reason is not None:
                yield f'the alias "{alias}" is reserved: {reason}', "remove it", keys
            elif alias in taken:
                line = document.position(*taken[alias]).line
                reason = f'the alias "{alias}" is already a slug or alias in line {line}'
                yield reason, "remove one of them", keys
            else:
                taken[alias] = keys


def _made(origin: str | None) -> str:
    return f", made from the {origin}," if origin else ""
