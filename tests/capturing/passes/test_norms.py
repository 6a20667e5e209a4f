"""The lengths of what heads take equal ‖α f(x)‖ computed from the model's own weights, family by family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import capture_kinds, capture_one, prepare, read_input, run_batch
from attention_gallery.capturing.passes.norms import vector_norms
from attention_gallery.models import ModelFingerprint
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.models.loading.placement import Placement
from attention_gallery.records import TextInput
from attention_gallery.store.memory_capture import MemoryCapture

TEXT = "The trophy does not fit in the brown suitcase because it is too big. 🙂"
# Of one layer: what is given first, what makes values of it, and the projection [out, head · feature].
Parts = Callable[[Any], tuple[Any, Any, torch.Tensor]]


def _bert(layer: Any) -> tuple[Any, Any, torch.Tensor]:
    own = layer.attention.self
    return own, own.value, layer.attention.output.dense.weight


def _distilbert(layer: Any) -> tuple[Any, Any, torch.Tensor]:
    return layer.attention.v_lin, layer.attention.v_lin, layer.attention.out_lin.weight


def _gpt2(layer: Any) -> tuple[Any, Any, torch.Tensor]:
    width = layer.attn.c_proj.weight.shape[0]

    def value(hidden: torch.Tensor) -> torch.Tensor:
        return layer.attn.c_attn(hidden)[..., -width:]

    return layer.attn.c_attn, value, layer.attn.c_proj.weight.T


def _llama(layer: Any) -> tuple[Any, Any, torch.Tensor]:
    own = layer.self_attn
    return own.v_proj, own.v_proj, own.o_proj.weight


def _opt(layer: Any) -> tuple[Any, Any, torch.Tensor]:
    own = layer.self_attn
    return own.v_proj, own.v_proj, own.out_proj.weight


FAMILIES: dict[str, tuple[str, Parts]] = {
    "bert": ("encoder.layer", _bert),
    "roberta": ("encoder.layer", _bert),
    "electra": ("encoder.layer", _bert),
    "distilbert": ("transformer.layer", _distilbert),
    "gpt2": ("h", _gpt2),
    "llama": ("layers", _llama),
    "mistral": ("layers", _llama),
    "qwen2": ("layers", _llama),
    "opt": ("decoder.layers", _opt),
}


@contextmanager
def inputs_of(modules: list[Any]) -> Iterator[list[torch.Tensor]]:
    """What modules are given first in a pass, in their order."""
    found: list[torch.Tensor] = []
    hooks = [one.register_forward_pre_hook(lambda _, given: found.append(given[0])) for one in modules]
    yield found
    for hook in hooks:
        hook.remove()


def direct(loaded: LoadedModel, captured: MemoryCapture, name: str) -> list[np.ndarray]:
    """‖α f(x)‖ of each layer from vectors: float[head, query, key]."""
    path, parts = FAMILIES[name]
    layers = [parts(layer) for layer in loaded.model.get_submodule(path)]
    with inputs_of([first for first, _, _ in layers]) as given, torch.inference_mode():
        ids = torch.from_numpy(captured.tokens.ids)[None]
        loaded.model(input_ids=ids, attention_mask=torch.ones_like(ids))
    heads, shared = captured.facts.heads, captured.facts.key_value_heads
    found = []
    with torch.inference_mode():
        for index, (_, value, projection) in enumerate(layers):
            values = value(given[index])[0].double()
            size = values.shape[1] // shared
            out = torch.stack(
                [
                    values[:, head * shared // heads * size :][:, :size]
                    @ projection[:, head * size : (head + 1) * size].T.double()
                    for head in range(heads)
                ]
            )  # [head, key, out]
            weights = torch.from_numpy(captured.layer(index).weights).double()
            taken = weights[..., None] * out[:, None]  # α f(x), [head, query, key, out]
            found.append(taken.norm(dim=-1).numpy())
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_lengths_equal_those_of_the_vectors_themselves(tmp_path: Path, name: str) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, name)), placement=Placement("cpu"))
    if name in ("llama", "mistral", "qwen2"):
        assert loaded.facts.key_value_heads < loaded.facts.heads
    captured = capture_one(prepare(loaded), TEXT)
    norms = captured.side_outputs.norms
    assert norms is not None
    assert norms.shape == (loaded.facts.layers, loaded.facts.heads, len(captured.tokens))
    for index, expected in enumerate(direct(loaded, captured, name)):
        weighted = captured.layer(index).weights * norms[index][:, None]
        np.testing.assert_allclose(weighted, expected, rtol=1e-4, atol=1e-5 * expected.max())
        assert expected.max() > 0


@pytest.mark.parametrize(
    "name", ["gpt_neox", "albert", "modernbert", "gemma2", "phi3", "olmo2", "t5", "bart", "marian"]
)
def test_many_families_tell_them(tmp_path: Path, name: str) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, name)), placement=Placement("cpu"))
    given = TextInput(TEXT, target="It is big." if loaded.is_encoder_decoder else None)
    for kind, captured in capture_kinds(prepare(loaded), given).items():
        facts = loaded.parts[kind]
        assert captured.side_outputs.norms is not None, kind
        assert captured.side_outputs.norms.shape == (facts.layers, facts.heads, len(captured.keys))
        assert (captured.side_outputs.norms > 0).all()


@pytest.mark.parametrize("name", ["bloom", "gptj", "xlnet", "qwen3_next"])
def test_families_that_do_not_tell_them_say_why(tmp_path: Path, name: str) -> None:
    captured = capture_one(load(resolved_tiny(save_tiny(tmp_path, name))), TEXT)
    assert captured.side_outputs.norms is None
    assert "linear layer" in captured.side_outputs.no_norms


def test_a_projection_of_another_name_is_found_by_what_it_does(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, "bert")))
    before = capture_one(prepare(loaded), TEXT).side_outputs.norms
    for layer in loaded.model.encoder.layer:
        output = layer.attention.output
        output.renamed, output.dense = output.dense, torch.nn.Identity()
        output.LayerNorm = torch.nn.Sequential(torch.nn.Identity(), output.LayerNorm)
        output.forward = lambda states, given, own=output: own.LayerNorm(own.renamed(states) + given)
    after = capture_one(prepare(loaded), TEXT).side_outputs.norms
    np.testing.assert_array_equal(after, before)


def test_values_that_are_scaled_after_the_heads_are_not_taken_for_theirs(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, "bert")))
    dense = loaded.model.encoder.layer[1].attention.output.dense
    dense.register_forward_pre_hook(lambda _, given: (given[0] * 2,), prepend=True)
    assert capture_one(prepare(loaded), TEXT).side_outputs.norms is None


def test_batches_and_parts_of_layers_tell_the_same(tmp_path: Path) -> None:
    prepared = prepare(load(resolved_tiny(save_tiny(tmp_path, "llama"))))
    texts = ("zqjzzjq", "QQJKXZZ", "jqJQzZX")
    problem = prepared.loaded.resolved.problem
    read = [read_input(prepared.loaded, TextInput(text), "Tiny", problem) for text in texts]
    together = run_batch(prepared, read, [{"self": lambda _: None}] * 3, ModelFingerprint("", ""))
    split = replace(prepared, strategy=prepared.strategy.on_trial())
    for text, told in zip(texts, together, strict=True):
        alone = capture_one(prepared, text).side_outputs.norms
        assert alone is not None
        assert told["self"].side_outputs.norms is not None
        np.testing.assert_array_equal(told["self"].side_outputs.norms, alone)
        np.testing.assert_array_equal(capture_one(split, text).side_outputs.norms, alone)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_tells_them_too(tmp_path: Path, dtype: str) -> None:
    saved = save_tiny(tmp_path, "llama")
    exact = capture_one(load(resolved_tiny(saved)), TEXT).side_outputs.norms
    rough = capture_one(load(resolved_tiny(saved), dtype), TEXT).side_outputs.norms
    assert exact is not None
    assert rough is not None
    assert rough.dtype == np.float32
    np.testing.assert_allclose(rough[0], exact[0], rtol=0.1, atol=0.02 * exact[0].max())


def test_short_vectors_keep_their_length() -> None:
    # A value that the projection nearly wipes out: the square of its length would be lost in float32.
    projection = torch.tensor([[1.0, 1.0], [0.0, 1e-4]])
    factor = torch.linalg.qr(projection[None], mode="r").R
    found = vector_norms(factor, torch.tensor([[[[1.0, -1.0]]]]))
    np.testing.assert_allclose(found.numpy(), [[[1e-4]]], rtol=1e-3)
