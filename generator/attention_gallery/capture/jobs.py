"""Capture what the store lacks: each model loaded once, each sentence kept as soon as it is done."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

from attention_gallery.capture.batch import OutOfMemoryError, run_batch
from attention_gallery.capture.prepare import PreparedModel, prepare
from attention_gallery.capture.reading import ModelInput, read_input
from attention_gallery.capture.single import out_of_memory
from attention_gallery.errors import DamagedEntry, ModelError, Problem
from attention_gallery.models.fingerprints import ModelFingerprint
from attention_gallery.models.load import LoadedModel, load
from attention_gallery.models.resolved import ProblemMaker, ResolvedModel
from attention_gallery.progress import Reporter, Task
from attention_gallery.records import Precision, TextInput
from attention_gallery.store import AttentionStore, EntryWriter


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One sentence under one model.

    `title` and `sentence` name the two for people, `keys` say where the capture of each kind of attention
    belongs in the store ("self", or "encoder", "decoder" and "cross": see `ResolvedModel.kinds`), and
    `problem` makes a problem at the sentence's line of the manifest.
    """

    model: ResolvedModel
    title: str
    dtype: str
    sentence: str
    given: TextInput
    precision: Precision
    keys: Mapping[str, str]
    fingerprint: ModelFingerprint
    problem: ProblemMaker = Problem


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """What was done: sentences captured, models loaded, and the seconds it took."""

    captured: int
    seconds: float
    models_loaded: int


def capture_missing(jobs: Sequence[CaptureJob], store: AttentionStore, reporter: Reporter) -> CaptureReport:
    """Capture what the store does not hold whole of every job, and only that.

    A damaged entry is reported and captured again. All sentences of a model are tokenised before the first
    one runs, and a model that fails does not keep the others from being captured: all problems are told at
    once, at the end, as one `ModelError`. What was captured before an error, an interrupt or a kill stays
    in the store.
    """
    started = time.perf_counter()
    left = [_left(job, store, reporter) for job in _unique(jobs)]
    wanted = _grouped([job for job in left if job.keys])
    total = sum(len(group) for group in wanted)
    problems: list[Problem] = []
    if total:
        with reporter.task("capturing attention", total) as task:
            for group in wanted:
                try:
                    _capture_group(group, store, task)
                except ModelError as error:
                    problems.extend(error.problems)
    if problems:
        raise ModelError(problems)
    return CaptureReport(total, time.perf_counter() - started, len(wanted))


def _unique(jobs: Sequence[CaptureJob]) -> list[CaptureJob]:
    # Two sentences with the same text share their keys, and are captured once.
    return list({tuple(sorted(job.keys.items())): job for job in reversed(jobs)}.values())[::-1]


def _left(job: CaptureJob, store: AttentionStore, reporter: Reporter) -> CaptureJob:
    """The job with only those kinds that the store lacks."""
    return replace(
        job, keys={kind: key for kind, key in job.keys.items() if not _is_whole(job, key, store, reporter)}
    )


def _is_whole(job: CaptureJob, key: str, store: AttentionStore, reporter: Reporter) -> bool:
    if not store.has(key):
        return False
    try:
        store.open(key)
    except DamagedEntry as error:
        reporter.warning(f"{error}; {job.title} · {job.sentence} is captured again")
        store.remove(key)
        return False
    return True


def _grouped(jobs: list[CaptureJob]) -> list[list[CaptureJob]]:
    groups: dict[tuple[ResolvedModel, str], list[CaptureJob]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.dtype), []).append(job)
    return list(groups.values())


def _capture_group(group: list[CaptureJob], store: AttentionStore, task: Task) -> None:
    first = group[0]
    task.advance(0, f"{first.title} · loading the model")
    loaded = load(first.model, first.dtype, continues=_continues(group))
    try:
        prepared = prepare(loaded)
        read = _read_all(group, loaded)
        for job, sentence in zip(group, read, strict=True):
            task.advance(0, f"{job.title} · {job.sentence}")
            _capture(job, sentence, prepared, store)
            task.advance(1)
    finally:
        # Models are full of reference cycles; without this two of them would be in memory at once.
        del loaded
        gc.collect()


def _continues(group: list[CaptureJob]) -> bool:
    return "self" in group[0].model.kinds and any(job.given.generate for job in group)


def _read_all(group: list[CaptureJob], loaded: LoadedModel) -> list[ModelInput]:
    read = []
    problems: list[Problem] = []
    for job in group:
        try:
            read.append(read_input(loaded, job.given, job.title, job.problem))
        except ModelError as error:
            problems.extend(error.problems)
    if problems:
        raise ModelError(problems)
    return read


def _capture(job: CaptureJob, read: ModelInput, prepared: PreparedModel, store: AttentionStore) -> None:
    with ExitStack() as stack:
        entries = {
            kind: stack.enter_context(_writer(store, job, read, kind, prepared.loaded)) for kind in job.keys
        }
        emits = {kind: entry.write for kind, entry in entries.items()}
        try:
            (provenance,) = run_batch(prepared, [read], [emits], job.fingerprint)
        except OutOfMemoryError as error:
            raise out_of_memory(prepared, f"{job.title} · {job.sentence}") from error
        for kind, entry in entries.items():
            entry.finish(provenance[kind])


def _writer(
    store: AttentionStore, job: CaptureJob, read: ModelInput, kind: str, loaded: LoadedModel
) -> AbstractContextManager[EntryWriter]:
    if kind not in loaded.parts:
        raise ModelError(
            job.problem(
                f'the model "{job.title}" has no {kind} attention', f"it has: {', '.join(loaded.parts)}"
            )
        )
    keys = read.keys(kind) if kind == "cross" else None
    return store.writer(
        job.keys[kind], read.text_of(kind), read.queries(kind), loaded.parts[kind], keys, job.precision
    )
