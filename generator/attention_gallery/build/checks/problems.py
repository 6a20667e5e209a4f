"""Mistakes of several stages, collected so that all are raised at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from attention_gallery.errors import Problem, UserError


class Problems:
    """Collects problems in the order in which they are met, each once."""

    def __init__(self) -> None:
        self._problems: dict[tuple[object, ...], Problem] = {}
        self._kinds: dict[type[UserError], None] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._problems)

    def add(self, kind: type[UserError], problems: Iterable[Problem]) -> None:
        """Add problems of one kind of error."""
        for problem in problems:
            identity = str(problem.file), problem.line, problem.reason
            if self._problems.setdefault(identity, problem) is problem:
                self._kinds.setdefault(kind)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Add the problems of a `UserError` that is raised inside."""
        try:
            yield
        except UserError as error:
            self.add(type(error), error.problems)

    def raise_any(self) -> None:
        """Raise all that there are: as the kind of error that they have in common, else as `UserError`."""
        if self._problems:
            kind = next(iter(self._kinds)) if len(self._kinds) == 1 else UserError
            raise kind(self._problems.values())
