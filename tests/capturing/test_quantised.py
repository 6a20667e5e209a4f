"""Quantised weights: what heads take, the direction, the number of parameters, and how pages call them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quantised_models import BYTES, NF4, save_bitsandbytes, save_fp8
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import capture_one, prepare
from attention_gallery.models.inspecting.quantised import matrix_of
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.models.loading.placement import Placement

TEXT = "The trophy does not fit in the brown suitcase because it is too big. 🙂"


def loaded(folder: Path, **options: Any) -> LoadedModel:
    return load(resolved_tiny(folder), placement=Placement("cpu"), **options)


def norms(model: LoadedModel) -> np.ndarray:
    found = capture_one(prepare(model), TEXT).side_outputs.norms
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("options", "name"),
    [(BYTES, "bitsandbytes, 8 bits (int8)"), (NF4, "bitsandbytes, 4 bits (nf4)")],
    ids=["int8", "nf4"],
)
def test_a_folder_of_bitsandbytes_is_what_its_codes_stand_for(
    tmp_path: Path, options: dict[str, Any], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    packed, plain = save_bitsandbytes(tmp_path, options)
    capfd.readouterr()
    model, meant = loaded(packed, predicts=True), loaded(plain)
    assert model.facts.causal
    assert model.facts.parameters == meant.facts.parameters
    assert (model.facts.quantised, meant.facts.quantised) == (name, "")
    # Only of the first layer are the inputs the same: some quantisers round these, too.
    first, expected = norms(model)[0], norms(meant)[0]
    np.testing.assert_allclose(first, expected, rtol=0.05, atol=0.01 * expected.max())
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_folder_of_eight_bit_floats_is_what_its_codes_stand_for(tmp_path: Path) -> None:
    packed, plain = save_fp8(tmp_path)
    model, meant = loaded(packed), loaded(plain)
    assert model.facts.causal
    assert model.facts.parameters == meant.facts.parameters
    assert model.facts.quantised == "fp8, 8 bits, unpacked to float32"
    np.testing.assert_allclose(norms(model), norms(meant), rtol=1e-4)


class Packed(torch.nn.Module):
    """A linear layer as GPTQ, AWQ and HQQ have them: no weight at all, codes and scales in buffers."""

    def __init__(self, plain: torch.nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = plain.in_features, plain.out_features
        scale = plain.weight.abs().amax(dim=1, keepdim=True) / 2**20
        self.register_buffer("codes", (plain.weight / scale).round().to(torch.int32))
        self.register_buffer("scale", scale)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return states @ (self.codes * self.scale).T


class Coded(torch.nn.Linear):
    """A linear layer as bitsandbytes has them: its weight are the codes."""

    def __init__(self, plain: torch.nn.Linear, dtype: torch.dtype) -> None:
        super().__init__(1, 1)
        self.in_features, self.out_features = plain.in_features, plain.out_features
        largest = 127 if dtype == torch.int8 else 448
        scale = plain.weight.abs().amax(dim=1, keepdim=True) / largest
        codes = plain.weight / scale
        codes = codes.round() if dtype == torch.int8 else codes
        self.weight = torch.nn.Parameter(codes.to(dtype), requires_grad=False)
        self.bias = plain.bias
        self.scale = scale

    def unpacked(self) -> torch.Tensor:
        return self.weight.float() * self.scale

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(states, self.unpacked(), self.bias)


class Rounding(torch.nn.Linear):
    """A layer that does something else than multiply."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return super().forward(states.relu())


def with_projections(model: LoadedModel, make: Any) -> LoadedModel:
    for layer in model.model.layers:
        layer.self_attn.o_proj = make(layer.self_attn.o_proj)
    return model


def test_layers_without_a_weight_are_asked_what_they_multiply_with(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path, "llama")
    expected = norms(loaded(folder))
    np.testing.assert_allclose(norms(with_projections(loaded(folder), Packed)), expected, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn], ids=str)
def test_codes_are_never_taken_for_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    folder = save_tiny(tmp_path, "llama")
    coded = with_projections(loaded(folder), lambda plain: Coded(plain, dtype))
    plain = loaded(folder)
    for layer, other in zip(plain.model.layers, coded.model.layers, strict=True):
        layer.self_attn.o_proj.weight.data = other.self_attn.o_proj.unpacked()
    np.testing.assert_allclose(norms(coded), norms(plain), rtol=1e-3)


def test_a_layer_that_does_something_else_has_no_matrix(tmp_path: Path) -> None:
    def odd(plain: torch.nn.Linear) -> Rounding:
        made = Rounding(plain.in_features, plain.out_features, bias=False)
        made.weight = plain.weight
        return made

    side_outputs = capture_one(
        prepare(with_projections(loaded(save_tiny(tmp_path, "llama")), odd)), TEXT
    ).side_outputs
    assert side_outputs.norms is None
    assert "linear layer" in side_outputs.no_norms


def test_a_matrix_of_many_columns_is_found_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attention_gallery.models.inspecting.quantised._TOGETHER", 3)
    torch.manual_seed(0)
    plain = torch.nn.Linear(7, 5)
    found = matrix_of(Coded(plain, torch.int8), torch.zeros(1, 2, 7))
    assert found is not None
    torch.testing.assert_close(found, Coded(plain, torch.int8).unpacked())
