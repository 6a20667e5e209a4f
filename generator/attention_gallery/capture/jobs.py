"""Capture what the store lacks: each model loaded once, each sentence kept as soon as it is done."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attention_gallery.capture.single import read_tokens, run
from attention_gallery.errors import DamagedEntry, ModelError, Problem
from attention_gallery.models.fingerprints import ModelFingerprint
from attention_gallery.models.load import LoadedModel, load
from attention_gallery.models.resolved import ProblemMaker, ResolvedModel
from attention_gallery.progress import Reporter, Task
from attention_gallery.records import Precision, TextInput, Tokens
from attention_gallery.store import AttentionStore


@dataclass(frozen=True, slots=True)
class CaptureJob:
    """One sentence under one model.

    `title` and `sentence` name the two for people, `keys` are by kind of attention where the captures belong
    in the store ("self" for a model that has only one kind), and `problem` makes a problem at the sentence's
    line of the manifest.
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
    """Capture every job that the store does not hold whole.

    A damaged entry is reported and captured again. All sentences of a model are tokenised before the first
    one runs, and a model that fails does not keep the others from being captured: all problems are told at
    once, at the end, as one `ModelError`. What was captured before an error, an interrupt or a kill stays
    in the store.
    """
    started = time.perf_counter()
    wanted = _grouped([job for job in _unique(jobs) if not _is_whole(job, store, reporter)])
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
    return list({frozenset(job.keys.items()): job for job in reversed(jobs)}.values())[::-1]


def _is_whole(job: CaptureJob, store: AttentionStore, reporter: Reporter) -> bool:
    whole = True
    for key in job.keys.values():
        if not store.has(key):
            whole = False
            continue
        try:
            store.open(key)
        except DamagedEntry as error:
            reporter.warning(f"{error}; {job.title} · {job.sentence} is captured again")
            store.remove(key)
            whole = False
    return whole


def _grouped(jobs: list[CaptureJob]) -> list[list[CaptureJob]]:
    groups: dict[tuple[ResolvedModel, str], list[CaptureJob]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.dtype), []).append(job)
    return list(groups.values())


def _capture_group(group: list[CaptureJob], store: AttentionStore, task: Task) -> None:
    first = group[0]
    task.advance(0, f"{first.title} · loading the model")
    loaded = load(first.model, first.dtype)
    try:
        tokenised = _tokenise_all(group, loaded)
        for job, tokens in zip(group, tokenised, strict=True):
            task.advance(0, f"{job.title} · {job.sentence}")
            _capture(job, tokens, loaded, store)
            task.advance(1)
    finally:
        # Models are full of reference cycles; without this two of them would be in memory at once.
        del loaded
        gc.collect()


def _tokenise_all(group: list[CaptureJob], loaded: LoadedModel) -> list[Tokens]:
    tokenised = []
    problems: list[Problem] = []
    for job in group:
        try:
            tokenised.append(read_tokens(loaded, job.given, job.title, job.problem))
        except ModelError as error:
            problems.extend(error.problems)
    if problems:
        raise ModelError(problems)
    return tokenised


def _capture(job: CaptureJob, tokens: Tokens, loaded: LoadedModel, store: AttentionStore) -> None:
    with store.writer(job.keys["self"], job.given.joined, tokens, loaded.facts, None, job.precision) as entry:
        entry.finish(run(loaded, tokens, entry.write, job.fingerprint))
