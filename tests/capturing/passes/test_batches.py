"""A batch gives each sentence its own attention, layer by layer, and keeps nothing."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import resolved_tiny, save_tiny

from attention_gallery.capturing import (
    ModelInput,
    OutOfMemoryError,
    PreparedModel,
    capture_one,
    prepare,
    read_input,
    run_batch,
)
from attention_gallery.capturing.passes.layer_writer import BatchSink, InexactAttentionError, LayerSink
from attention_gallery.errors import ModelError
from attention_gallery.models import ModelFingerprint
from attention_gallery.models.loading.load_model import LoadedModel, load
from attention_gallery.records import AttentionLayer, Precision, TextInput

# Every letter is a token of its own.
TEXTS = ("zqjzzjq", "QQJKXZZ", "jqJQzZX")
PRINT = ModelFingerprint("w", "t")


def read(prepared: PreparedModel, *texts: str) -> list[ModelInput]:
    loaded = prepared.loaded
    return [read_input(loaded, TextInput(text), "Tiny", loaded.resolved.problem) for text in texts]


def wanted(
    prepared: PreparedModel, emit: Callable[[AttentionLayer], None], count: int
) -> list[Mapping[str, Callable[[AttentionLayer], None]]]:
    return [dict.fromkeys(prepared.loaded.parts, emit) for _ in range(count)]


def test_every_sentence_of_a_batch_has_its_own_provenance(tiny_loaded: LoadedModel) -> None:
    prepared = prepare(tiny_loaded)
    found = run_batch(prepared, read(prepared, *TEXTS), wanted(prepared, lambda layer: None, 3), PRINT)
    assert [tuple(one) for one in found] == [("self",)] * 3
    assert {one["self"].provenance.environment.strategy for one in found} == {"interface"}
    assert {one["self"].provenance.environment.device for one in found} == {tiny_loaded.model.device.type}
    assert {one["self"].provenance.environment.batch for one in found} == {"equal lengths"}


def test_a_sentence_that_nobody_wants_changes_nothing(tiny_loaded: LoadedModel) -> None:
    prepared = prepare(tiny_loaded)
    layers: list[AttentionLayer] = []
    found = run_batch(prepared, read(prepared, *TEXTS), [{}, {"self": layers.append}, {}], PRINT)
    assert [len(one) for one in found] == [0, 1, 0]
    alone = capture_one(prepared, TEXTS[1])
    for layer, expected in zip(layers, alone.layers, strict=True):
        np.testing.assert_array_equal(layer.weights, expected.weights)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gpt2", {"n_layer": 8}),
        ("bloom", {"n_layer": 8}),
        ("bart", {"encoder_layers": 8, "decoder_layers": 8}),
    ],
)
def test_layers_are_let_go_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, changes: dict[str, int]
) -> None:
    prepared = prepare(load(resolved_tiny(save_tiny(tmp_path / "deep", name, **changes))))
    seen: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def watch(sink: BatchSink, weights: torch.Tensor, first: int, split: Any = BatchSink.__call__) -> None:
        seen.append(weakref.ref(weights))
        split(sink, weights, first)
        alive.append(sum(reference() is not None for reference in seen))

    kept: list[weakref.ref[Any]] = []
    held: list[int] = []

    def emit(layer: AttentionLayer) -> None:
        kept.append(weakref.ref(layer.weights))
        held.append(sum(reference() is not None for reference in kept))

    sentences = read(prepared, *TEXTS[:2])
    monkeypatch.setattr(BatchSink, "__call__", watch)
    run_batch(prepared, sentences, wanted(prepared, emit, 2), PRINT)
    assert len(alive) == 8 * len(prepared.loaded.parts)
    assert max(alive) <= 2
    assert max(held) <= 2


def test_sentences_of_several_lengths_are_refused(tiny_loaded: LoadedModel) -> None:
    prepared = prepare(tiny_loaded)
    with pytest.raises(ValueError, match="2 shapes"):
        run_batch(prepared, read(prepared, "zq", "zqj"), wanted(prepared, ignore, 2), PRINT)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_a_batch_that_does_not_fit_can_be_told_from_one_that_fails(
    tiny_folder: Path, error: Exception
) -> None:
    prepared = prepare(load(resolved_tiny(tiny_folder)))

    def fail(*_: Any) -> None:
        raise error

    prepared.loaded.model.h[1].register_forward_pre_hook(fail)
    with pytest.raises(OutOfMemoryError):
        run_batch(prepared, read(prepared, *TEXTS), wanted(prepared, lambda layer: None, 3), PRINT)
    with pytest.raises(ModelError, match="not enough memory"):
        capture_one(prepared, "it fits")


# True where a key comes after the query, [query, key].
LATER = torch.ones(5, 5, dtype=torch.bool).triu(1)


def softmax(*shape: int) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.softmax(torch.randn(*shape), dim=-1)


def ignore(layer: AttentionLayer) -> None:
    """Nobody wants it."""


def fill(sink: LayerSink | BatchSink, *layers: torch.Tensor) -> None:
    """Give a sink of a model with three layers these, and the last of them again until there are enough."""
    for index in range(3):
        sink(layers[min(index, len(layers) - 1)])


def test_inexact_attention_is_refused(tiny_loaded: LoadedModel) -> None:
    facts = replace(tiny_loaded.facts, causal=False)
    good = softmax(4, 5, 5)
    for bad, reason in (
        (good * 1.001, "rows that miss 1 by 0.001"),
        (good * float("nan"), "rows that miss 1 by nan"),
        (softmax(4, 5, 6), r"shape \(4, 5, 6\) instead of \(4, 5, 5\)"),
        (softmax(5, 5, 5), r"shape \(5, 5, 5\) instead of \(4, 5, 5\)"),
        (good - 2 * torch.eye(5) + 2 * torch.eye(5).roll(1, 0), "negative weights"),
    ):
        with pytest.raises(InexactAttentionError, match=reason):
            fill(LayerSink(facts, (5, 5), ignore), bad)
    with pytest.raises(InexactAttentionError, match="layer 0 attends to later tokens"):
        fill(LayerSink(tiny_loaded.facts, (5, 5), ignore), good)
    sink = LayerSink(facts, (5, 5), ignore)
    for _ in range(facts.layers + 1):
        sink(good)
    with pytest.raises(InexactAttentionError, match="4 layers gave their attention, but the model has 3"):
        sink.finish()


@pytest.mark.parametrize("together", [0, 2 * 4 * 5 * 5, 1 << 16])
def test_it_is_said_which_layer_is_inexact(
    tiny_loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("attention_gallery.capturing.passes.layer_writer.TOGETHER", together)
    good, triangle = softmax(4, 5, 5), torch.softmax(torch.zeros(4, 5, 5).masked_fill(LATER, -torch.inf), -1)
    causal = tiny_loaded.facts
    for bad in range(3):
        layers = [good] * 3
        layers[bad] = good * 1.001
        with pytest.raises(InexactAttentionError, match=f"layer {bad} has rows that miss 1"):
            fill(LayerSink(replace(causal, causal=False), (5, 5), ignore), *layers)
        layers = [triangle] * 3
        layers[bad] = good
        with pytest.raises(InexactAttentionError, match=f"layer {bad} attends to later"):
            fill(LayerSink(causal, (5, 5), ignore), *layers)
        windows = tuple(2 if index == bad else None for index in range(3))
        with pytest.raises(InexactAttentionError, match=f"layer {bad} reaches further back"):
            fill(LayerSink(replace(causal, windows=windows), (5, 5), ignore), triangle)


@pytest.mark.parametrize("together", [0, 2 * 4 * 5 * 5, 1 << 16])
@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_a_layer_is_put_together_from_its_heads(
    tiny_loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch, precision: Precision, together: int
) -> None:
    monkeypatch.setattr("attention_gallery.capturing.passes.layer_writer.TOGETHER", together)
    facts = replace(tiny_loaded.facts, causal=False)
    whole = softmax(4, 5, 5)
    found: list[AttentionLayer] = []
    sink = LayerSink(facts, (5, 5), found.append, precision)
    for _ in range(facts.layers):
        for first, last in ((0, 1), (1, 3), (3, 4)):
            sink(whole[first:last], first)
    sink.finish()
    assert [layer.index for layer in found] == list(range(facts.layers))
    for layer in found:
        np.testing.assert_array_equal(layer.weights, whole.numpy().astype(precision))
    expected = np.abs(whole.numpy().astype(precision) - whole.numpy()).max()
    assert sink.storage_error == pytest.approx(float(expected), abs=1e-9)


def test_heads_that_are_missing_or_too_many_are_noticed(tiny_loaded: LoadedModel) -> None:
    facts = replace(tiny_loaded.facts, causal=False)
    some = softmax(2, 5, 5)
    sink = LayerSink(facts, (5, 5), ignore)
    sink(some)
    with pytest.raises(
        InexactAttentionError, match="layer 0 gave the attention of 2 heads, but the model has"
    ):
        sink(some)
    with pytest.raises(InexactAttentionError, match="layer 0 gave the attention of 2 heads"):
        sink.finish()
    with pytest.raises(InexactAttentionError, match="instead of"):
        sink(some, 1)
    with pytest.raises(InexactAttentionError, match="instead of"):
        sink(softmax(3, 5, 5), 2)


def test_a_batch_of_another_shape_is_refused(tiny_loaded: LoadedModel) -> None:
    facts = replace(tiny_loaded.facts, causal=False)
    sinks = [LayerSink(facts, (5, 5), ignore), None]
    for shape in ((1, 4, 5, 5), (2, 4, 5, 6), (2, 4, 6, 5), (4, 5, 5)):
        with pytest.raises(InexactAttentionError, match="instead of"):
            BatchSink(sinks, 2, (5, 5))(softmax(*shape))


def test_copies_at_the_end_are_wanted_by_nobody(tiny_loaded: LoadedModel) -> None:
    found: list[AttentionLayer] = []
    sink = LayerSink(replace(tiny_loaded.facts, causal=False), (5, 5), found.append)
    rows = softmax(3, 4, 5, 5)
    fill(BatchSink([sink], 3, (5, 5)), rows)
    for layer in found:
        np.testing.assert_array_equal(layer.weights, rows[0].numpy())
