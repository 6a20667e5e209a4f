"""Our own code and installed libraries as files whose state tells which version is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from attention_gallery.project_files import THEMES

# The folder of this program's own code.
PACKAGE = Path(__file__).resolve().parent
# Where its themes are: in the package, or beside the code in a checkout.
PACKAGED_THEMES = (PACKAGE / THEMES, PACKAGE.parent.parent / THEMES)
_DESCRIPTIONS = (".dist-info", ".egg-info")


def installed_files(module: str, distribution: str) -> Iterator[str]:
    """The files that are others when another version of a library is installed; none where there is none.

    Its first module alone can be the same in two versions; its description lies in a folder that is named
    after the version, and lists the digests of all its files.
    """
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return
    inner = next(iter(spec.submodule_search_locations or ()), None)
    origin = spec.origin if spec.has_location else None
    if origin is not None:
        yield origin
    beside = os.path.dirname(inner or origin or "")
    try:
        names = sorted(os.listdir(beside))
    except OSError:
        return  # in a ZIP file, whose own state is that of its origin
    for name in names:
        if name.endswith(_DESCRIPTIONS) and _plain(name.split("-")[0]) == _plain(distribution):
            path = os.path.join(beside, name)
            inside = ("METADATA", "RECORD") if os.path.isdir(path) else ()
            yield from [os.path.join(path, entry) for entry in inside] or [path]


def _plain(name: str) -> str:
    """The name of a distribution, which may be written in several ways."""
    return name.removesuffix(".egg-info").lower().replace("_", "-").replace(".", "-")
