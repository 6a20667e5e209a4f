"""Runs the code of an author's measure, checks what it gives, and tells what is wrong and where."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from attention_gallery.analysis import LayerView, Layout, Metric, Pattern
from attention_gallery.errors import ManifestError, Problem
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.records import Float32
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

# How far beyond its range a value may lie by rounding.
SLACK = 1e-4


@dataclass(frozen=True, slots=True)
class MeasureEntry:
    """One entry of `analysis.measures`, and the errors that it makes."""

    manifest: Manifest
    index: int

    @property
    def text(self) -> str:
        """The entry as it is written."""
        return self.manifest.settings.analysis.measures[self.index]

    def error(self, reason: str, mend: str = "", trouble: bool = False) -> ManifestError:
        """A mistake at the entry."""
        problem = self.manifest.problem(reason, mend, "analysis", "measures", self.index)
        return ManifestError(replace(problem, trouble=trouble))

    def code_error(self, error: BaseException, file: Path, reason: str) -> ManifestError:
        """An exception of the author's code, at the last of their lines that led to it."""
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
        for frame in traceback.extract_tb(error.__traceback__):
            line = frame.lineno if Path(frame.filename) == file else line
        source = read_user_file(file, LARGEST_SETTINGS).decode("utf-8", "replace").splitlines()
        quote = source[line - 1] if line is not None and line <= len(source) else None
        entry = self.manifest.where("analysis", "measures", self.index)
        mend = f'mend it, or remove "{self.text}" from line {entry.line} of {self.manifest.path.name}'
        reason = f"{reason}: {type(error).__name__}: {error}".rstrip(": ")
        return ManifestError(Problem(reason, mend, file, line, quote=quote))


@dataclass(frozen=True, slots=True)
class Guard:
    """Runs the code of a measure and checks what it gives."""

    metric: Metric
    file: Path
    entry: MeasureEntry

    def compute(self, work: Callable[[LayerView], Any], view: LayerView) -> Float32:
        """The measure of every head in view, float32[head]. Raises `ManifestError`."""
        weights, sums = view.weights.view(), view.row_sums.view()
        weights.flags.writeable = sums.flags.writeable = False  # others measure them, too
        with self._errors_placed():
            returned = work(LayerView(weights, sums, view.layout))
            values = np.asarray(returned)
        name = self.metric.name
        if values.shape != (view.heads,) or values.dtype.kind not in "fiub":
            actual = f"an array of {values.dtype}, shape {values.shape}" if values.shape else repr(returned)
            mend = f"one number for each of {view.heads} heads is wanted: weights are [head, query, key]"
            raise self.entry.error(f'the measure "{name}" gave {actual}', mend)
        low, high = self.metric.range_for(view.layout.queries)
        values = values.astype(np.float32)
        outside = (np.isinf(values) | (values < low - SLACK) | (values > high + SLACK)).nonzero()[0]
        if outside.size:
            reason = (
                f'the measure "{name}" gave {values[outside[0]]:g}, outside its range {low:g} to {high:g}'
            )
            mend = "mend it, or tell its range with a Metric; NaN is for what is absent"
            raise self.entry.error(reason, mend)
        return values

    def pattern(self, work: Callable[[Layout], Any], layout: Layout) -> Pattern:
        """What a linear measure looks for. Raises `ManifestError`."""
        with self._errors_placed():
            pattern = work(layout)
        if not isinstance(pattern, Pattern) or not _fits(pattern, layout):
            reason = f'the pattern of the measure "{self.metric.name}" does not fit'
            raise self.entry.error(reason, "give a Pattern of finite worth[query, key] and bool rows[query]")
        worth = pattern.worth[layout.seen() & pattern.rows[:, None]]
        low, high = self.metric.range_for(layout.queries)
        if worth.size and not (low - SLACK <= worth.min() and worth.max() <= high + SLACK):
            reason = (
                f'the pattern of the measure "{self.metric.name}" has worths from {worth.min():g} to '
                f"{worth.max():g}, outside its range {low:g} to {high:g}"
            )
            raise self.entry.error(reason, "a mean of worths lies between them: tell that range")
        return pattern

    @contextmanager
    def _errors_placed(self) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as error:  # code of others may raise anything
            reason = f'the measure "{self.metric.name}" failed'
            raise self.entry.code_error(error, self.file, reason) from error


def _fits(pattern: Pattern, layout: Layout) -> bool:
    shapes = pattern.worth.shape == (layout.queries, layout.keys) and pattern.rows.shape == (layout.queries,)
    return bool(shapes and pattern.rows.dtype == bool and np.isfinite(pattern.worth).all())
