"""Jobs load each model once, tell all problems at once, and lose nothing that was finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, resolved_tiny, save_tiny

from attention_gallery.capture import CaptureJob, capture_missing, capture_one
from attention_gallery.capture.single import run
from attention_gallery.capture.sink import InexactAttentionError, LayerSink
from attention_gallery.errors import ModelError, Problem
from attention_gallery.models import FingerprintMemory, ModelFingerprint, fingerprint
from attention_gallery.models.load import LoadedModel
from attention_gallery.progress import SilentReporter
from attention_gallery.records import AttentionLayer, TextInput
from attention_gallery.store import AttentionStore, capture_key


def make_jobs(folder: Path, texts: Sequence[str], title: str = "Tiny") -> list[CaptureJob]:
    model = resolved_tiny(folder)
    prints = fingerprint(model, FingerprintMemory(folder.parent / "fingerprints.json"))
    return [
        CaptureJob(
            model=model,
            title=title,
            dtype="float32",
            sentence=f"s{number}",
            given=TextInput(text),
            precision="float32",
            keys={
                "self": capture_key(
                    weights=prints.weights,
                    tokenizer=prints.tokenizer,
                    given=TextInput(text),
                    dtype="float32",
                    precision="float32",
                )
            },
            fingerprint=prints,
            problem=lambda reason, mend, line=number + 1: Problem(reason, mend, Path("gallery.yaml"), line),
        )
        for number, text in enumerate(texts)
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
        assert set(entry.provenance.libraries) >= {"torch", "transformers", "attention-gallery"}
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
    other = save_tiny(tmp_path / "bert", *FAMILIES["bert"])
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


def test_a_sentence_that_does_not_fit_two_models_is_told_for_both(
    tiny_folder: Path, tmp_path: Path, store: AttentionStore
) -> None:
    other = save_tiny(tmp_path / "bert", *FAMILIES["bert"])
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
        capture_missing(jobs, store, _Interrupting())
    assert store.keys() == (jobs[0].keys["self"],)
    assert store.sweep() == 0
    assert capture_missing(jobs, store, SilentReporter()).captured == 1


def test_an_interrupt_between_layers_leaves_nothing(tiny_loaded: LoadedModel, store: AttentionStore) -> None:
    tokens = capture_one(tiny_loaded, "it fits").tokens
    key = "ab" + "0" * 62

    def write(entry: Any) -> None:
        def emit(layer: AttentionLayer) -> None:
            if layer.index == 1:
                raise KeyboardInterrupt
            entry.write(layer)

        entry.finish(run(tiny_loaded, tokens, emit, ModelFingerprint("w", "t")))

    with pytest.raises(KeyboardInterrupt), store.writer(key, "it fits", tokens, tiny_loaded.facts) as entry:
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


def test_layers_are_let_go_as_they_come(tmp_path: Path) -> None:
    from attention_gallery.models.load import load

    config = ("gpt2", {**FAMILIES["gpt2"][1], "n_layer": 8})
    loaded = load(resolved_tiny(save_tiny(tmp_path / "deep", *config)))
    tokens = capture_one(loaded, "it fits").tokens
    seen: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def emit(layer: AttentionLayer) -> None:
        seen.append(weakref.ref(layer.weights))
        alive.append(sum(reference() is not None for reference in seen))

    run(loaded, tokens, emit, ModelFingerprint("w", "t"))
    assert len(alive) == 8
    assert max(alive) <= 2


def softmax(*shape: int) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.softmax(torch.randn(*shape), dim=-1)


def test_inexact_attention_is_refused(tiny_loaded: LoadedModel) -> None:
    facts = replace(tiny_loaded.facts, causal=False)
    good = softmax(1, 4, 5, 5)
    for bad, reason in (
        (good * 1.001, "rows that miss 1 by 0.001"),
        (good * float("nan"), "rows that miss 1 by nan"),
        (softmax(1, 4, 5, 6), r"shape \(1, 4, 5, 6\) instead of \(1, 4, 5, 5\)"),
    ):
        with pytest.raises(InexactAttentionError, match=reason):
            LayerSink(facts, 5, lambda layer: None)(bad)
    with pytest.raises(InexactAttentionError, match="attends to later tokens"):
        LayerSink(tiny_loaded.facts, 5, lambda layer: None)(good)
    sink = LayerSink(facts, 5, lambda layer: None)
    for _ in range(facts.layers + 1):
        sink(good)
    with pytest.raises(InexactAttentionError, match="4 layers gave their attention, but the model has 3"):
        sink.finish()


def test_a_model_that_breaks_while_it_runs_is_one_clear_error(tiny_folder: Path) -> None:
    from attention_gallery.models.load import load

    loaded = load(resolved_tiny(tiny_folder))
    loaded.model.h[1].mlp = None
    with pytest.raises(ModelError, match="failed while it read a text"):
        capture_one(loaded, "it fits")


def test_a_tokenizer_of_another_model_is_noticed(tiny_folder: Path) -> None:
    from attention_gallery.models.load import load

    loaded = load(resolved_tiny(tiny_folder))
    small = replace(loaded, facts=replace(loaded.facts, vocabulary=10))
    with pytest.raises(ModelError, match="makes tokens that the model does not know"):
        capture_one(small, "it fits")
