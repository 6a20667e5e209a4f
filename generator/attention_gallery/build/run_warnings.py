"""What a build or a check warns of: each text once, as a warning or, where it is strict, as an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attention_gallery.errors import OutputError, Problem
from attention_gallery.progress import Reporter


class RunWarnings:
    """The warnings of one run, each text once, in the order in which they are met.

    They are reported at once. A strict run holds them back until its end, where they are its errors.
    """

    def __init__(self, reporter: Reporter, strict: bool) -> None:
        self._reporter = reporter
        self._strict = strict
        self._texts: dict[str, None] = {}
        self._refused = False

    @property
    def texts(self) -> tuple[str, ...]:
        """All warnings so far."""
        return tuple(self._texts)

    def add(self, text: str) -> None:
        """Warn of something, unless that was done: after damage a site is written again."""
        if text in self._texts:
            return
        self._texts[text] = None
        if not self._strict:
            self._reporter.warning(text)

    def refuse(self) -> None:
        """Raise `OutputError` with all warnings, where the run is strict and there are any."""
        if self._strict and self._texts:
            self._refused = True
            raise OutputError([Problem(text, "warnings are errors with --strict") for text in self._texts])

    @contextmanager
    def reported_on_failure(self) -> Iterator[None]:
        """Report what a strict run has held back when something else ends it inside."""
        try:
            yield
        except BaseException:
            if self._strict and not self._refused:
                for text in self._texts:
                    self._reporter.warning(text)
            raise
