"""Measures of a gallery's author: modules of the project, and entry points of installed packages.

A module of the project is read from its folder and from nowhere else, run once, and forgotten by Python:
`sys.path` and `sys.modules` stay as they are. What it computes is checked each time.
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.analysis.measure_set import BUILT_IN, MeasureSet
from attention_gallery.analysis.metrics import METRICS, Metric
from attention_gallery.analysis.patterns import Pattern
from attention_gallery.errors import ManifestError, Problem, did_you_mean
from attention_gallery.hashing import digest, digest_bytes
from attention_gallery.manifest import Manifest
from attention_gallery.manifest.paths import inside
from attention_gallery.records import Float32

GROUP = "attention_gallery.measures"
# How far beyond its range a value may lie by rounding.
SLACK = 1e-4
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Found:
    """What an item of the manifest names: the object, the file it comes from, and the digest of its code."""

    value: Any
    file: Path
    digest: str


@dataclass(frozen=True, slots=True)
class _Place:
    """One item of `analysis.measures`, for telling what is wrong with it."""

    manifest: Manifest
    index: int

    @property
    def named(self) -> str:
        """The item as it is written."""
        return self.manifest.settings.analysis.measures[self.index]

    def error(self, reason: str, mend: str = "") -> ManifestError:
        """A mistake at the item."""
        return ManifestError(self.manifest.problem(reason, mend, "analysis", "measures", self.index))

    def raised(self, error: BaseException, file: Path, what: str) -> ManifestError:
        """An exception of the author's code, at the last of their lines that led to it."""
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
        for frame in traceback.extract_tb(error.__traceback__):
            line = frame.lineno if Path(frame.filename) == file else line
        source = file.read_text(encoding="utf-8", errors="replace").splitlines()
        quote = source[line - 1] if line is not None and line <= len(source) else None
        where = self.manifest.where("analysis", "measures", self.index)
        mend = f'mend it, or remove "{self.named}" from line {where.line} of {self.manifest.path.name}'
        reason = f"{what}: {type(error).__name__}: {error}".rstrip(": ")
        return ManifestError(Problem(reason, mend, file, line, quote=quote))


def own_measures(manifest: Manifest) -> MeasureSet:
    """The measures that the manifest adds to the built-in ones.

    Raises `ManifestError` with everything that is wrong with them.
    """
    metrics: list[Metric] = []
    found: list[_Found] = []
    problems: list[Problem] = []
    for index in range(len(manifest.settings.analysis.measures)):
        place = _Place(manifest, index)
        try:
            one = _of_project(place) if ":" in place.named else _installed(place)
            metrics.append(_metric(one, place, {metric.name for metric in (*METRICS, *metrics)}))
            found.append(one)
        except ManifestError as error:
            problems.extend(error.problems)
    if problems:
        raise ManifestError(problems)
    if not metrics:
        return BUILT_IN
    named = [(metric.name, one.digest) for metric, one in zip(metrics, found, strict=True)]
    return MeasureSet((*METRICS, *metrics), digest(named), tuple(str(one.file) for one in found))


def _of_project(place: _Place) -> _Found:
    """`my_module:measure`: an attribute of a module in the project folder."""
    module, _, attribute = place.named.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), attribute)):
        raise place.error(f'"{place.named}" names no measure', "write `module:function`")
    root = place.manifest.root.resolve()
    name = module.replace(".", "/") + ".py"
    path = inside(name, root)
    if isinstance(path, str):
        raise place.error(path, "measures are read from the project folder only")
    if not path.is_file():
        known = [one.stem for one in root.glob("*.py")]
        mend = did_you_mean(module, known) or "measures are read from the project folder only"
        raise place.error(f'there is no file "{name}" in the project', mend)
    source = path.read_bytes()
    scope = _run(source, path, place)
    if attribute not in scope:
        known = [one for one, value in scope.items() if callable(value) and not one.startswith("_")]
        raise place.error(f'"{name}" has no "{attribute}"', did_you_mean(attribute, known))
    return _Found(scope[attribute], path, digest_bytes(source))


def _run(source: bytes, path: Path, place: _Place) -> dict[str, Any]:
    """Run a module and give what it defines, leaving no trace of it in Python's own tables."""
    # Two dots in a row: no import statement can ask for this name.
    module = ModuleType(f"attention_gallery..measures.{path.stem}")
    module.__file__ = str(path)
    paths = list(sys.path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(
            compile(source, str(path), "exec", dont_inherit=True), module.__dict__
        )  # the manifest asks for it by name
    except ModuleNotFoundError as error:
        what = "the module cannot be read"
        if error.name is not None and (path.parent / f"{error.name}.py").is_file():
            what += " (it stands alone: it may import installed packages, but not its neighbours)"
        raise place.raised(error, path, what) from error
    except (Exception, SystemExit) as error:
        raise place.raised(error, path, "the module cannot be read") from error
    finally:
        del sys.modules[module.__name__]
        sys.path[:] = paths
    return module.__dict__


def _installed(place: _Place) -> _Found:
    """`name`: an entry point of an installed package."""
    known: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    if place.named not in known:
        mend = did_you_mean(place.named, known)
        mend = mend or "write `module:function` for a measure of your own, in the project folder"
        raise place.error(f'no installed package offers a measure "{place.named}"', mend)
    point = known[place.named]
    try:
        value = point.load()
        file = Path(inspect.getfile(sys.modules[point.module]))
    except Exception as error:  # an installed package may raise anything
        reason = f'the measure "{place.named}" cannot be loaded: {type(error).__name__}: {error}'
        raise place.error(reason, f"look at the package that brings {point.value}") from error
    version = point.dist.version if point.dist is not None else ""
    return _Found(value, file, digest([point.value, version, digest_bytes(file.read_bytes())]))


def _metric(found: _Found, place: _Place, taken: set[str]) -> Metric:
    """The measure that an object is, checked whenever it computes."""
    metric = found.value if isinstance(found.value, Metric) else _described(found.value, place)
    if not _NAME.fullmatch(metric.name):
        raise place.error(
            f'"{metric.name}" is no name of a measure', "begin with a-z; a-z, 0-9, _ and - follow"
        )
    if metric.name in taken:
        raise place.error(f'there is a measure "{metric.name}" already', "give it another name")
    pattern, compute = metric.pattern, metric.compute
    if (pattern is None) == (compute is None):
        raise place.error(f'the measure "{metric.name}" needs either `pattern` or `compute`', "give it one")
    low, high = metric.range
    if not (np.isfinite(low) and (high is None or np.isfinite(high)) and (high is None or low < high)):
        raise place.error(f'the range of the measure "{metric.name}" is {low} to {high}', "write two numbers")
    guard = _Guard(metric, found.file, place)
    return replace(
        metric,
        pattern=None if pattern is None else partial(guard.pattern, pattern),
        compute=None if compute is None else partial(guard.compute, compute),
    )


def _described(value: Any, place: _Place) -> Metric:
    """A function as a measure: a share from 0 to 1 whose docstring says what it is."""
    if not callable(value) or isinstance(value, type):
        mend = "write a function that takes a LayerView, or a Metric"
        raise place.error(f'"{place.named}" is no measure but {type(value).__name__}', mend)
    name = getattr(value, "__name__", "")
    told = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    if not told:
        raise place.error(f'"{place.named}" does not say what it measures', "give it a docstring")
    title = name.replace("_", " ").strip().capitalize()
    definition = told if told.endswith(".") else f"{told}."
    return Metric(
        name=name,
        title=title,
        unit="share",
        range=(0.0, 1.0),
        definition=definition,
        source="The authors of this gallery",
        caveat="A measure of this gallery only.",
        compute=value,
    )


@dataclass(frozen=True, slots=True)
class _Guard:
    """Runs the code of a measure and checks what it gives."""

    metric: Metric
    file: Path
    place: _Place

    def compute(self, work: Callable[[LayerView], Any], view: LayerView) -> Float32:
        """The measure of every head in view, float32[head]. Raises `ManifestError`."""
        weights, sums = view.weights.view(), view.row_sums.view()
        weights.flags.writeable = sums.flags.writeable = False  # others measure them, too
        with self._told():
            given = work(LayerView(weights, sums, view.layout))
            values = np.asarray(given)
        name = self.metric.name
        if values.shape != (view.heads,) or values.dtype.kind not in "fiub":
            told = f"an array of {values.dtype}, shape {values.shape}" if values.shape else repr(given)
            mend = f"one number for each of {view.heads} heads is wanted: weights are [head, query, key]"
            raise self.place.error(f'the measure "{name}" gave {told}', mend)
        low, high = self.metric.range_for(view.layout.queries)
        values = values.astype(np.float32)
        outside = (np.isinf(values) | (values < low - SLACK) | (values > high + SLACK)).nonzero()[0]
        if outside.size:
            reason = (
                f'the measure "{name}" gave {values[outside[0]]:g}, outside its range {low:g} to {high:g}'
            )
            raise self.place.error(
                reason, "mend it, or tell its range with a Metric; NaN is for what is absent"
            )
        return values

    def pattern(self, work: Callable[[Layout], Any], layout: Layout) -> Pattern:
        """What a linear measure looks for. Raises `ManifestError`."""
        with self._told():
            given = work(layout)
        if not isinstance(given, Pattern) or not _fits(given, layout):
            reason = f'the pattern of the measure "{self.metric.name}" does not fit'
            raise self.place.error(reason, "give a Pattern of finite worth[query, key] and bool rows[query]")
        worth = given.worth[layout.seen() & given.rows[:, None]]
        low, high = self.metric.range_for(layout.queries)
        if worth.size and not (low - SLACK <= worth.min() and worth.max() <= high + SLACK):
            reason = (
                f'the pattern of the measure "{self.metric.name}" has worths from {worth.min():g} to '
                f"{worth.max():g}, outside its range {low:g} to {high:g}"
            )
            raise self.place.error(reason, "a mean of worths lies between them: tell that range")
        return given

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # code of others may raise anything
            raise self.place.raised(error, self.file, f'the measure "{self.metric.name}" failed') from error


def _fits(pattern: Pattern, layout: Layout) -> bool:
    shapes = pattern.worth.shape == (layout.queries, layout.keys) and pattern.rows.shape == (layout.queries,)
    return bool(shapes and pattern.rows.dtype == bool and np.isfinite(pattern.worth).all())
