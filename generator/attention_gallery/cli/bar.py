"""The progress bar; the only place that draws with rich."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from attention_gallery.cli.terminal_text import one_line


class Bars:
    """The bars that are on the screen: none, one, or one inside another."""

    def __init__(self, console: Console | None = None) -> None:
        # Titles and file names are data: neither markup nor highlighting may be read into them.
        self._console = console or Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._progress: Progress | None = None

    @property
    def shown(self) -> bool:
        """Whether a bar is on the screen now."""
        return self._progress is not None

    def print_above(self, line: str) -> None:
        """Print a line, which may be styled, above the bars."""
        self._console.print(Text.from_ansi(line))

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[BarTask]:
        """A bar that counts to `total` and vanishes at its end."""
        outermost = self._progress is None
        if self._progress is None:
            self._progress = self._new_progress()
            self._progress.start()
        progress = self._progress
        task = progress.add_task(one_line(description, 24), total=total, doing="")
        try:
            yield BarTask(progress, task)
        finally:
            progress.remove_task(task)
            if outermost:
                progress.stop()
                self._progress = None

    def _new_progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[doing]}", markup=False),
            console=self._console,
            transient=True,
        )


class BarTask:
    """One bar as a `Task`; `done` are the steps so far."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self.done = 0

    def advance(self, steps: int = 1, doing: str | None = None) -> None:
        """Move the bar by `steps` and show what comes next."""
        self.done += steps
        if doing is None:
            self._progress.update(self._task, advance=steps)
        else:
            self._progress.update(self._task, advance=steps, doing=one_line(doing, 40))
