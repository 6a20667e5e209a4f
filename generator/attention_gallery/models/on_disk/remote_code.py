"""Python code that comes with a model: which files it is, and that it is only what it seems to be.

It runs only where the manifest says `trust_remote_code: true`. Then it counts into the fingerprint of the
weights, as it computes the numbers as much as they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attention_gallery.errors import ModelError
from attention_gallery.models.sources.resolved import ProblemMaker

# `auto_map` names a class of a module beside it. transformers would also take `org/other--module.Class`, code
# of another repository at whatever commit, and a path that leads out of the folder.
_BESIDE = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*")


def own_code(folder: Path, names: frozenset[str]) -> tuple[Path, ...]:
    """The modules of a model's folder, sorted; transformers imports from no folder below it."""
    return tuple(folder / name for name in sorted(names) if name.endswith(".py"))


def check_references(settings: dict[str, Any], source: str, problem: ProblemMaker) -> None:
    """Check that an `auto_map` names code of the same folder, which is fingerprinted. Raises `ModelError`."""
    for reference in _references(settings.get("auto_map")):
        if not _BESIDE.fullmatch(reference):
            reason = f'"{source}" names code outside its own folder: {reference[:80]}'
            mend = "only code that lies beside the weights is pinned; save both in one folder and name that"
            raise ModelError(problem(reason, mend))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _references(inner)
