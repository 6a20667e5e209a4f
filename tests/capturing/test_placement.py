"""A model runs where it is told to, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import resolved_tiny

from attention_gallery.capturing import capture_one
from attention_gallery.errors import ModelError
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.placement import Device, Placement

PRESENT = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


def test_the_best_device_is_taken(tiny_folder: Path) -> None:
    best = next(name for name in ("cuda", "mps", "cpu") if PRESENT[name])
    loaded = load(resolved_tiny(tiny_folder))
    assert loaded.model.device.type == best
    assert capture_one(loaded, "it fits").provenance.environment.device == best


@pytest.mark.parametrize("device", [name for name, here in PRESENT.items() if not here])
def test_a_device_that_is_not_there_is_told(tiny_folder: Path, device: Device) -> None:
    with pytest.raises(ModelError) as caught:
        load(resolved_tiny(tiny_folder), placement=Placement(device))
    (problem,) = caught.value.problems
    assert f'the device "{device}" is not there' in problem.reason
    assert "this machine has: cpu" in problem.mend


def test_a_model_divided_among_devices_gives_the_same(tiny_folder: Path) -> None:
    whole = capture_one(load(resolved_tiny(tiny_folder), placement=Placement("cpu")), "it fits 🙂")
    divided = capture_one(load(resolved_tiny(tiny_folder), placement=Placement(spread=True)), "it fits 🙂")
    for first, second in zip(whole.layers, divided.layers, strict=True):
        np.testing.assert_allclose(
            first.weights, second.weights, rtol=0, atol=1e-3 if PRESENT["cuda"] else 1e-6
        )


@pytest.mark.skipif(not PRESENT["cuda"], reason="there is no GPU")
def test_a_gpu_agrees_with_the_processor(tiny_folder: Path) -> None:
    ours = capture_one(load(resolved_tiny(tiny_folder), placement=Placement("cuda")), "it fits 🙂")
    theirs = capture_one(load(resolved_tiny(tiny_folder), placement=Placement("cpu")), "it fits 🙂")
    for first, second in zip(ours.layers, theirs.layers, strict=True):
        np.testing.assert_allclose(first.weights, second.weights, rtol=0, atol=1e-3)
