"""Side analyses: what pages can do without. One that fails is left out and told of, and costs no site.

A page asks for what comes of one with `SideAnalyses.take`; what is left out of the page that is being made is
said on it, and the build makes it again next time. Mistakes that somebody can mend, damaged captures and what
the machine lacks keep their meaning and are never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from attention_gallery.errors import GalleryError, UndeclaredInputError, first_words

_Made = TypeVar("_Made")
_Otherwise = TypeVar("_Otherwise")
# What the user can mend, damaged captures among it; a full disk or memory; a mistake in a page kind.
_NEVER_PASSED_OVER = (GalleryError, MemoryError, OSError, UndeclaredInputError)


class LeftOut(NamedTuple):
    """A side analysis that failed: what it is called (a plural), what it is of, and how it failed.

    `error` is short and the same on every machine; `detail` may name places and numbers.
    """

    analysis: str
    subject: str
    error: str
    detail: str

    @property
    def sentence(self) -> str:
        """What pages say of it."""
        name = self.analysis[:1].upper() + self.analysis[1:]
        return f"{name} of {self.subject} are left out here: working them out failed ({self.error})."

    @property
    def warning(self) -> str:
        """What the summary says of it."""
        return (
            f"{self.analysis} of {self.subject} are left out, since working them out failed "
            f"({self.error}: {self.detail}); everything else is there"
        )


class SideAnalyses:
    """Runs side analyses; knows what failed in this build, and what the page at hand lacks of it."""

    def __init__(self) -> None:
        self._failed: dict[str, Exception] = {}
        # Dicts and not sets, so that they are told in the order in which they failed, in every run.
        self._all: dict[LeftOut, None] = {}
        self._page: dict[LeftOut, None] = {}

    def begin_page(self) -> None:
        """What is left out from now on is left out of another page."""
        self._page = {}

    @property
    def of_page(self) -> tuple[LeftOut, ...]:
        """What the page at hand lacks."""
        return tuple(self._page)

    @property
    def everything(self) -> tuple[LeftOut, ...]:
        """What any page of this build lacks."""
        return tuple(self._all)

    def collected(self, work: Callable[[], _Made]) -> tuple[_Made, tuple[LeftOut, ...]]:
        """The result of some work, and what it lacks, which the page at hand does not lack by that alone."""
        # An input that needs another is collected inside the collecting of the first.
        before, self._page = self._page, {}
        try:
            return work(), tuple(self._page)
        finally:
            self._page = before

    def add(self, lacking: Iterable[LeftOut]) -> None:
        """The page at hand lacks these, too."""
        self._page.update(dict.fromkeys(lacking))

    def once(self, key: str, work: Callable[[], _Made]) -> _Made:
        """The result of some work, which is not tried again where it failed. Raises what it raises."""
        if key in self._failed:
            raise self._failed[key]
        try:
            return work()
        except _NEVER_PASSED_OVER:
            raise
        except Exception as error:
            self._failed[key] = error
            raise

    def take(
        self, analysis: str, subject: str, work: Callable[[], _Made], otherwise: _Otherwise
    ) -> _Made | _Otherwise:
        """The result of a side analysis, or `otherwise` where it failed, which the page then says."""
        try:
            return work()
        except _NEVER_PASSED_OVER:
            raise
        except Exception as error:  # whatever it is: this is what pages can do without
            self.leave_out(analysis, subject, type(error).__name__, str(error))
            return otherwise

    def leave_out(self, analysis: str, subject: str, error: str, detail: str = "") -> None:
        """Tell of an analysis that failed."""
        found = LeftOut(analysis, subject, error, first_words(detail, 200) or "no more is known")
        self._page[found] = self._all[found] = None
