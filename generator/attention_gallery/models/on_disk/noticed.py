"""What tells, beside a model's own files, that another model would be found under its source."""

from __future__ import annotations

from pathlib import Path

from attention_gallery.installed import installed_files
from attention_gallery.manifest.source import parse_source
from attention_gallery.models.sources.resolved import ResolvedModel


def package_files(model: ResolvedModel) -> tuple[str, ...]:
    """Files that are others in another version of the Python package that a model is in; none for others."""
    source = parse_source(model.source)
    if source.kind != "package":
        return ()
    top = source.name.split(".")[0]
    return tuple(installed_files(top, top))


def branch_folders(model: ResolvedModel) -> tuple[Path, ...]:
    """The folder in the hub's cache that tells where branches and tags of a model stand; none for others."""
    if parse_source(model.source).kind != "hub":
        return ()
    # In the cache: <model>/refs/<branch> and <model>/snapshots/<commit>.
    return (model.folder.parent.parent / "refs",)
