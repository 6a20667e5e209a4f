"""Jobs load each model once, tell all problems at once, and lose nothing that was finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import (
    CaptureJob,
    capture_kinds,
    capture_missing,
    capture_one,
    prepare,
    read_input,
    run_batch,
)
from attention_gallery.capturing import jobs as jobs_module
from attention_gallery.capturing.passes.batch import OutOfMemoryError
from attention_gallery.errors import ModelError, Problem
from attention_gallery.models import FingerprintMemory, ModelFingerprint, fingerprint
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.progress import SilentReporter
from attention_gallery.records import AttentionLayer, TextInput
from attention_gallery.store import AttentionStore, capture_key


def make_jobs(folder: Path, texts: Sequence[str | TextInput], title: str = "Tiny") -> list[CaptureJob]:
    model = resolved_tiny(folder)
    prints = fingerprint(model, FingerprintMemory(folder.parent / "fingerprints.json"))
    return [
        CaptureJob(
            model=model,
            title=title,
            dtype="float32",
            sentence=f"s{number}",
            given=given,
            precision="float32",
            keys={
                kind: capture_key(
                    weights=prints.weights,
                    tokenizer=prints.tokenizer,
                    given=given,
                    dtype="float32",
                    precision="float32",
                    kind=kind,
                )
                for kind in model.kinds
            },
            fingerprint=prints,
            problem=lambda reason, mend, line=number + 1: Problem(reason, mend, Path("gallery.yaml"), line),
        )
        for number, given in enumerate(TextInput(text) if isinstance(text, str) else text for text in texts)
    ]


@pytest.fixture
def store(tmp_path: Path) -> AttentionStore:
    return AttentionStore(tmp_path / "store")


def test_what_is_stored_is_what_was_captured(
    tiny_folder: Path, tiny_loaded: LoadedModel, store: AttentionStore
) -> None:
    jobs = make_jobs(tiny_folder, ["The trophy is big.", "it fits 🙂"])
    report = capture_missing(jobs, store, SilentReporter())
    assert (report.captured, report.models_loaded) == (2, 1)
    for job in jobs:
        store.verify(job.keys["self"])
        entry, direct = store.open(job.keys["self"]), capture_one(tiny_loaded, job.given.text)
        assert entry.text == job.given.text
        assert entry.tokens.texts == direct.tokens.texts
        assert entry.facts == direct.facts
        assert entry.provenance.model_fingerprint == job.fingerprint.weights
        assert entry.provenance.environment == direct.provenance.environment
        for index in range(entry.facts.layers):
            np.testing.assert_array_equal(entry.layer(index).weights, direct.layer(index).weights)
    with pytest.raises(IndexError):
        direct.layer(3)


def test_a_full_store_loads_no_model(tiny_folder: Path, store: AttentionStore) -> None:
    jobs = make_jobs(tiny_folder, ["one", "two"])
    capture_missing(jobs, store, SilentReporter())
    report = capture_missing(jobs, store, SilentReporter())
    assert (report.captured, report.models_loaded) == (0, 0)


def test_each_model_is_loaded_once_and_equal_texts_are_captured_once(
    tiny_folder: Path, tmp_path: Path, store: AttentionStore
) -> None:
    other = save_tiny(tmp_path / "bert", "bert")
    first, second = make_jobs(tiny_folder, ["a", "b", "a"]), make_jobs(other, ["a", "b"])
    mixed = [first[0], second[0], first[1], second[1], first[2]]
    report = capture_missing(mixed, store, SilentReporter())
    assert (report.captured, report.models_loaded) == (4, 2)


def test_a_damaged_entry_is_reported_and_captured_again(tiny_folder: Path, store: AttentionStore) -> None:
    jobs = make_jobs(tiny_folder, ["one", "two"])
    capture_missing(jobs, store, SilentReporter())
    path = store.folder / jobs[0].keys["self"][:2] / f"{jobs[0].keys['self']}.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    reporter = SilentReporter()
    report = capture_missing(jobs, store, reporter)
    assert report.captured == 1
    assert len(reporter.warnings) == 1
    assert "Tiny · s0 is captured again" in reporter.warnings[0]
    store.verify(jobs[0].keys["self"])


def test_all_unfit_sentences_are_told_at_once_and_none_runs(tiny_folder: Path, store: AttentionStore) -> None:
    jobs = make_jobs(tiny_folder, ["fine", "", "word " * 80, "also fine", "half \ud83d"])
    with pytest.raises(ModelError) as caught:
        capture_missing(jobs, store, SilentReporter())
    nothing, long, half = caught.value.problems
    assert nothing.line == 2
    assert nothing.reason == 'the text has no tokens for the model "Tiny"'
    assert long.line == 3
    assert "which can read 64" in long.reason
    assert "surrogate pair (U+D83D)" in half.reason
    assert store.keys() == ()


# Five of one length, since only these run together, and two of others; every letter is a token of its own.
TEXTS = ["zqjzzjqzqjzzjq", "QQJKXZZQQJKXZZ", "jqJQzZXjqJQzZX", "x", "zzzzqqqqjjjjzz", "ZZZZQQQQJJJJZZ", "zq"]


def test_together_as_one_by_one(tiny_folder: Path, tmp_path: Path) -> None:
    jobs = make_jobs(tiny_folder, TEXTS)
    together, alone = AttentionStore(tmp_path / "together"), AttentionStore(tmp_path / "alone")
    capture_missing(jobs, together, SilentReporter())
    capture_missing(jobs, alone, SilentReporter(), batch_tokens=1)
    for job in jobs:
        first, second = together.open(job.keys["self"]), alone.open(job.keys["self"])
        assert first.tokens.texts == second.tokens.texts
        for index in range(first.facts.layers):
            ours, theirs = first.layer(index).weights, second.layer(index).weights
            np.testing.assert_array_equal(ours, theirs)


def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    tiny_folder: Path, store: AttentionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def small_memory(prepared: Any, sentences: Any, *rest: Any) -> Any:
        sizes.append(len(sentences))
        if len(sentences) > 2:
            raise OutOfMemoryError("no room")
        return run_batch(prepared, sentences, *rest)

    monkeypatch.setattr(jobs_module, "run_batch", small_memory)
    jobs = make_jobs(tiny_folder, TEXTS)
    assert capture_missing(jobs, store, SilentReporter()).captured == 7
    assert sizes == [5, 3, 2, 1, 2, 1, 1]
    assert all(store.has(job.keys["self"]) for job in jobs)


@pytest.mark.parametrize("keep_going", [False, True])
def test_one_sentence_that_fails(
    tiny_folder: Path, store: AttentionStore, monkeypatch: pytest.MonkeyPatch, keep_going: bool
) -> None:
    def no_room_for_f(prepared: Any, sentences: Any, *rest: Any) -> Any:
        if any(one.text.startswith("QQ") for one in sentences):
            raise OutOfMemoryError("no room")
        return run_batch(prepared, sentences, *rest)

    monkeypatch.setattr(jobs_module, "run_batch", no_room_for_f)
    jobs = make_jobs(tiny_folder, [*TEXTS, *([""] if keep_going else [])])
    with pytest.raises(ModelError) as caught:
        capture_missing(jobs, store, SilentReporter(), keep_going=keep_going)
    told = [problem.reason for problem in caught.value.problems]
    assert "memory" in told[-1]
    assert len(told) == (2 if keep_going else 1)
    done = [store.has(job.keys["self"]) for job in jobs]
    assert done[1] is False
    if keep_going:
        assert done[:7] == [True, False, True, True, True, True, True]
    assert not any(path.name.endswith(".part") for path in store.folder.rglob("*"))


def test_a_sentence_that_does_not_fit_two_models_is_told_for_both(
    tiny_folder: Path, tmp_path: Path, store: AttentionStore
) -> None:
    other = save_tiny(tmp_path / "bert", "bert")
    jobs = [*make_jobs(tiny_folder, [""], "First"), *make_jobs(other, [""], "Second")]
    with pytest.raises(ModelError) as caught:
        capture_missing(jobs, store, SilentReporter())
    first, second = caught.value.problems
    assert '"First"' in first.reason
    assert '"Second"' in second.reason


class _Interrupting(SilentReporter):
    """Presses Ctrl-C when the second sentence begins to be announced as done."""

    def task(self, description: str, total: int) -> Any:
        outer = super().task(description, total)

        class _Task:
            done = 0

            def __enter__(self) -> _Task:
                outer.__enter__()
                return self

            def __exit__(self, *exc: object) -> None:
                outer.__exit__(*exc)

            def advance(self, steps: int = 1, doing: str | None = None) -> None:
                self.done += steps
                if self.done == 1:
                    raise KeyboardInterrupt

        return _Task()


def test_an_interrupt_keeps_what_was_finished(tiny_folder: Path, store: AttentionStore) -> None:
    jobs = make_jobs(tiny_folder, ["one", "two"])
    with pytest.raises(KeyboardInterrupt):
        capture_missing(jobs, store, _Interrupting(), batch_tokens=1)
    assert store.keys() == (jobs[0].keys["self"],)
    assert store.sweep() == 0
    assert capture_missing(jobs, store, SilentReporter()).captured == 1


def test_an_interrupt_between_layers_leaves_nothing(tiny_loaded: LoadedModel, store: AttentionStore) -> None:
    prepared = prepare(tiny_loaded)
    read = read_input(tiny_loaded, TextInput("it fits"), "Tiny", Problem)
    key = "ab" + "0" * 62

    def write(entry: Any) -> None:
        def emit(layer: AttentionLayer) -> None:
            if layer.index == 1:
                raise KeyboardInterrupt
            entry.write(layer)

        run_batch(prepared, [read], [{"self": emit}], ModelFingerprint("w", "t"))

    writer = store.writer(key, "it fits", read.tokens, tiny_loaded.facts)
    with pytest.raises(KeyboardInterrupt), writer as entry:
        write(entry)
    assert not store.has(key)
    assert not any(path.is_file() for path in store.folder.rglob("*"))
    assert tiny_loaded.model.config._attn_implementation == "eager"


def test_a_kill_loses_at_most_the_sentence_in_flight(tiny_folder: Path, store: AttentionStore) -> None:
    texts = [f"sentence number {number}" for number in range(200)]
    program = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_capture_jobs import *
        store = AttentionStore(Path({str(store.folder)!r}))
        capture_missing(make_jobs(Path({str(tiny_folder)!r}), {texts!r}), store, SilentReporter())
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)]) as child:
        deadline = time.monotonic() + 120
        while len(store.keys()) < 5 and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.002)
        os.kill(child.pid, signal.SIGKILL)
    kept = store.keys()
    assert 5 <= len(kept) < 200
    for key in kept:
        store.verify(key)
    store.sweep()
    report = capture_missing(make_jobs(tiny_folder, texts), store, SilentReporter())
    assert report.captured == 200 - len(kept)


def test_an_encoder_decoder_is_read_once_and_kept_as_three(tmp_path: Path, store: AttentionStore) -> None:
    folder = save_tiny(tmp_path / "bart", "bart")
    given = TextInput("The trophy is big.", target="it does not fit")
    (job,) = make_jobs(folder, [given])
    assert tuple(job.keys) == ("encoder", "decoder", "cross")
    report = capture_missing([job], store, SilentReporter())
    assert (report.captured, report.models_loaded) == (1, 1)
    direct = capture_kinds(load(resolved_tiny(folder)), given)
    for kind, key in job.keys.items():
        store.verify(key)
        entry = store.open(key)
        assert entry.facts == direct[kind].facts
        assert entry.text == direct[kind].text
        assert (entry.tokens.texts, entry.keys.texts) == (direct[kind].tokens.texts, direct[kind].keys.texts)
        for index in range(entry.facts.layers):
            np.testing.assert_array_equal(entry.layer(index).weights, direct[kind].layer(index).weights)


def test_only_the_kind_that_is_missing_is_stored(
    tmp_path: Path, store: AttentionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = make_jobs(save_tiny(tmp_path / "bart", "bart"), [TextInput("it fits", target="it is big")])
    capture_missing([job], store, SilentReporter())
    store.remove(job.keys["cross"])
    written: list[str] = []
    write = AttentionStore.writer

    def watched(self: AttentionStore, key: str, *rest: Any) -> Any:
        written.append(key)
        return write(self, key, *rest)

    monkeypatch.setattr(AttentionStore, "writer", watched)
    assert capture_missing([job], store, SilentReporter()).captured == 1
    assert written == [job.keys["cross"]]
    assert set(store.keys()) == set(job.keys.values())


def test_a_model_that_breaks_while_it_runs_is_one_clear_error(tiny_folder: Path) -> None:
    loaded = load(resolved_tiny(tiny_folder))
    loaded.model.h[1].mlp = None
    with pytest.raises(ModelError, match="failed while it read a text"):
        capture_one(loaded, "it fits")


def test_a_tokenizer_of_another_model_is_noticed(tiny_folder: Path) -> None:
    loaded = load(resolved_tiny(tiny_folder))
    small = replace(loaded, parts={"self": replace(loaded.facts, vocabulary=10)})
    with pytest.raises(ModelError, match="makes tokens that the model does not know"):
        capture_one(small, "it fits")
