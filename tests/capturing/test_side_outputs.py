"""What is told beside the weights may fail; the weights are captured all the same, and the entry says why."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_capture_jobs import make_jobs
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import capture_missing, capture_one, prepare, run_batch
from attention_gallery.capturing import jobs as jobs_module
from attention_gallery.capturing.passes import norms, predicting
from attention_gallery.capturing.passes.layer_writer import InexactAttentionError
from attention_gallery.capturing.passes.sharing import BatchTrials
from attention_gallery.capturing.reading.limits import UnboundedError
from attention_gallery.capturing.strategies import InterfaceStrategy, NoEagerAttentionError
from attention_gallery.errors import ModelError
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.progress import SilentReporter
from attention_gallery.records import failure_in, failure_reason
from attention_gallery.store import AttentionStore
from siblings import siblings

PREPARE = sys.modules[prepare.__module__]
FAILS = "it fuss"
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
        side_outputs, other = entry.side_outputs, whole.side_outputs
        for index in range(entry.facts.layers):
            np.testing.assert_allclose(entry.layer(index).weights, whole.layer(index).weights, atol=1e-6)
        assert failure_in(getattr(side_outputs, f"no_{lacking}")) == ("ZeroDivisionError", "no such luck")
        assert getattr(side_outputs, lacking) is None
        assert getattr(other, lacking) is not None
        kept = "predictions" if lacking == "norms" else "norms"
        assert getattr(side_outputs, kept) is not None


def fail_for_one_text(monkeypatch: pytest.MonkeyPatch, functions: Sequence[str]) -> list[int]:
    """Let what is told beside the weights fail in every pass over FAILS; the sizes of all passes."""
    sizes: list[int] = []
    reading: list[str] = []
    lengths, predict = PREPARE.vector_norms, predicting.Predictor.predict

    def noted(prepared: Any, sentences: Any, *rest: Any) -> Any:
        sizes.append(len(sentences))
        reading[:] = [one.text for one in sentences]
        try:
            return run_batch(prepared, sentences, *rest)
        finally:
            reading.clear()

    def vector_norms(*given: Any) -> Any:
        return fail() if FAILS in reading else lengths(*given)

    def failing_predict(*given: Any) -> Any:
        return fail() if FAILS in reading else predict(*given)

    monkeypatch.setattr(jobs_module, "run_batch", noted)
    if "vector_norms" in functions:
        monkeypatch.setattr(PREPARE, "vector_norms", vector_norms)
    if "predict" in functions:
        monkeypatch.setattr(predicting.Predictor, "predict", failing_predict)
    return sizes


def files_of(store: AttentionStore, key: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.folder.rglob(f"*{key}*")}


@pytest.mark.parametrize(
    "functions", [("vector_norms",), ("predict",), ("vector_norms", "predict")], ids="+".join
)
@pytest.mark.parametrize("place", siblings([2, 0, 5], 3))
def test_what_fails_for_one_text_is_missing_there_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, functions: tuple[str, ...], place: int
) -> None:
    texts = ["it fits", "it fats", "it fots", "The trophy is big.", "not"]
    texts.insert(place, FAILS)
    jobs = [replace(job, predictions=3) for job in make_jobs(folder, texts)]
    sizes = fail_for_one_text(monkeypatch, functions)
    together = AttentionStore(tmp_path / "together")
    capture_missing(jobs, together, SilentReporter())
    assert max(sizes) > 1, "some share a pass"
    for number, job in enumerate(jobs):
        alone = AttentionStore(tmp_path / f"alone{number}")
        capture_missing([job], alone, SilentReporter())
        key = job.keys["self"]
        assert files_of(together, key) == files_of(alone, key) != {}
        side_outputs, fails = together.open(key).side_outputs, texts[number] == FAILS
        assert (side_outputs.norms is None) is (fails and "vector_norms" in functions)
        assert (side_outputs.predictions is None) is (fails and "predict" in functions)


def test_a_single_capture_does_without_as_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(load(resolved_tiny(folder)))
    monkeypatch.setattr(PREPARE, "vector_norms", fail)
    assert prepared.shares, "whether sentences may share a pass does not depend on it"
    captured = capture_one(prepared, TEXTS[0])
    assert captured.side_outputs.norms is None
    assert failure_in(captured.side_outputs.no_norms) == ("ZeroDivisionError", "no such luck")


def test_memory_that_runs_out_keeps_its_meaning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    prepared = prepare(load(resolved_tiny(folder)))
    monkeypatch.setattr(PREPARE, "vector_norms", full)
    with pytest.raises(ModelError, match="not enough memory"):
        capture_one(prepared, TEXTS[0])


NO_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
]


UNBOUNDED = UnboundedError("it goes on and on", "mend it")
TRIALS = [
    (InterfaceStrategy, "run", [*NO_MEMORY, UNBOUNDED]),
    (norms, "matrix_of", [*NO_MEMORY, UNBOUNDED]),
    (predicting.Predictor, "logits", NO_MEMORY),
    (BatchTrials, "traced", NO_MEMORY),
    (BatchTrials, "layers", NO_MEMORY),
]


@pytest.mark.parametrize(
    ("owner", "function", "error"),
    [(owner, function, error) for owner, function, errors in TRIALS for error in errors],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_says_nothing_of_a_strategy_does_not_choose_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, function: str, error: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    loaded = load(resolved_tiny(folder), predicts=True)
    monkeypatch.setattr(owner, function, fails)
    with pytest.raises(UnboundedError if isinstance(error, UnboundedError) else MemoryError):
        prepare(loaded)


@pytest.mark.parametrize("error", [InexactAttentionError("not exact"), NoEagerAttentionError("of its own")])
def test_what_a_strategy_cannot_do_the_next_one_may(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(InterfaceStrategy, "run", fails)
    assert prepare(load(resolved_tiny(folder))).strategy.name != InterfaceStrategy.name


def test_a_model_that_cannot_be_tried_out_for_want_of_memory_costs_no_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = save_tiny(tmp_path / "bert", "bert")
    plain, store = jobs_module.prepare, AttentionStore(tmp_path / "store")

    def short(loaded: LoadedModel) -> Any:
        if loaded.facts.model_type == "gpt2":
            raise MemoryError
        return plain(loaded)

    monkeypatch.setattr(jobs_module, "prepare", short)
    first, second = make_jobs(folder, TEXTS[:1]), make_jobs(other, TEXTS[:1])
    with pytest.raises(ModelError, match="not enough memory to try out"):
        capture_missing([*first, *second], store, SilentReporter())
    assert store.has(second[0].keys["self"])


@pytest.mark.parametrize("error", [ZeroDivisionError("no such luck"), SystemExit(3)], ids=repr)
def test_a_projection_that_cannot_be_found_out_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(norms, "matrix_of", fails)
    prepared = prepare(load(resolved_tiny(folder)))
    assert not prepared.factors
    assert failure_in(prepared.no_norms) == (type(error).__name__, str(error))


@pytest.mark.parametrize(
    "error", [ValueError("of: two\nlines"), KeyError(), RuntimeError("x" * 500)], ids=repr
)
def test_a_reason_tells_which_error_it_was(error: Exception) -> None:
    kind, detail = failure_in(failure_reason(error)) or ("", "")
    assert kind == type(error).__name__
    assert detail == str(error).partition("\n")[0][:200]
    assert failure_in("it has none") is None
