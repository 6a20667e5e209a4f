"""Capture what the store lacks: each model loaded once, each sentence kept as soon as it is done."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

from attention_gallery.capturing.passes.batch import OutOfMemoryError, free_memory, rows_of, run_batch
from attention_gallery.capturing.passes.batches import halves, plan_batches
from attention_gallery.capturing.passes.prepare import PreparedModel, SideOutputError, prepare
from attention_gallery.capturing.passes.sharing import BatchTrials
from attention_gallery.capturing.reading.model_reading import ModelInput, read_input
from attention_gallery.capturing.reading.repeated import read_repeated
from attention_gallery.capturing.single import out_of_memory
from attention_gallery.errors import DamagedEntry, ModelError, Problem
from attention_gallery.manifest.settings import CaptureSettings
from attention_gallery.models.inspecting.trial import unread
from attention_gallery.models.loading.foreign import foreign_code
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.models.loading.placement import BEST, Placement, running_on
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.on_disk.fingerprints import ModelFingerprint
from attention_gallery.models.sources.resolved import ProblemMaker, ResolvedModel
from attention_gallery.progress import Reporter, Task
from attention_gallery.records import (
    Given,
    Precision,
    RepeatedTokens,
    StoredAttention,
    TextInput,
    differences,
)
from attention_gallery.store import AttentionStore, EntryWriter


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One sentence, or random tokens, under one model.

    `title` and `sentence` name the two for people, `keys` say where the capture of each kind of attention
    belongs in the store ("self", or "encoder", "decoder" and "cross": see `ResolvedModel.kinds`), and
    `problem` makes a problem at the sentence's line of the manifest. `predictions` is how many likely tokens
    are kept of every place where the model predicts.
    """

    model: ResolvedModel
    title: str
    dtype: str
    sentence: str
    given: Given
    precision: Precision
    keys: Mapping[str, str]
    fingerprint: ModelFingerprint
    problem: ProblemMaker = Problem
    placement: Placement = BEST
    predictions: int = 0


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """What was done: sentences captured, models loaded, and the seconds it took."""

    captured: int
    seconds: float
    models_loaded: int


def capture_missing(
    jobs: Sequence[CaptureJob],
    store: AttentionStore,
    reporter: Reporter,
    *,
    batch_tokens: int = CaptureSettings().batch_tokens,
    keep_going: bool = False,
) -> CaptureReport:
    """Capture what the store does not hold whole of every job, and only that.

    Sentences of equal length run together, `batch_tokens` at a time, where that changes no bit. A damaged
    entry is reported and captured again, and so is it when somebody else captured the same meanwhile and got
    something else: the entry that was there first stays. A model that fails does not keep the others from
    being captured. All sentences of a model are tokenised before the first one runs; if any cannot be read or
    captured, no more of that model's are, unless `keep_going`, which captures all that can be. All problems
    are told at once, at the end, as one `ModelError`. What was captured before an error, an interrupt or a
    kill stays in the store: no more than the batch in flight is lost.
    """
    started = time.perf_counter()
    # Two sentences with the same text share their keys, and are captured once.
    unique = list({tuple(sorted(job.keys.items())): job for job in reversed(jobs)}.values())[::-1]
    left = [_left(job, store, reporter) for job in unique]
    groups = _grouped([job for job in left if job.keys])
    total = sum(len(group) for group in groups)
    problems: list[Problem] = []
    if total:
        with reporter.task("capturing attention", total) as task:
            for group in groups:
                try:
                    problems.extend(_capture_group(group, store, (reporter, task), batch_tokens, keep_going))
                except ModelError as error:
                    problems.extend(error.problems)
    if problems:
        raise ModelError(problems)
    sentences = sum(isinstance(job.given, TextInput) for group in groups for job in group)
    return CaptureReport(sentences, time.perf_counter() - started, len(groups))


def _left(job: CaptureJob, store: AttentionStore, reporter: Reporter) -> CaptureJob:
    """The job with only those kinds that the store lacks."""
    keys = {kind: key for kind, key in job.keys.items() if not _is_whole(job, key, store, reporter)}
    return replace(job, keys=keys)


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
    groups: dict[tuple[ResolvedModel, str, Placement], list[CaptureJob]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.dtype, job.placement), []).append(job)
    return list(groups.values())


def _capture_group(
    group: list[CaptureJob],
    store: AttentionStore,
    reporting: tuple[Reporter, Task],
    batch_tokens: int,
    keep_going: bool,
) -> list[Problem]:
    """Capture the sentences of one model; the problems that there were, if any and if it kept going."""
    first, (reporter, task) = group[0], reporting
    task.advance(0, f"{first.title} · loading the model")
    predicts = any(job.predictions for job in group)
    loaded = load(first.model, first.dtype, _continues(group), first.placement, predicts)
    read: list[tuple[CaptureJob, ModelInput]] = []
    problems: list[Problem] = []
    try:
        prepared = _prepare(loaded)
        with running_on(loaded.threads):
            for job in group:
                try:
                    read.append((job, _read(job, loaded)))
                except ModelError as error:
                    problems.extend(error.problems)
        if problems and not keep_going:
            raise ModelError(problems)
        run = _GroupRun(prepared, BatchTrials(prepared), read, store, reporter, task, keep_going, problems)
        shapes = [sentence.shape for _, sentence in read]
        with quiet_libraries():
            for batch in plan_batches(shapes, batch_tokens if prepared.shares else 0):
                run.capture(batch)
    finally:
        # Models are full of reference cycles; without this two of them would be in memory at once.
        del loaded
        gc.collect()
    return problems


def _prepare(loaded: LoadedModel) -> PreparedModel:
    try:
        return prepare(loaded)
    except MemoryError as error:  # other models may be smaller
        reason = f'there is not enough memory to try out the model "{loaded.resolved.source}"'
        mend = "choose a smaller model, or build on a machine with more memory"
        raise loaded.resolved.error(reason, mend) from error


def _continues(group: list[CaptureJob]) -> bool:
    return "self" in group[0].model.kinds and any(
        isinstance(job.given, TextInput) and job.given.generate for job in group
    )


def _read(job: CaptureJob, loaded: LoadedModel) -> ModelInput:
    reading_input = job.given
    with foreign_code(lambda error: unread(job.title, job.problem, error)):
        if isinstance(reading_input, RepeatedTokens):
            return read_repeated(loaded, reading_input, job.title, job.problem)
        return read_input(loaded, reading_input, job.title, job.problem)


@dataclass(slots=True, eq=False)
class _GroupRun:
    """The sentences of one model on their way into the store; adds to `problems` if it is to keep going.

    What a model fails to tell beside the weights of one sentence is missing there alone: no entry depends on
    which others are captured with it, or before it.
    """

    prepared: PreparedModel
    trials: BatchTrials
    read: Sequence[tuple[CaptureJob, ModelInput]]
    store: AttentionStore
    reporter: Reporter
    task: Task
    keep_going: bool
    problems: list[Problem]

    def capture(self, batch: Sequence[int]) -> None:
        """Capture these sentences together, and by halves where that fails or would change a bit."""
        chosen = [self.read[index] for index in batch]
        job, read = chosen[0]
        rows = rows_of(self.prepared, read.shape, len(batch))
        if len(batch) > 1 and not self.trials.may_share(read.shape, rows):
            self._by_halves(batch)
            return
        more = f" and {len(batch) - 1} more" if len(batch) > 1 else ""
        self.task.advance(0, f"{job.title} · {job.sentence}{more}")
        try:
            self._store(chosen, self.prepared)
        except SideOutputError:
            pass  # of one of several; by halves it shows of which
        except OutOfMemoryError:
            if len(batch) == 1:
                self._failed(out_of_memory(self.prepared, f"{job.title} · {job.sentence}"))
        except ModelError as error:
            if len(batch) == 1 or not self.keep_going:
                self._failed(error)
        else:
            self.task.advance(len(batch))
            return
        if len(batch) > 1:
            free_memory(self.prepared)
            self._by_halves(batch)

    def _by_halves(self, batch: Sequence[int]) -> None:
        for half in halves(batch):
            self.capture(half)

    def _store(self, chosen: Sequence[tuple[CaptureJob, ModelInput]], prepared: PreparedModel) -> None:
        """Store sentences; a single one without what the model fails to tell of it beside the weights."""
        try:
            others = _capture(chosen, prepared, self.store)
        except SideOutputError as error:
            if len(chosen) > 1:
                raise
            self._store(chosen, prepared.without(error))  # which has one thing less that can fail
            return
        for job, stands in others:
            differs = ", ".join(differences(stands.provenance.environment, prepared.environment))
            self.reporter.warning(
                f"{job.title} · {job.sentence} was captured by somebody else meanwhile, with other numbers"
                f"{differs and f' ({differs})'}; what was there first is kept"
            )

    def _failed(self, error: ModelError) -> None:
        if not self.keep_going:
            raise error
        self.problems.extend(error.problems)


def _capture(
    chosen: Sequence[tuple[CaptureJob, ModelInput]], prepared: PreparedModel, store: AttentionStore
) -> list[tuple[CaptureJob, StoredAttention]]:
    """Capture these together; the jobs for which somebody else has stored something else meanwhile."""
    with ExitStack() as stack:
        entries = [
            {kind: stack.enter_context(_writer(store, job, read, kind, prepared)) for kind in job.keys}
            for job, read in chosen
        ]
        emits = [{kind: entry.write for kind, entry in own.items()} for own in entries]
        job = chosen[0][0]
        reads = [read for _, read in chosen]
        results = run_batch(prepared, reads, emits, job.fingerprint, job.precision, job.predictions)
        for own, outputs in zip(entries, results, strict=True):
            for kind, entry in own.items():
                entry.finish(outputs[kind].provenance, outputs[kind].side_outputs)
    pairs = zip(chosen, entries, strict=True)
    return [
        (job, entry.other) for (job, _), own in pairs for entry in own.values() if entry.other is not None
    ]


def _writer(
    store: AttentionStore, job: CaptureJob, read: ModelInput, kind: str, prepared: PreparedModel
) -> AbstractContextManager[EntryWriter]:
    loaded = prepared.loaded
    if kind not in loaded.parts:
        reason = f'the model "{job.title}" has no {kind} attention'
        raise ModelError(job.problem(reason, f"it has: {', '.join(loaded.parts)}"))
    keys = read.keys(kind) if kind == "cross" else None
    side_outputs = prepared.side_outputs(read, kind, job.predictions)
    return store.writer(
        job.keys[kind],
        read.text_of(kind),
        read.queries(kind),
        loaded.parts[kind],
        keys,
        job.precision,
        side_outputs,
        read.text,
    )
