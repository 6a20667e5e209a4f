"""Measures do not depend on what a sentence was captured with, nor on the padding behind it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.analysis import analyse
from attention_gallery.analysis.measures.metrics import metrics_for
from attention_gallery.capturing import CaptureJob, capture_missing
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.models import ModelFingerprint
from attention_gallery.progress import SilentReporter
from attention_gallery.records import TextInput
from attention_gallery.store import AttentionStore

TEXTS = ("it fits", "a cat, a dog, a cat and a dog.", "The trophy does not fit: the trophy is too big.")


@pytest.mark.parametrize("family", ["bert", "gpt2", "mistral", "modernbert"])
def test_every_measure_is_the_same_in_any_batch(tmp_path: Path, family: str) -> None:
    model = resolved_tiny(save_tiny(tmp_path / family, family))
    jobs = [
        CaptureJob(
            model,
            "Tiny",
            "float32",
            text,
            TextInput(text),
            "float32",
            {"self": f"{number}" * 64},
            ModelFingerprint("", ""),
        )
        for number, text in enumerate(TEXTS)
    ]
    found = []
    for order, tokens in itertools.product(([0, 1, 2], [2, 1, 0]), (1, 2048)):
        store = AttentionStore(tmp_path / f"store-{order[0]}-{tokens}")
        capture_missing([jobs[index] for index in order], store, SilentReporter(), batch_tokens=tokens)
        found.append([analyse(store.open(job.keys["self"]), AnalysisSettings()) for job in jobs])
    alone = found[0]
    for other in found[1:]:
        for one, same in zip(alone, other, strict=True):
            assert list(one.values) == [metric.name for metric in metrics_for(one.kind)]
            for name, values in one.values.items():
                np.testing.assert_allclose(same.values[name], values, atol=1e-4, err_msg=name)
            np.testing.assert_array_equal(one.types, same.types)
