"""Where a model comes from: a hub id, a local path, or a path inside an installed Python package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attention_gallery.errors import ManifestError

_HUB_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_GENERIC = frozenset({"model", "models", "weights", "snapshot", "checkpoint", "data", ".", "..", "~", ""})
_FORMS = (
    "write `org/name` for a hub id, `./folder` for a local model, "
    "or `package:name/path` for an installed package"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    kind "hub": `name` is the hub id. kind "local": `path` as written, relative to the manifest's folder.
    kind "package": `name` is the module to import, `path` what follows it ("" is the package's own folder).
    `text` is the source as the manifest writes it.
    """

    kind: Literal["hub", "local", "package"]
    text: str
    name: str = ""
    path: str = ""

    def local_path(self, root: Path) -> Path:
        """The absolute path of a local source, `~` expanded. Raises `ValueError` for other kinds."""
        if self.kind != "local":
            raise ValueError(f"{self.text} is not a local source")
        return (root / Path(self.path).expanduser()).absolute()

    @property
    def title(self) -> str:
        """The last part that says something: `all-MiniLM-L6-v2`, not `model`."""
        parts = [*self.name.split("/"), *self.path.replace("\\", "/").split("/")]
        telling = [segment for segment in parts if segment.lower() not in _GENERIC]
        last = telling[-1] if telling else "model"
        return last.removesuffix(".gguf").removesuffix(".safetensors") or last


def parse_source(text: str) -> Source:
    """The parts of a model's source. Raises `ManifestError`, without a position, when it has no such form."""
    if text != text.strip() or not text:
        raise ManifestError("the source is empty or has spaces around it", _FORMS)
    if any(ord(mark) < 32 or ord(mark) == 127 for mark in text):
        raise ManifestError("the source contains a control character", _FORMS)
    if text.startswith("package:"):
        return _package(text)
    if text in {".", ".."} or re.match(r"\.\.?[/\\]|/|~[/\\]|[A-Za-z]:[/\\]", text):
        return Source("local", text, path=text)
    if text.startswith("file://"):
        raise ManifestError(f'the source "{text}" is a web address', "write the path alone: `/…` or `./…`")
    if "://" in text:
        raise ManifestError(f'the source "{text}" is a web address', "write only its `org/name` part")
    if scheme := _SCHEME.match(text):
        raise ManifestError(f'the source "{text}" begins with "{scheme[1]}:", which is not known', _FORMS)
    return _hub(text)


def _package(text: str) -> Source:
    name, _, path = text.removeprefix("package:").partition("/")
    if not _MODULE.fullmatch(name):
        mend = _FORMS
        if _MODULE.fullmatch(name.replace("-", "_")):
            mend = f"use the name that Python imports: `package:{name.replace('-', '_')}/…`"
        raise ManifestError(f'"{name}" is not the name of a Python package', mend)
    parts = path.split("/")
    if ".." in parts or "\\" in path or path.startswith("/"):
        mend = "give a path inside the package, without `..`"
        raise ManifestError(f'the path "{path}" leaves the package {name}', mend)
    inner = "/".join(segment for segment in parts if segment not in {"", "."})
    return Source("package", text, name=name, path=inner)


def _hub(text: str) -> Source:
    parts = text.split("/")
    reason = f'"{text}" is not a hub id, which has the form `org/name`'
    if len(parts) > 2 or text.endswith((".gguf", ".safetensors")) or "\\" in text:
        raise ManifestError(reason, f"for a local model write `./{text}`")
    if "--" in text or ".." in text or not all(map(_HUB_PART.fullmatch, parts)):
        raise ManifestError(reason, _FORMS)
    return Source("hub", text, name=text)
