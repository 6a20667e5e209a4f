"""Folders that a manifest names: inside the project, and never the site on top of its own sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attention_gallery.manifest.findings import Finding
from attention_gallery.project_files import CACHE, CONTENT, OUTPUT, THEMES

_DEFAULTS = {"content": CONTENT, "output": OUTPUT}
_OURS = (THEMES, CACHE, ".git")


def check_paths(data: dict[str, Any], manifest: Path) -> Iterator[Finding]:
    """Findings about `content` and `output`, after symbolic links are followed."""
    real: dict[str, Path] = {}
    root = manifest.parent.resolve()
    for key, default in _DEFAULTS.items():
        value = data.get(key, default)
        if not isinstance(value, str):
            continue
        path = inside(value, root)
        if isinstance(path, Path):
            real[key] = path
        else:
            yield path, "write a folder inside the project, relative to the manifest", (key,)
    if "content" in real and real["content"] in {root, manifest}:
        yield "the content folder cannot be the project itself", "write a folder of its own", ("content",)
        del real["content"]
    if "output" in real:
        yield from _output(real, root, manifest)


def inside(value: str, root: Path) -> Path | str:
    """The resolved path of a file or folder of the project, or what is wrong with it."""
    if not value.strip():
        return "the path is empty"
    if Path(value).is_absolute() or value.startswith("~") or value[1:2] == ":" or "\\" in value:
        return f'"{value}" is not relative to the manifest'
    try:
        real = (root / value).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        return f'"{value}" cannot be followed: {error}'
    if not real.is_relative_to(root):
        led = "" if ".." in Path(value).parts else " through a symbolic link"
        return f'"{value}" leaves the project{led}'
    return real


def _output(real: dict[str, Path], root: Path, manifest: Path) -> Iterator[Finding]:
    output = real["output"]
    mend = "write a folder that holds nothing but the site, such as `site`"
    if output == root:
        yield "the output folder is the project itself, which a build would replace", mend, ("output",)
        return
    sources = {}
    for name in _OURS:
        try:
            sources[name] = (root / name).resolve()
        except (OSError, RuntimeError):
            continue  # a link in a circle holds nothing; who reads from it tells
    sources["the manifest"] = manifest
    if "content" in real:
        sources["the content folder"] = real["content"]
    for name, source in sources.items():
        if source == output or source.is_relative_to(output):
            yield f"the output folder would hold {name}, which a build would replace", mend, ("output",)
            return
        if output.is_relative_to(source):
            yield f"the output folder stands inside {name}", mend, ("output",)
            return
