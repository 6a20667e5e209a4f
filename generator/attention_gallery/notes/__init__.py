"""Markdown notes: where they belong, what they say, and safe HTML made of them.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_gallery.notes.assets import content_assets
    from attention_gallery.notes.load import FrontMatter, Note, check_heads, check_models, load_notes
    from attention_gallery.notes.markdown.note_links import LinkTarget, parse_link
    from attention_gallery.notes.markdown.render import RenderedNote, render_note
    from attention_gallery.notes.markdown.rewrite import HEADING_PREFIX
    from attention_gallery.notes.target import NoteTarget

_HOMES = {
    "HEADING_PREFIX": "markdown.rewrite",
    "FrontMatter": "load",
    "LinkTarget": "markdown.note_links",
    "Note": "load",
    "NoteTarget": "target",
    "RenderedNote": "markdown.render",
    "check_heads": "load",
    "check_models": "load",
    "content_assets": "assets",
    "load_notes": "load",
    "parse_link": "markdown.note_links",
    "render_note": "markdown.render",
}

__all__ = [
    "HEADING_PREFIX",
    "FrontMatter",
    "LinkTarget",
    "Note",
    "NoteTarget",
    "RenderedNote",
    "check_heads",
    "check_models",
    "content_assets",
    "load_notes",
    "parse_link",
    "render_note",
]


def __getattr__(name: str) -> Any:
    """Load the module that a public name lives in. Raises `AttributeError` for other names."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
