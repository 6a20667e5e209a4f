"""Models fresh from their configurations, whose heads are nearly alike: captured, mapped and built as any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tiny_models import make_tokenizer, resolved_tiny
from transformers import AutoConfig, AutoModel

from attention_gallery.analysis.similarity.distances import mean_of, measure_distances
from attention_gallery.analysis.similarity.head_map import map_heads
from attention_gallery.build import BuildOptions, build
from attention_gallery.capturing import capture_one, prepare
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.progress import SilentReporter

TEXTS = ["The trophy does not fit in the brown suitcase.", "It is too big."]
NAMES: dict[str, dict[str, str]] = {
    "bert": {"layers": "num_hidden_layers", "heads": "num_attention_heads", "width": "hidden_size"},
    "gpt2": {"layers": "n_layer", "heads": "n_head", "width": "n_embd"},
    "llama": {"layers": "num_hidden_layers", "heads": "num_attention_heads", "width": "hidden_size"},
}


def fresh(folder: Path, family: str, layers: int, heads: int, **options: Any) -> Path:
    torch.manual_seed(3)
    sizes = {"layers": layers, "heads": heads, "width": 4 * heads}
    named = {NAMES[family][name]: size for name, size in sizes.items()}
    more = {} if family == "gpt2" else {"intermediate_size": 32}
    with quiet_libraries():
        config = AutoConfig.for_model(family, vocab_size=320, **named, **more, **options)
        AutoModel.from_config(config).save_pretrained(folder)
        make_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (24, 16)])
@pytest.mark.parametrize("family", NAMES)
def test_heads_that_are_nearly_alike_have_a_map(tmp_path: Path, family: str, layers: int, heads: int) -> None:
    loaded = load(resolved_tiny(fresh(tmp_path / "fresh", family, layers, heads)))
    assert loaded.facts.causal == (family != "bert")
    prepared = prepare(loaded)
    distances = [measure_distances(capture_one(prepared, text)) for text in TEXTS]
    found = mean_of(distances)
    assert found is not None
    mean = found.distance
    head_map = map_heads(mean)
    if head_map is None:
        assert mean.max() < 1e-6
    else:
        assert np.isfinite(head_map.positions).all()


@pytest.mark.parametrize("spread", [0.02, 1e-5])
def test_a_random_baseline_builds(tmp_path: Path, spread: float) -> None:
    fresh(tmp_path / "fresh", "bert", 12, 12, initializer_range=spread)
    settings = {
        "title": "A baseline",
        "pages": {"heads": "none", "downloads": False},
        "models": [{"slug": "fresh", "title": "Fresh", "source": "./fresh"}],
        "sentences": [{"slug": f"s{number}", "text": text} for number, text in enumerate(TEXTS)],
    }
    (tmp_path / "gallery.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    report = build(tmp_path / "gallery.yaml", BuildOptions(strict=True), SilentReporter())
    assert report.warnings == ()
    page = (tmp_path / "site/models/fresh/index.html").read_text(encoding="utf-8")
    assert "bidirectional" in page
