"""The files of a new gallery, and how they get into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attention_gallery.errors import OutputError, Problem
from attention_gallery.version import __version__

# Where each file of `init_files/` goes. Names with a dot would be taken for our own repository's.
_PLACES = {
    "gallery.yaml": "gallery.yaml",
    "content/gallery.md": "content/gallery.md",
    "content/about.md": "content/about.md",
    "content/sentences/tired-cat.md": "content/sentences/tired-cat.md",
    "dot-gitignore": ".gitignore",
    "publish.yml": ".github/workflows/publish.yml",
    "requirements.txt": "requirements.txt",
}
SCHEMA = "gallery.schema.json"


def starter_files() -> Mapping[str, bytes]:
    """The content of a new gallery's files by their path in its folder, `/` between parts."""
    from attention_gallery.manifest.schema import schema_text

    source = Path(__file__).parent / "init_files"
    files = {path: (source / name).read_bytes() for name, path in _PLACES.items()}
    files["requirements.txt"] = files["requirements.txt"].replace(b"@VERSION@", __version__.encode())
    files[SCHEMA] = schema_text().encode()
    return dict(sorted(files.items()))


def write_starter(folder: Path, *, force: bool = False) -> tuple[str, ...]:
    """Write a new gallery into `folder`, which is made when it does not exist; the paths written.

    Raises `OutputError` that lists what would be overwritten, unless `force` is given; nothing is then
    written at all.
    """
    from attention_gallery.files import write_atomically

    files = starter_files()
    _check_places(folder, files, force)
    for name, data in files.items():
        write_atomically(folder / name, data)
    return tuple(files)


def _check_places(folder: Path, files: Mapping[str, bytes], force: bool) -> None:
    problems = []
    existing = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if existing and not force:
        listed = "".join(f"\n    {name}" for name in existing)
        reason = f"these files exist in {folder} and would be overwritten:{listed}"
        problems.append(Problem(reason, "choose another folder, or overwrite them with --force"))
    # A folder that is a file, or a link that leads elsewhere, would make the files land somewhere else.
    root = folder.resolve()
    for name in files:
        parent = (folder / name).parent
        above = next(folder_above for folder_above in (parent, *parent.parents) if folder_above.exists())
        if not above.is_dir():
            problems.append(Problem(f"{above} is not a folder", "choose another folder"))
        elif folder.exists() and not parent.resolve().is_relative_to(root):
            problems.append(Problem(f"{parent} leads out of {folder}", "choose another folder"))
        elif (folder / name).is_dir():
            problems.append(Problem(f"{folder / name} is a folder", "choose another folder"))
    if problems:
        raise OutputError(dict.fromkeys(problems))
