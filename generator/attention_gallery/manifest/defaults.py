"""What a manifest leaves out: titles from texts and sources, slugs from titles."""

from __future__ import annotations

from typing import Any

from attention_gallery.errors import ManifestError
from attention_gallery.manifest.blocks.contrasts import contrast_basis, contrast_title
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
        items = data.get(name)
        if isinstance(items, tuple):
            result[name] = tuple(
                fill(dict(item), origins, i) if isinstance(item, dict) and "conllu" not in item else item
                for i, item in enumerate(items)
            )
    contrasts = data.get("contrasts")
    if isinstance(contrasts, tuple):
        titles = {name: _titles(result.get(name)) for name in ("models", "sentences")}
        result["contrasts"] = tuple(
            _contrast(dict(item), origins, i, titles) if isinstance(item, dict) else item
            for i, item in enumerate(contrasts)
        )
    return result, origins


def _titles(items: Any) -> dict[str, str]:
    """Titles by slug; of a model also those of its kinds of attention, should it have several."""
    titles = {}
    for item in items if isinstance(items, tuple) else ():
        slug, title = (item.get("slug"), item.get("title")) if isinstance(item, dict) else (None, None)
        if isinstance(slug, str) and isinstance(title, str):
            titles[slug] = title
            titles |= {kind_slug(slug, kind): kind_title(title, kind) for kind in ATTENTION_KINDS}
    return titles


def _contrast(
    item: dict[str, Any], origins: Origins, index: int, titles: dict[str, dict[str, str]]
) -> dict[str, Any]:
    titled = isinstance(item.get("title"), str)
    if "title" not in item:
        item["title"] = contrast_title(item, titles["models"], titles["sentences"])
    if "slug" not in item and isinstance(item["title"], str):
        origins["contrasts", index] = "title" if titled else contrast_basis(item)
        item["slug"] = slugify(item["title"], "contrast")
    return item


def _model(item: dict[str, Any], origins: Origins, index: int) -> dict[str, Any]:
    titled = "title" in item
    source = item.get("source")
    if not titled and isinstance(source, str):
        try:
            item["title"] = parse_source(source).title
        except ManifestError:
            item["title"] = source or "?"
    if "slug" not in item and isinstance(item.get("title"), str):
        origins["models", index] = "title" if titled else "source"
        item["slug"] = slugify(item["title"], "model")
    return item


def _sentence(item: dict[str, Any], origins: Origins, index: int) -> dict[str, Any]:
    titled = isinstance(item.get("title"), str)
    source = "text" if "text" in item else "chat"
    text = item["text"] if "text" in item else _opening(item.get("chat"))
    if "slug" not in item:
        basis = item.get("title") if "title" in item else text
        if isinstance(basis, str):
            origins["sentences", index] = "title" if titled else source
            item["slug"] = slugify(basis, "sentence")
    if "title" not in item and isinstance(text, str):
        item["title"] = shorten(text) or "?"
    return item


def _opening(chat: Any) -> str | None:
    """What the user says first, or else whoever says anything; None where that is not a text."""
    messages = [message for message in chat if isinstance(message, dict)] if isinstance(chat, tuple) else []
    messages.sort(key=lambda message: message.get("role") != "user")
    content = messages[0].get("content") if messages else None
    return content if isinstance(content, str) else None
