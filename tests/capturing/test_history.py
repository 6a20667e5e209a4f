"""An entry has the same bytes whatever was captured with it, before it, or after damage to it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import resolved_tiny, save_tiny

from attention_gallery import library
from attention_gallery.capturing import CaptureJob, capture_missing, capture_one, prepare, run_batch
from attention_gallery.capturing import jobs as jobs_module
from attention_gallery.capturing.passes.batch import OutOfMemoryError
from attention_gallery.capturing.passes.sharing import BatchTrials
from attention_gallery.models import FingerprintMemory, fingerprint
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.placement import Placement
from attention_gallery.progress import SilentReporter
from attention_gallery.records import Precision, RepeatedTokens, TextInput
from attention_gallery.store import AttentionStore, capture_key
from siblings import siblings

# Letters of which each is a token of its own: texts of 1, 2, 7, 12 and 20 tokens, several of each length.
TEXTS = [
    *("z", "q", "zq", "qz", "zqjzzjq", "QQJKXZZ", "jqJQzZX", "zzzzzzz", "jKqZXzj", "XXzzqqJ"),
    *("zqjzzjqzqjzz", "QQJKXZZQQJKX", "jqJQzZXjqJQz", "zqjzzjqzqjzzzqjzzjqz", "QQJKXZZQQJKXQQJKXZZQ"),
]
FAMILIES = ("bert", "gpt2", "llama", "mixtral", "bart", "bloom")


@functools.cache
def model_of(family: str, base: Path) -> Path:
    # With their heads, where they have one of their own, so that predictions are kept, too.
    return save_tiny(base / family, family, head=family in ("gpt2", "llama", "mixtral", "bloom"))


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("histories")


def jobs_of(folder: Path, texts: Sequence[str], precision: Precision = "float32") -> list[CaptureJob]:
    model = resolved_tiny(folder)
    prints = fingerprint(model, FingerprintMemory(folder.parent / "fingerprints.json"))
    both = "cross" in model.kinds
    inputs = [TextInput(text, target=text[::-1] if both else None) for text in texts]
    every = [*inputs, RepeatedTokens(count=8)]
    return [
        CaptureJob(
            model=model,
            title="Tiny",
            dtype="float32",
            sentence=str(number),
            given=read,
            precision=precision,
            keys={
                kind: capture_key(
                    weights=prints.weights,
                    tokenizer=prints.tokenizer,
                    given=read,
                    dtype="float32",
                    precision=precision,
                    kind=kind,
                    predictions=3,
                )
                for kind in model.kinds
            },
            fingerprint=prints,
            predictions=3,
        )
        for number, read in enumerate(every)
    ]


def bytes_of(store: AttentionStore) -> dict[str, bytes]:
    """Everything that the store holds, sidecars included, by name of file."""
    return {path.name: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}


@functools.cache
def alone(family: str, base: Path) -> dict[str, bytes]:
    """Every text captured in a pass of its own."""
    store = AttentionStore(base / f"alone-{family}")
    capture_missing(jobs_of(model_of(family, base), TEXTS), store, SilentReporter(), batch_tokens=1)
    return bytes_of(store)


@st.composite
def histories(draw: st.DrawFn) -> list[list[int]]:
    """Which texts are captured in which order, build by build; the last is the random tokens."""
    order = draw(st.permutations(range(len(TEXTS) + 1)))
    builds = draw(st.lists(st.integers(1, len(order)), min_size=1, max_size=3))
    ends = sorted({*builds, draw(st.integers(1, len(order)))})
    return [list(order[:end]) for end in ends]


@pytest.mark.parametrize("family", siblings(FAMILIES, 3))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), budget=st.sampled_from([1, 20, 64, 2048]))
def test_any_subset_order_and_history_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, base: Path, family: str, history: list[list[int]], budget: int
) -> None:
    jobs = jobs_of(model_of(family, base), TEXTS)
    store = AttentionStore(tmp_path_factory.mktemp("store"))
    for chosen in history:
        capture_missing([jobs[index] for index in chosen], store, SilentReporter(), batch_tokens=budget)
    found = bytes_of(store)
    assert len(found) == 2 * sum(len(jobs[index].keys) for index in history[-1])
    expected = alone(family, base)
    assert [name for name, data in found.items() if data != expected[name]] == []


@settings(max_examples=3)
@given(
    dropped=st.sets(st.integers(0, len(TEXTS)), min_size=1, max_size=6),
    precision=st.sampled_from(["float16"]),
)
def test_what_was_damaged_comes_back_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, base: Path, dropped: set[int], precision: Precision
) -> None:
    jobs = jobs_of(model_of("gpt2", base), TEXTS, precision)
    store = AttentionStore(tmp_path_factory.mktemp("store"))
    capture_missing(jobs, store, SilentReporter())
    before = bytes_of(store)
    for index in dropped:
        path = store.folder / jobs[index].keys["self"][:2] / f"{jobs[index].keys['self']}.safetensors"
        path.write_bytes(path.read_bytes()[:-1])
    report = capture_missing(jobs, store, SilentReporter())
    assert report.captured == len(dropped - {len(TEXTS)})
    assert bytes_of(store) == before


@pytest.mark.parametrize("most", siblings([2, 1, 3, 5], 4))
def test_too_little_memory_changes_no_byte(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    def small_memory(prepared: Any, sentences: Any, *rest: Any) -> Any:
        if len(sentences) > most:
            raise OutOfMemoryError("no room")
        return run_batch(prepared, sentences, *rest)

    monkeypatch.setattr(jobs_module, "run_batch", small_memory)
    store = AttentionStore(tmp_path / "store")
    capture_missing(jobs_of(model_of("bert", base), TEXTS), store, SilentReporter())
    assert bytes_of(store) == alone("bert", base)


def test_texts_of_one_length_do_run_together(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(prepared: Any, sentences: Any, *rest: Any) -> Any:
        sizes.append(len(sentences))
        return run_batch(prepared, sentences, *rest)

    monkeypatch.setattr(jobs_module, "run_batch", counted)
    for family, expected in (("bert", [2, 1, 3, 6, 2, 2]), ("mixtral", [1] * 16)):
        sizes.clear()
        capture_missing(
            jobs_of(model_of(family, base), TEXTS), AttentionStore(tmp_path / family), SilentReporter()
        )
        assert sorted(sizes) == sorted(expected)


def test_a_length_that_fails_its_trial_runs_one_by_one(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BatchTrials, "_try", lambda *_: False)
    sizes: list[int] = []

    def counted(prepared: Any, sentences: Any, *rest: Any) -> Any:
        sizes.append(len(sentences))
        return run_batch(prepared, sentences, *rest)

    monkeypatch.setattr(jobs_module, "run_batch", counted)
    store = AttentionStore(tmp_path / "store")
    capture_missing(jobs_of(model_of("bert", base), TEXTS), store, SilentReporter())
    assert set(sizes) == {1}
    assert bytes_of(store) == alone("bert", base)


@pytest.mark.parametrize("failing", ["traced", "layers"])
def test_a_trial_that_fails_costs_no_capture(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """The model passed its trials before; what it cannot do now, it need not do for sentences one by one."""
    jobs = jobs_of(model_of("bert", base), TEXTS)
    prepared = jobs_module.prepare

    def prepare_and_break(loaded: Any) -> Any:
        found = prepared(loaded)
        monkeypatch.setattr(BatchTrials, failing, fail)
        return found

    def fail(*_: Any) -> None:
        raise RuntimeError("not a second time")

    monkeypatch.setattr(jobs_module, "prepare", prepare_and_break)
    store = AttentionStore(tmp_path / "store")
    capture_missing(jobs, store, SilentReporter())
    monkeypatch.undo()
    assert bytes_of(store) == alone("bert", base)


def test_a_trial_notices_rows_that_see_each_other(base: Path) -> None:
    loaded = load(resolved_tiny(model_of("bert", base)))
    loaded.model.encoder.layer[0].register_forward_hook(
        lambda _module, _given, made: (
            made + 0.5 * made.mean(0, keepdim=True)
            if isinstance(made, torch.Tensor)
            else (made[0] + 0.5 * made[0].mean(0, keepdim=True), *made[1:])
        )
    )
    prepared = prepare(loaded)
    assert not prepared.shares
    assert prepared.environment.batch == "one by one"
    assert not BatchTrials(prepared).may_share((13,), 2)


def test_the_number_of_threads_is_the_settings_and_is_put_back(base: Path) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    loaded = load(resolved_tiny(model_of("bert", base)), placement=Placement(threads=3))
    loaded.model.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    captured = capture_one(loaded, "zqjz")
    assert set(seen) == {3}
    assert captured.provenance.environment.threads == 3
    assert torch.get_num_threads() == before


def test_whether_another_text_is_continued_changes_nothing(tmp_path: Path, base: Path) -> None:
    """Of a bare model whose head is tied to its embeddings, a head is there for those who ask to write."""
    folder = save_tiny(tmp_path / "bare", "gpt2")
    jobs = jobs_of(folder, ["zqjz", "qqqq"])[:2]
    writing = replace(jobs[1], given=TextInput("qqqq", generate=2), keys={"self": "ab" * 32})
    first, second = AttentionStore(tmp_path / "first"), AttentionStore(tmp_path / "second")
    capture_missing([jobs[0]], first, SilentReporter())
    capture_missing([jobs[0], writing], second, SilentReporter())
    assert second.has("ab" * 32)
    found = bytes_of(second)
    assert all(found[name] == data for name, data in bytes_of(first).items())


def test_the_library_gives_the_numbers_of_a_build(tmp_path: Path, base: Path) -> None:
    folder = model_of("gpt2", base)
    store = AttentionStore(tmp_path / "store")
    jobs = jobs_of(folder, TEXTS)
    capture_missing(jobs, store, SilentReporter())
    model = library.load(folder)
    for job, text in zip(jobs, TEXTS, strict=False):
        entry, seen = store.open(job.keys["self"]), model.capture(text)
        assert entry.provenance.environment == seen.provenance.environment
        for index, weights in enumerate(seen.layers):
            assert (entry.layer(index).weights == weights).all()


def test_of_two_writers_the_first_stays(tmp_path: Path, base: Path) -> None:
    (job,) = jobs_of(model_of("gpt2", base), ["zqjz"])[:1]
    store, other = AttentionStore(tmp_path / "store"), AttentionStore(tmp_path / "other")
    elsewhere = replace(job, placement=Placement(threads=1))
    capture_missing([elsewhere], other, SilentReporter())
    # Somebody else writes the same entry while this one runs: after it was seen to be missing.
    for already, told in ((store, 0), (other, 1)):
        reporter = SilentReporter()
        racing = AttentionStore(tmp_path / f"racing-{told}")
        capture_missing([job], store, SilentReporter())

        def writer(
            self: AttentionStore,
            key: str,
            *rest: Any,
            source: AttentionStore = already,
            original: Any = AttentionStore.writer,
        ) -> Any:
            for path in source.folder.rglob(f"{key}.*"):
                target = self.folder / path.relative_to(source.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
            return original(self, key, *rest)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AttentionStore, "writer", writer)
            capture_missing([job], racing, reporter)
        assert bytes_of(racing) == bytes_of(already)
        assert len(reporter.warnings) == told
    assert "with other numbers (threads 1 instead of 4); what was there first is kept" in reporter.warnings[0]
