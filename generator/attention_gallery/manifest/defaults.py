"""What a manifest leaves out: titles from texts and sources, slugs from titles."""

from __future__ import annotations

from typing import Any

from attention_gallery.errors import ManifestError
from attention_gallery.manifest.blocks.contrasts import contrast_basis, contrast_title
from attention_gallery.manifest.findings import entries
from attention_gallery.manifest.slugs import kind_slug, kind_title, shorten, slugify
from attention_gallery.manifest.source import parse_source
from attention_gallery.records import ATTENTION_KINDS

Origins = dict[tuple[str, int], str]


def with_defaults(data: dict[str, Any]) -> tuple[dict[str, Any], Origins]:
    """The data with titles and slugs filled in, and for each slug that was, the key that it was made from.

    Values of a wrong type are left as they are; validation tells of them. So are collections.
    """
    origins: Origins = {}
    result = dict(data)
    for name, fill in (("models", _model), ("sentences", _sentence)):
        if isinstance(data.get(name), tuple):
            result[name] = tuple(
                fill(dict(item), origins, i) if isinstance(item, dict) and "conllu" not in item else item
                for i, item in enumerate(data[name])
            )
    if isinstance(data.get("contrasts"), tuple):
        titles = {name: _titles(result.get(name)) for name in ("models", "sentences")}
        result["contrasts"] = tuple(
            _contrast(dict(item), origins, i, titles) if isinstance(item, dict) else item
            for i, item in enumerate(data["contrasts"])
        )
    return result, origins


def _titles(items: Any) -> dict[str, str]:
    """Titles by slug; of a model also those of its kinds of attention, should it have several."""
    titles = {}
    for item in entries(items):
        slug, title = (item.get("slug"), item.get("title")) if isinstance(item, dict) else (None, None)
        if isinstance(slug, str) and isinstance(title, str):
            titles[slug] = title
            titles |= {kind_slug(slug, kind): kind_title(title, kind) for kind in ATTENTION_KINDS}
    return titles


def _contrast(
    item: dict[str, Any], origins: Origins, index: int, titles: dict[str, dict[str, str]]
) -> dict[str, Any]:
    basis = "title" if isinstance(item.get("title"), str) else contrast_basis(item)
    if "title" not in item:
        item["title"] = contrast_title(item, titles["models"], titles["sentences"])
    return _with_slug(item, origins, ("contrasts", index), item["title"], basis)


def _model(item: dict[str, Any], origins: Origins, index: int) -> dict[str, Any]:
    basis = "title" if "title" in item else "source"
    source = item.get("source")
    if "title" not in item and isinstance(source, str):
        try:
            item["title"] = parse_source(source).title
        except ManifestError:
            item["title"] = source or "?"
    return _with_slug(item, origins, ("models", index), item.get("title"), basis)


def _sentence(item: dict[str, Any], origins: Origins, index: int) -> dict[str, Any]:
    source = "text" if "text" in item else "chat"
    text = item["text"] if "text" in item else _opening(item.get("chat"))
    basis = "title" if isinstance(item.get("title"), str) else source
    _with_slug(item, origins, ("sentences", index), item.get("title", text), basis)
    if "title" not in item and isinstance(text, str):
        item["title"] = shorten(text) or "?"
    return item


def _with_slug(
    item: dict[str, Any], origins: Origins, key: tuple[str, int], text: Any, basis: str
) -> dict[str, Any]:
    """The item with a slug made of a text, which stands at its key `basis` or is made from that."""
    if "slug" not in item and isinstance(text, str):
        origins[key] = basis
        item["slug"] = slugify(text, key[0].removesuffix("s"))
    return item


def _opening(chat: Any) -> str | None:
    """What the user says first, or else whoever says anything; None where that is not a text."""
    messages = [message for message in entries(chat) if isinstance(message, dict)]
    messages.sort(key=lambda message: message.get("role") != "user")
    content = messages[0].get("content") if messages else None
    return content if isinstance(content, str) else None
