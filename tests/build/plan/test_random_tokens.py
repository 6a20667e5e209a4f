"""Random tokens read twice, through whole builds: hidden, kept under a key of their own, told of heads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import sample_gallery
from attention_gallery.build.plan.captures import drop_damaged, needed_captures
from attention_gallery.build.project import read_project
from attention_gallery.models import FingerprintMemory
from attention_gallery.progress import SilentReporter
from attention_gallery.records import Float32
from attention_gallery.store import AttentionStore
from sample_gallery import Sample, make_model


def hidden(sample: Sample) -> list[str]:
    """The keys of captures of random tokens."""
    store = AttentionStore(sample.cache / "store")
    return [key for key in sorted(store.keys()) if "lamp" in store.open(key).text]


def test_scores_stand_on_the_pages_of_models_and_heads_and_nowhere_else(sample: Sample) -> None:
    report = sample.build()
    assert len(hidden(sample)) == 2
    assert report.captured == 0
    for model in ("enc", "dec"):
        page = sample.page(f"models/{model}")
        assert "read 6 random tokens twice over" in page
        assert "Induction on random tokens" in page
        assert "Induction on random tokens" in sample.page(f"models/{model}/l00h01")
    assert "has nothing to predict" in sample.page("models/enc")
    assert "has nothing to predict" not in sample.page("models/dec")
    assert "means over 3 sentences" in sample.page("models/enc")
    told = [
        path for path in sample.site.rglob("*") if path.is_file() and b"lamp fern echo" in path.read_bytes()
    ]
    assert not told
    assert "random tokens" not in sample.page("enc/cat")


def test_a_sink_that_does_induction_on_random_tokens_is_an_induction_head(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looking(
        random: np.random.Generator, heads: int, tokens: int, keys: int | None = None, *, causal: bool
    ) -> Float32:
        """At the first token, but on random tokens at what came next then."""
        weights = sample_gallery_attention(random, heads, tokens, keys, causal=causal) * np.float32(0.02)
        targets = np.zeros(tokens, int)
        if tokens == 12:
            targets[6:] = np.arange(6) + 1
        weights[:, np.arange(tokens), targets] += 0.98
        return weights

    sample_gallery_attention = sample_gallery.random_attention
    monkeypatch.setattr(sample_gallery, "random_attention", looking)
    sample.build()
    told = json.loads((sample.site / "models/dec/heads.json").read_bytes())["heads"]
    assert {one["type"] for one in told} == {"induction"}


def test_they_can_be_left_out(sample: Sample) -> None:
    sample.settings["analysis"] = {"repeated_tokens": False}
    sample.build()
    assert not hidden(sample)
    assert "random tokens" not in sample.page("models/enc").lower()
    assert "random tokens" not in sample.page("models/enc/l00h01").lower()


def test_switching_measures_no_sentence_again(sample: Sample) -> None:
    sample.build()
    kept = {path.name for path in (sample.cache / "analysis").rglob("*") if path.is_file()}
    sample.settings["analysis"] = {"repeated_tokens": False}
    sample.build()
    assert {path.name for path in (sample.cache / "analysis").rglob("*") if path.is_file()} == kept


def test_only_the_encoder_of_an_encoder_decoder_reads_them(tmp_path: Path) -> None:
    sample = Sample.make(
        tmp_path, models=[{"slug": "both", "title": "Both", "source": "./models/both"}], notes={}
    )
    make_model(sample.root / "models" / "both", layers=1, heads=3, causal=True, crossing=True)
    sample.build()
    assert len(hidden(sample)) == 1
    assert "random tokens twice over" in sample.page("models/both-encoder")
    for kind in ("decoder", "cross"):
        page = sample.page(f"models/both-{kind}")
        assert "see the encoder" in page
        assert "Induction on random tokens" not in page


def test_a_damaged_capture_of_them_is_dropped(sample: Sample) -> None:
    sample.build()
    (key, _) = hidden(sample)
    (path,) = (sample.cache / "store").rglob(f"{key}*.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    project = read_project(sample.manifest, False)
    memory = FingerprintMemory(sample.cache / "fingerprints.json")
    captures = needed_captures(project, memory)
    store = AttentionStore(sample.cache / "store")
    assert drop_damaged(captures, store, SilentReporter(), ()) == {key}
    assert not store.has(key)
