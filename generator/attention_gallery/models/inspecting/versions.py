"""The versions of what computes the numbers, found without importing any of it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from attention_gallery.version import __version__


def library_versions() -> dict[str, str]:
    """The versions of torch and its kin and of this program, by distribution name, sorted."""
    return dict(_found())


@cache
def _found() -> dict[str, str]:
    # Reading them takes as long as a short sentence does.
    versions = {"attention-gallery": __version__}
    for name in ("numpy", "tokenizers", "torch", "transformers"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
