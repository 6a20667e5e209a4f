"""Where messages and progress go: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from attention_gallery.cli.terminal_text import colour, duration, estimate, one_line, plain
from attention_gallery.progress import Reporter, Task

if TYPE_CHECKING:
    from attention_gallery.cli.bar import Bars


class PlainReporter:
    """Lines on standard error. Of a counted task it tells the start, the end, and little in between.

    `interval` is the least number of seconds between two lines of one task. `clock` counts seconds.
    """

    def __init__(
        self, verbosity: int = 0, *, interval: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verbosity = verbosity
        self.interval, self.clock = interval, clock

    def info(self, text: str) -> None:
        """Print `text` unless quiet."""
        if self._verbosity >= 0:
            self._say(plain(text))

    def detail(self, text: str) -> None:
        """Print `text` when verbose."""
        if self._verbosity > 0:
            self._say(plain(text))

    def warning(self, text: str) -> None:
        """Print `text` always."""
        self._say(f"{click.style('warning:', fg='yellow', bold=True)} {plain(text)}")

    @contextmanager
    def task(self, description: str, total: int) -> Iterator[Task]:
        """Count a piece of work in lines that are at least `interval` seconds apart."""
        lines = _TaskLines(self, description, total)
        yield lines
        if total > 0:
            self.info(f"{description}: {lines.done} done in {duration(self.clock() - lines.started)}")

    def _say(self, line: str) -> None:
        click.echo(line, err=True, color=colour())


class _TaskLines:
    """The state of one counted task: how many steps are `done`, and when it last said so."""

    def __init__(self, reporter: PlainReporter, description: str, total: int) -> None:
        self._reporter, self._description, self._total = reporter, description, total
        self.done = 0
        self.started = reporter.clock()
        self._last_line = -float("inf")

    def advance(self, steps: int = 1, doing: str | None = None) -> None:
        """Count `steps`; tell what comes next when the last line is old enough."""
        self.done += steps
        now = self._reporter.clock()
        if doing is None or now - self._last_line < self._reporter.interval:
            return
        self._last_line = now
        self._reporter.info(
            f"{self._description} {min(self.done + 1, self._total)}/{self._total}: "
            f"{one_line(doing, 60)}{self._left(now)}"
        )

    def _left(self, now: float) -> str:
        elapsed = now - self.started
        if self.done <= 0 or elapsed < self._reporter.interval:
            return ""
        return f" (about {estimate(elapsed / self.done * (self._total - self.done))} left)"


class TerminalReporter(PlainReporter):
    """As `PlainReporter`, with a progress bar that shows what is being done and how long is left.

    The bar's library is imported when the first counted task begins, so that a build with nothing to do
    stays fast.
    """

    def __init__(self, verbosity: int = 0) -> None:
        super().__init__(verbosity)
        self._bars: Bars | None = None

    @contextmanager
    def task(self, description: str, total: int) -> Iterator[Task]:
        """Count a piece of work with a bar; nothing is shown when there is nothing to count."""
        if total <= 0 or self._verbosity < 0:
            with super().task(description, 0) as silent:
                yield silent
            return
        if self._bars is None:
            from attention_gallery.cli.bar import Bars

            self._bars = Bars()
        started = time.monotonic()
        with self._bars.bar(plain(description), total) as task:
            yield task
        self.info(f"{description}: {task.done} done in {duration(time.monotonic() - started)}")

    def _say(self, line: str) -> None:
        if self._bars is not None and self._bars.shown:
            self._bars.print_above(line)
        else:
            super()._say(line)


def reporter_for(verbosity: int) -> Reporter:
    """The reporter that suits standard error."""
    return TerminalReporter(verbosity) if sys.stderr.isatty() else PlainReporter(verbosity)
