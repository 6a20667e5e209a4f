"""How long work tells what it is doing, without knowing about terminals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One piece of work that counts its steps."""

    def advance(self, steps: int = 1, doing: str | None = None) -> None:
        """Count `steps` as done and, when given, say what comes next."""


class Reporter(Protocol):
    """Where messages and progress go: a terminal, plain lines, or nowhere."""

    def info(self, text: str) -> None:
        """Say something that a reader of the log wants to know."""

    def detail(self, text: str) -> None:
        """Say something that only `--verbose` shows."""

    def warning(self, text: str) -> None:
        """Say something that deserves attention but stops nothing."""

    def task(self, description: str, total: int) -> AbstractContextManager[Task]:
        """Open a counted piece of work; used as a context manager that yields a `Task`."""


class SilentReporter:
    """A reporter that keeps warnings and drops everything else; for tests and library use."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def info(self, text: str) -> None:
        """Drop `text`."""

    def detail(self, text: str) -> None:
        """Drop `text`."""

    def warning(self, text: str) -> None:
        """Keep `text` in `warnings`."""
        self.warnings.append(text)

    @contextmanager
    def task(self, description: str, total: int) -> Iterator[Task]:
        """A task that counts nothing."""
        yield _SilentTask()


class _SilentTask:
    def advance(self, steps: int = 1, doing: str | None = None) -> None:
        """Count nothing."""
