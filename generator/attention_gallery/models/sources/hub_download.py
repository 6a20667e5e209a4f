"""Download a model and show how far it is, in our own words instead of the hub library's bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from logging import CRITICAL
from pathlib import Path
from typing import Any

from attention_gallery.progress import Reporter, Task

_STEP = 1_000_000  # bytes that count as one step of progress: a megabyte


def download(name: str, revision: str | None, patterns: list[str], reporter: Reporter) -> Path:
    """The folder of a hub model after all files that match are there.

    What was downloaded before is not asked for again. Raises whatever the hub library raises; a file that
    did not come whole is never left under its name.
    """
    from huggingface_hub import snapshot_download

    fetch: Any = partial(snapshot_download, name, revision=revision, allow_patterns=patterns)
    with _quiet_hub():
        planned: Any = fetch(dry_run=True, tqdm_class=_counter())
        missing = [file for file in planned if file.will_download]
        if not missing:  # the copy was whole, and the hub says that it is still the present one
            return Path(fetch(tqdm_class=_counter()))
        size = sum(file.file_size or 0 for file in missing) / _STEP
        files = "1 file" if len(missing) == 1 else f"{len(missing)} files"
        reporter.info(f"downloading {name}: {files}, {size:.1f} MB")
        with reporter.task("megabytes", max(1, round(size))) as task:
            return Path(fetch(tqdm_class=_counter(task, name)))


@contextmanager
def _quiet_hub() -> Iterator[None]:
    """Keep the hub library's own messages off the terminal; its errors are told by us."""
    from huggingface_hub.utils.logging import get_verbosity, set_verbosity

    before = get_verbosity()
    set_verbosity(CRITICAL)
    try:
        yield
    finally:
        set_verbosity(before)


def _counter(task: Task | None = None, name: str = "") -> type[Any]:
    """A class that the hub library takes for its progress bar; it counts bytes into `task`, if any."""
    from huggingface_hub.utils.tqdm import tqdm

    class Counter(tqdm):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            # Of the bars there are, this one counts the bytes that are written to the disk.
            self._counts = settings.get("name") == "huggingface_hub.snapshot_download"
            self._bytes = 0
            super().__init__(*arguments, **{**settings, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            if task is not None and self._counts:
                before, self._bytes = self._bytes, self._bytes + int(n or 0)
                task.advance(self._bytes // _STEP - before // _STEP, name)

    return Counter
