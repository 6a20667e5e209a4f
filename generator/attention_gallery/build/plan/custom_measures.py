"""Measures of a gallery's author: modules of the project, and entry points of installed packages.

A module of the project is read from its folder and from nowhere else, run once, and forgotten by Python:
`sys.path` and `sys.modules` stay as they are. What it computes is checked each time.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from attention_gallery.analysis import BUILT_IN, METRICS, MeasureSet, Metric
from attention_gallery.build.plan.measure_guard import Guard, MeasureEntry
from attention_gallery.errors import ManifestError, Problem, did_you_mean
from attention_gallery.files import cannot_read
from attention_gallery.hashing import digest, digest_bytes, digest_file
from attention_gallery.installed import installed_files
from attention_gallery.manifest.folders import inside
from attention_gallery.manifest.load_manifest import Manifest
from attention_gallery.manifest.yaml.textfile import not_utf8
from attention_gallery.user_files import LARGEST_SETTINGS, read_user_file

GROUP = "attention_gallery.measures"
# How a module names another encoding, in one of its first two lines (PEP 263).
_CODING = re.compile(rb"(?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)?[ \t\f]*#[^\r\n]*?coding[:=]")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Source:
    """What an entry of the manifest names: the object, the file it comes from, and the digest of its code.

    `version` are files that are others when another version of the package is installed.
    """

    measure: Any
    file: Path
    digest: str
    version: tuple[str, ...] = ()


def custom_measures(manifest: Manifest) -> MeasureSet:
    """The measures that the manifest adds to the built-in ones.

    Raises `ManifestError` with everything that is wrong with them.
    """
    metrics: list[Metric] = []
    sources: list[_Source] = []
    problems: list[Problem] = []
    for index in range(len(manifest.settings.analysis.measures)):
        entry = MeasureEntry(manifest, index)
        try:
            source = _from_project(entry) if ":" in entry.text else _from_package(entry)
            metrics.append(_metric(source, entry, {metric.name for metric in (*METRICS, *metrics)}))
            sources.append(source)
        except ManifestError as error:
            problems.extend(error.problems)
    if problems:
        raise ManifestError(problems)
    if not metrics:
        return BUILT_IN
    digests = [(metric.name, source.digest) for metric, source in zip(metrics, sources, strict=True)]
    files = (name for source in sources for name in (str(source.file), *source.version))
    return MeasureSet((*METRICS, *metrics), digest(digests), tuple(dict.fromkeys(files)))


def _from_project(entry: MeasureEntry) -> _Source:
    """`my_module:measure`: an attribute of a module in the project folder."""
    module, _, attribute = entry.text.partition(":")
    if not all(name.isidentifier() for name in (*module.split("."), attribute)):
        raise entry.error(f'"{entry.text}" names no measure', "write `module:function`")
    root = entry.manifest.root.resolve()
    name = module.replace(".", "/") + ".py"
    path = inside(name, root)
    if isinstance(path, str):
        raise entry.error(path, "measures are read from the project folder only")
    if not path.exists():
        known = [file.stem for file in root.glob("*.py")]
        mend = did_you_mean(module, known) or "measures are read from the project folder only"
        raise entry.error(f'there is no file "{name}" in the project', mend)
    try:
        source = read_user_file(path, LARGEST_SETTINGS)
    except OSError as error:
        problem = cannot_read(f'"{name}" cannot be read', error, "check who owns it and its permissions")
        raise entry.error(problem.reason, problem.mend, problem.trouble) from None
    scope = _run(_decoded(source, path, entry), path, entry)
    if attribute not in scope:
        known = [key for key, value in scope.items() if callable(value) and not key.startswith("_")]
        raise entry.error(f'"{name}" has no "{attribute}"', did_you_mean(attribute, known))
    return _Source(scope[attribute], path, digest_bytes(source))


def _decoded(source: bytes, path: Path, entry: MeasureEntry) -> str:
    """The text of a module, which is UTF-8 unless it says otherwise."""
    try:
        if _CODING.match(source):
            return importlib.util.decode_source(source)
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(not_utf8(path, source, error)) from None
    except (SyntaxError, LookupError) as error:
        raise entry.code_error(error, path, "the module cannot be read") from error


def _run(source: str, path: Path, entry: MeasureEntry) -> dict[str, Any]:
    """Run a module and give what it defines, leaving no trace of it in Python's own tables."""
    # Two dots in a row: no import statement can ask for this name.
    module = ModuleType(f"attention_gallery..measures.{path.stem}")
    module.__file__ = str(path)
    paths = list(sys.path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # the manifest asks for it by name
    except ModuleNotFoundError as error:
        reason = "the module cannot be read"
        if error.name is not None and (path.parent / f"{error.name}.py").is_file():
            reason += " (it stands alone: it may import installed packages, but not its neighbours)"
        raise entry.code_error(error, path, reason) from error
    except (Exception, SystemExit) as error:
        raise entry.code_error(error, path, "the module cannot be read") from error
    finally:
        del sys.modules[module.__name__]
        sys.path[:] = paths
    return module.__dict__


def _from_package(entry: MeasureEntry) -> _Source:
    """`name`: an entry point of an installed package."""
    known: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    if entry.text not in known:
        mend = did_you_mean(entry.text, known)
        mend = mend or "write `module:function` for a measure of your own, in the project folder"
        raise entry.error(f'no installed package offers a measure "{entry.text}"', mend)
    point = known[entry.text]
    try:
        measure = point.load()
        file = Path(inspect.getfile(sys.modules[point.module]))
    except (Exception, SystemExit) as error:  # an installed package may raise anything
        reason = f'the measure "{entry.text}" cannot be loaded: {type(error).__name__}: {error}'
        raise entry.error(reason, f"look at the package that brings {point.value}") from error
    version = point.dist.version if point.dist is not None else ""
    code = digest([point.value, version, digest_file(file)])
    files = installed_files(point.module.partition(".")[0], point.dist.name) if point.dist else ()
    return _Source(measure, file, code, tuple(files))


def _metric(source: _Source, entry: MeasureEntry, taken: set[str]) -> Metric:
    """The measure that an object is, checked whenever it computes."""
    metric = source.measure if isinstance(source.measure, Metric) else _from_function(source.measure, entry)
    if not _NAME.fullmatch(metric.name):
        mend = "begin with a-z; a-z, 0-9, _ and - follow"
        raise entry.error(f'"{metric.name}" is no name of a measure', mend)
    if metric.name in taken:
        raise entry.error(f'there is a measure "{metric.name}" already', "give it another name")
    pattern, compute = metric.pattern, metric.compute
    if (pattern is None) == (compute is None):
        raise entry.error(f'the measure "{metric.name}" needs either `pattern` or `compute`', "give it one")
    low, high = metric.range
    if not (np.isfinite(low) and (high is None or np.isfinite(high)) and (high is None or low < high)):
        raise entry.error(f'the range of the measure "{metric.name}" is {low} to {high}', "write two numbers")
    guard = Guard(metric, source.file, entry)
    return replace(
        metric,
        pattern=None if pattern is None else partial(guard.pattern, pattern),
        compute=None if compute is None else partial(guard.compute, compute),
        from_column_mass=None,  # `compute` says all, and is checked
    )


def _from_function(function: Any, entry: MeasureEntry) -> Metric:
    """A function as a measure: a share from 0 to 1 whose docstring says what it is."""
    if not callable(function) or isinstance(function, type):
        mend = "write a function that takes a LayerView, or a Metric"
        raise entry.error(f'"{entry.text}" is no measure but {type(function).__name__}', mend)
    name = getattr(function, "__name__", "")
    docstring = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    if not docstring:
        raise entry.error(f'"{entry.text}" does not say what it measures', "give it a docstring")
    return Metric(
        name=name,
        title=name.replace("_", " ").strip().capitalize(),
        unit="share",
        range=(0.0, 1.0),
        definition=f"{docstring.removesuffix('.')}.",
        source="The authors of this gallery",
        caveat="A measure of this gallery only.",
        compute=function,
    )
