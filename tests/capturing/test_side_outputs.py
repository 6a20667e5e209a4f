"""What is told beside the weights may fail; the weights are captured all the same, and the entry says why."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_capture_jobs import make_jobs
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import capture_missing, capture_one, predicting, prepare
from attention_gallery.errors import ModelError
from attention_gallery.models.load import load
from attention_gallery.progress import SilentReporter
from attention_gallery.records import failure_in, failure_reason
from attention_gallery.store import AttentionStore

PREPARE = sys.modules[prepare.__module__]
TEXTS = ["The trophy is big.", "it fits", "it fits too"]
FAILING = {
    "the projection": ("find_factors", "norms"),
    "the lengths": ("vector_norms", "norms"),
    "the head": ("find_predictor", "predictions"),
    "the predictions": ("predict", "predictions"),
}


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("no such luck")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("side") / "gpt2", "gpt2", head=True)


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_costs_no_capture(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    function, lacking = FAILING[name]
    owner = predicting.Predictor if function == "predict" else PREPARE
    jobs = [replace(job, predictions=3) for job in make_jobs(folder, TEXTS)]
    right, store = AttentionStore(tmp_path / "right"), AttentionStore(tmp_path / "store")
    capture_missing(jobs, right, SilentReporter())
    monkeypatch.setattr(owner, function, fail)
    assert capture_missing(jobs, store, SilentReporter()).captured == len(TEXTS)
    for job in jobs:
        entry, whole = store.open(job.keys["self"]), right.open(job.keys["self"])
        store.verify(job.keys["self"])
        beside, other = entry.beside, whole.beside
        for index in range(entry.facts.layers):
            np.testing.assert_allclose(entry.layer(index).weights, whole.layer(index).weights, atol=1e-6)
        assert failure_in(getattr(beside, f"no_{lacking}")) == ("ZeroDivisionError", "no such luck")
        assert getattr(beside, lacking) is None
        assert getattr(other, lacking) is not None
        kept = "predictions" if lacking == "norms" else "norms"
        assert getattr(beside, kept) is not None


def test_a_single_capture_does_without_as_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(load(resolved_tiny(folder)))
    monkeypatch.setattr(PREPARE, "vector_norms", fail)
    assert prepared.shares, "whether sentences may share a pass does not depend on it"
    captured = capture_one(prepared, TEXTS[0])
    assert captured.beside.norms is None
    assert failure_in(captured.beside.no_norms) == ("ZeroDivisionError", "no such luck")


def test_memory_that_runs_out_keeps_its_meaning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    prepared = prepare(load(resolved_tiny(folder)))
    monkeypatch.setattr(PREPARE, "vector_norms", full)
    with pytest.raises(ModelError, match="not enough memory"):
        capture_one(prepared, TEXTS[0])


@pytest.mark.parametrize(
    "error", [ValueError("of: two\nlines"), KeyError(), RuntimeError("x" * 500)], ids=repr
)
def test_a_reason_tells_which_error_it_was(error: Exception) -> None:
    kind, detail = failure_in(failure_reason(error)) or ("", "")
    assert kind == type(error).__name__
    assert detail == str(error).partition("\n")[0][:200]
    assert failure_in("it has none") is None
