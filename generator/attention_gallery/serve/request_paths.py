"""From the path of a request to a file of the site, and never to any other file."""

from __future__ import annotations

import errno
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from attention_gallery.files import kind_of

# Fixed, because the tables of operating systems differ and some are wrong.
_TYPES = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".map": "application/json; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a request path leads to: a file, an address to go on to, or nothing."""

    file: Path | None = None
    redirect: str | None = None


def find(site: Path, base_path: str, request_path: str) -> Found:
    """Look up the path of a request (still percent-encoded, without its query) in `site`.

    Nothing is found outside `base_path`, outside `site` (symbolic links included), and in folders without
    an index.html: there are no directory listings. Raises `OSError` for what is there and cannot be read.
    """
    path = unquote(request_path, errors="replace")
    if path == base_path[:-1] or (path == "/" and base_path != "/"):
        return Found(redirect=quote(base_path))
    if not path.startswith(base_path):
        return Found()
    parts = path[len(base_path) :].split("/")
    if any(_unsafe(segment) for segment in parts):
        return Found()
    try:
        return _look_up(site.resolve(), base_path, parts)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return Found()
        raise


def _look_up(root: Path, base_path: str, parts: list[str]) -> Found:
    """As `find`, for the parts of a path below `base_path`, the last of which is "" for a folder."""
    named = [segment for segment in parts if segment]
    file = root.joinpath(*named)
    if kind_of(file) == "folder":
        if named and parts[-1]:
            return Found(redirect=quote(base_path + "/".join(named) + "/"))
        file = file / "index.html"
    elif named and not parts[-1]:
        return Found()
    if kind_of(file) != "file" or not file.resolve().is_relative_to(root):
        return Found()
    return Found(file=file)


def content_type(file: Path) -> str:
    """The MIME type of a file by its name."""
    known = _TYPES.get(file.suffix.lower())
    return known or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _unsafe(segment: str) -> bool:
    return segment in {".", ".."} or any(mark in "\\:" or ord(mark) < 32 for mark in segment)
