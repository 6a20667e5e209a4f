"""The way of capturing is chosen by trying, and a model is afterwards as it was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from parity import reference
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import capture_kinds, capture_one, prepare
from attention_gallery.capturing.strategies import (
    STRATEGIES,
    HooksStrategy,
    InterfaceStrategy,
    OutputsStrategy,
    Receiver,
    Strategy,
    interface,
)
from attention_gallery.errors import ModelError
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.models.loading.placement import Placement
from attention_gallery.records import TextInput

TEXT = "The trophy does not fit."


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, LoadedModel]:
    folder = tmp_path_factory.mktemp("strategies")
    names = ("bert", "bloom", "xlnet", "bart")
    return {name: load(resolved_tiny(save_tiny(folder / name, name))) for name in names}


def test_the_ladder_goes_from_best_to_last() -> None:
    assert [strategy.name for strategy in STRATEGIES] == ["interface", "interface", "hooks", "outputs"]


@pytest.mark.parametrize(
    ("name", "expected"), [("bert", "interface"), ("bloom", "hooks"), ("xlnet", "outputs")]
)
def test_the_first_strategy_that_sees_everything_is_taken(
    loaded: Mapping[str, LoadedModel], name: str, expected: str
) -> None:
    assert prepare(loaded[name]).strategy.name == expected
    assert capture_one(loaded[name], TEXT).provenance.environment.strategy == expected


@pytest.mark.parametrize("name", ["bert", "bloom", "bart"])
def test_all_strategies_that_work_agree(loaded: Mapping[str, LoadedModel], name: str) -> None:
    found = []
    for strategy in STRATEGIES:
        try:
            prepared = prepare(loaded[name], [strategy])
        except ModelError:
            assert (name, strategy.name) == ("bloom", "interface")
            continue
        found.append(capture_one(replace(prepared, strategy=strategy.on_trial()), TEXT))
    assert len(found) == (2 if name == "bloom" else 4)
    for other in found[1:]:
        for layer, same in zip(found[0].layers, other.layers, strict=True):
            assert abs(layer.weights - same.weights).max() < 1e-6


@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_a_few_heads_at_a_time_are_what_the_layer_is(tmp_path: Path, name: str) -> None:
    prepared = prepare(load(resolved_tiny(save_tiny(tmp_path, name)), placement=Placement("cpu")))
    given = TextInput(TEXT, target="It is big." if name == "t5" else None)
    whole = capture_kinds(replace(prepared, strategy=InterfaceStrategy()), given)
    pieces = []
    run = InterfaceStrategy(0).run

    def watch(model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
        def count(place: str, weights: torch.Tensor, first: int = 0) -> None:
            pieces.append((first, weights.shape[1]))
            receive(place, weights, first)

        return run(model, inputs, count)

    split = InterfaceStrategy(0)
    split.run = watch  # type: ignore[method-assign]
    found = capture_kinds(replace(prepared, strategy=split, factors={}), given)  # else it is copied
    step = {"bert": 1, "llama": 2, "t5": 1}[name]  # llama's heads share keys, two by two
    assert pieces[:4] == [(0, 1), (1, 1), (2, 1), (3, 1)] if step == 1 else pieces[:2] == [(0, 2), (2, 2)]
    for kind, one in whole.items():
        for layer, same in zip(one.layers, found[kind].layers, strict=True):
            np.testing.assert_array_equal(layer.weights, same.weights)


def test_heads_that_cannot_be_taken_apart_are_taken_together(tmp_path: Path) -> None:
    loaded = load(resolved_tiny(save_tiny(tmp_path, "granite_swa")), placement=Placement("cpu"))
    strategy = prepare(loaded).strategy
    assert strategy.name == "interface"
    assert strategy.on_trial() is strategy


class NoSuchRegister:
    """A registry of functions that takes none of others."""

    def register(self, name: str) -> None:
        raise AssertionError


# What transformers promises to nobody, each as it might be in a version to come.
WITHOUT: dict[str, tuple[str, Any]] = {
    "no place for the name of an attention function": ("_CHOICE", "_attention_that_is_chosen"),
    "no masks by the name of the way": ("AttentionMaskInterface", dict),
    "another way to register": ("AttentionInterface", NoSuchRegister()),
    "attention functions that are called otherwise": ("_attend", lambda module, *, states: None),
    "eager attention under another name": ("_eager_function", lambda module: torch.nn.functional.softmax),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_without_internals_of_transformers_another_strategy_is_as_exact(
    loaded: Mapping[str, LoadedModel], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, *WITHOUT[name])
    captured = capture_one(loaded["bert"], TEXT)
    assert captured.provenance.environment.strategy in ("hooks", "outputs")
    expected = reference(loaded["bert"].resolved.folder, {"self": captured})["self"]
    for layer, weights in zip(captured.layers, expected, strict=True):
        np.testing.assert_allclose(layer.weights, weights, rtol=0, atol=1e-6)
    assert loaded["bert"].model.config._attn_implementation == "eager"


def hooks_of_ours(module: torch.nn.Module) -> list[Any]:
    # transformers leaves hooks of its own behind, once it was asked for attention.
    hooks = (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
    return [hook for hook in hooks if hook.__module__.startswith("attention_gallery")]


@pytest.mark.parametrize("name", ["bert", "bloom", "xlnet", "bart"])
def test_the_model_is_put_back(loaded: Mapping[str, LoadedModel], name: str) -> None:
    model = loaded[name].model
    capture_one(loaded[name], TEXT)
    assert model.config._attn_implementation == "eager"
    for module in model.modules():
        assert not hooks_of_ours(module)


def test_the_model_is_put_back_when_it_fails(loaded: Mapping[str, LoadedModel]) -> None:
    def stop(place: str, weights: torch.Tensor, first: int = 0) -> None:
        raise KeyboardInterrupt

    for name, strategy in (("bert", InterfaceStrategy()), ("bloom", HooksStrategy())):
        model = loaded[name].model
        with pytest.raises(KeyboardInterrupt):
            strategy.run(model, {"input_ids": torch.tensor([[5, 6, 7]], device=model.device)}, stop)
        assert model.config._attn_implementation == "eager"
        assert not any(hooks_of_ours(module) for module in model.modules())


def runs_of(module: torch.nn.Module, work: Callable[[], object]) -> int:
    runs: list[object] = []
    hook = module.register_forward_hook(lambda *args: runs.append(args[0]))
    try:
        work()
    finally:
        hook.remove()
    return len(runs)


@pytest.mark.parametrize(
    ("name", "kind", "last"),
    [
        ("bert", "self", "encoder.layer.{}.output"),
        ("bloom", "self", "h.{}.mlp"),
        ("bart", "encoder", "decoder"),
        ("bart", "cross", "decoder.layers.{}.fc1"),
    ],
)
def test_the_pass_ends_with_the_last_layer_that_is_wanted(
    loaded: Mapping[str, LoadedModel], name: str, kind: str, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare(loaded[name])
    model = prepared.loaded.model
    after = model.get_submodule(last.format(prepared.loaded.parts[kind].layers - 1))
    given = TextInput(TEXT, target="It is big." if name == "bart" else None)
    short: list[Any] = []
    assert runs_of(after, lambda: short.append(capture_one(prepared, given, kind=kind))) == 0
    # accelerate brings weights back when a part of a divided model has run, so each must run to its end.
    monkeypatch.setattr(model, "hf_device_map", {"": "cpu"}, raising=False)
    assert runs_of(after, lambda: short.append(capture_one(prepared, given, kind=kind))) == 1
    for layer, same in zip(short[0].layers, short[1].layers, strict=True):
        np.testing.assert_array_equal(layer.weights, same.weights)


def test_when_nothing_works_each_reason_is_told(loaded: Mapping[str, LoadedModel]) -> None:
    class Blind(Strategy):
        name = "blind"

        def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
            return model(**inputs).last_hidden_state  # type: ignore[no-any-return]

    class Blurred(Strategy):
        name = "blurred"

        def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
            return OutputsStrategy().run(model, inputs, lambda place, found: receive(place, found * 0.9))

    class Meddling(Strategy):
        name = "meddling"

        def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
            return OutputsStrategy().run(model, inputs, receive) * 1.001

    class Confused(Strategy):
        name = "confused"

        def run(self, model: Any, inputs: Mapping[str, Any], receive: Receiver) -> torch.Tensor:
            return OutputsStrategy().run(model, inputs, lambda place, found: receive("here", found))

    with pytest.raises(ModelError) as caught:
        prepare(loaded["bert"], [Blind(), Blurred(), Meddling()])
    (problem,) = caught.value.problems
    assert "blind: 0 layers gave their attention, but the model has 3" in problem.reason
    assert "blurred: the attention of layer 0 has rows that miss 1 by 0.1" in problem.reason
    assert "meddling: the model computes something else with it (off by 0.001)" in problem.reason
    with pytest.raises(ModelError, match="here gives two kinds of attention"):
        prepare(loaded["bart"], [Confused()])
