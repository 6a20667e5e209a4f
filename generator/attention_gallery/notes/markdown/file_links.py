"""Ordinary Markdown links and pictures: relative to the note's file, inside the content folder."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote

from attention_gallery.notes.load_notes import Note
from attention_gallery.notes.markdown.note_links import LinkTarget, target_link
from attention_gallery.notes.target import LAYOUT, ExplainedError, place

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif")


class AddressError(ExplainedError):
    """An address that a note cannot use."""


def markdown_link(address: str, note: Note, image: bool) -> LinkTarget:
    """The page or file that a relative address names, without its place. Raises `AddressError`."""
    what = "picture" if image else "link"
    if re.match(r"(?:https?|ftp):|//", address, re.IGNORECASE):
        mend = "save it in the content folder: a gallery makes no request to another host"
        raise AddressError(f'the {what} "{address}" is on another host', mend)
    if scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", address):
        mend = "name a file of the content folder"
        mend += "" if image else ", or an address that begins with https:, http: or mailto:"
        shortened = address if len(address) <= 60 else f"{address[:60]}…"
        raise AddressError(f'the {what} "{shortened}" begins with {scheme[0]}, which notes cannot use', mend)
    path, _, fragment = address.partition("#")
    path, _, query = path.partition("?")
    if path.startswith("/"):
        mend = "write it relative to the note, or as [[model/sentence]]"
        raise AddressError(f'the {what} "{address}" begins at the root of the host', mend)
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(note.name), unquote(path)))
    if whole.startswith("../") or whole == ".." or "\\" in whole:
        raise AddressError(f'the {what} "{address}" leaves the content folder', "move the file into it")
    if query or not path or path.endswith("/") or "." not in posixpath.basename(whole):
        mend = "write [[model/sentence]] for a page, or the name of a file"
        raise AddressError(f'the {what} "{address}" names no file of the content folder', mend)
    if whole.endswith(".md") and not image:
        target = place(tuple(whole.removesuffix(".md").split("/")))
        if target is None:
            raise AddressError(f'the link "{address}" leads to no note', LAYOUT)
        return target_link(target, address, fragment)
    if image and not whole.lower().endswith(_PICTURES):
        raise AddressError(
            f'"{address}" is not a picture that a note can show', f"use {', '.join(_PICTURES)}"
        )
    return LinkTarget(address, "asset", slug=whole, fragment=fragment)
