"""Tell, without reading any of it, whether anything that a site is made from has changed.

A stamp is a digest over the names, sizes and times of change of all files that a build may read:
manifest, notes, themes, model files, the generator's own code and the libraries that write HTML.
Nothing here imports more than the standard library, so that an unchanged build ends at once.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from attention_gallery.build.record import Record
from attention_gallery.pages.routes import file_of

_LIBRARIES = (
    "conllu",
    "jinja2",
    "latex2mathml",
    "markdown",
    "nh3",
    "numpy",
    "PIL",
    "plotly",
    "pygments",
    "pydantic",
    "scipy",
    "sklearn",
    # Pages say when captures come from other versions than those that are here.
    "torch",
    "transformers",
)
# File systems tell the time of change in steps, in nanoseconds at most:
_CLOCK_TICK = 20_000_000
_PACKAGE = Path(__file__).resolve().parent.parent


def stamp(files: Iterable[str], folders: Iterable[str], settings: Iterable[str]) -> str:
    """Digest of the state of these files and folders and of these settings (plain texts)."""
    state = hashlib.sha256()
    for text in settings:
        state.update(f"{text}\0".encode("utf-8", "surrogatepass"))
    for name in files:
        state.update(_state(name))
    for folder in folders:
        for name in _below(folder):
            state.update(_state(name))
    return state.hexdigest()


def own_inputs() -> tuple[list[str], list[str]]:
    """Files and folders of the generator itself: libraries, code, themes in the package or checkout."""
    origins = []
    for name in _LIBRARIES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            origins.append(spec.origin)
    folders = [str(_PACKAGE), str(_PACKAGE.parent.parent / "themes")]
    # By its real name: a command and `python -m` may name the same interpreter differently.
    return [os.path.realpath(sys.executable), *origins], folders


def changed_since(moment: int, files: Iterable[str], folders: Iterable[str]) -> bool:
    """Whether one of these files, or anything below these folders, changed at or after a moment (ns)."""
    names = [*files]
    for folder in folders:
        for base, _, inside in os.walk(folder):
            names += [base, *(f"{base}/{name}" for name in inside)]
    return any(_changed(name) >= moment - _CLOCK_TICK for name in names)


def is_intact(record: Record, site: Path, foreign: Iterable[str]) -> bool:
    """Whether every file of the site is as the last build left it; of foreign ones, whether it is there."""
    folder = str(site)
    some = False
    if not site.is_dir() or not all(os.path.lexists(f"{folder}/{name}") for name in foreign):
        return False
    for route, size, changed in record.stamps():
        some = True
        try:
            status = os.lstat(f"{folder}/{file_of(route)}")
        except OSError:
            return False
        if status.st_size != size or status.st_mtime_ns != changed:
            return False
    return some


def _state(name: str) -> bytes:
    try:
        status = os.stat(name)
    except OSError:
        return f"{name}\0absent\0".encode("utf-8", "surrogateescape")
    return f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogateescape")


def _changed(name: str) -> int:
    try:
        return os.stat(name).st_mtime_ns
    except OSError:
        return 0


def _below(folder: str) -> Iterator[str]:
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            yield f"{base}/{name}"
