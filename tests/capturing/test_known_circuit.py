"""The heads of a circuit written by hand are found through the real capture, and no other is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from known_circuit import WORDS, save_circuit
from tiny_models import resolved_tiny

from attention_gallery.analysis import SentenceAnalysis, analyse
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores, measure_repeats
from attention_gallery.capturing import CaptureJob, capture_missing
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.models import ModelFingerprint
from attention_gallery.progress import SilentReporter
from attention_gallery.records import RepeatedTokens, TextInput
from attention_gallery.store import AttentionStore

# Twelve words in no order, and again.
ONCE = [WORDS[(number * 23 + 5) % 61] for number in range(12)]
KEYS = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[SentenceAnalysis, RepeatScores]:
    folder = save_circuit(tmp_path_factory.mktemp("circuit") / "model")
    store = AttentionStore(folder.parent / "store")
    given = TextInput(" ".join([*ONCE, *ONCE])), RepeatedTokens()
    jobs = [
        CaptureJob(
            resolved_tiny(folder),
            "C",
            "float32",
            "s",
            one,
            "float32",
            {"self": key},
            ModelFingerprint("", ""),
        )
        for one, key in zip(given, KEYS, strict=True)
    ]
    report = capture_missing(jobs, store, SilentReporter())
    assert (report.captured, report.models_loaded) == (1, 1)
    text, repeated = map(store.open, KEYS)
    return analyse(text, AnalysisSettings()), measure_repeats(repeated)


def test_each_head_is_called_what_it_was_made(found: tuple[SentenceAnalysis, RepeatScores]) -> None:
    analysis, _ = found
    types = {(n, m): analysis.type_name(n, m) for n in range(2) for m in range(2)}
    assert types == {
        (0, 0): "previous-token",
        (0, 1): "broad",
        (1, 0): "induction",
        (1, 1): "first-token",
    }
    assert analysis.values["previous"][0, 0] > 0.99
    assert analysis.values["induction"][1, 0] > 0.95


def test_random_tokens_tell_the_induction_head_from_all_others(
    found: tuple[SentenceAnalysis, RepeatScores],
) -> None:
    _, scores = found
    assert scores.count == 32  # as many as fit twice
    induction, duplicate = scores.values
    # The first place sees itself before it, so that one query in 32 is drawn to two keys.
    assert induction[1, 0] == pytest.approx(31.5 / 32, abs=0.01)
    others = np.array([induction[0, 0], induction[0, 1], induction[1, 1], *duplicate.ravel()])
    assert others.max() < 0.05
    np.testing.assert_allclose(scores.values[:, 0, 1], scores.uniform[:, 0], atol=1e-5)
    assert scores.queries.tolist() == [[32, 32], [32, 32]]


def test_the_model_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = (save_circuit(tmp_path / name) / "model.safetensors" for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
