"""Measure how far captured attention is from what a model returns by itself, family by family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tiny_families import TYPES
from tiny_models import resolved_tiny, save_tiny
from transformers import CONFIG_MAPPING, AutoModel, AutoModelForSeq2SeqLM

from attention_gallery.capturing import (
    BatchTrials,
    PreparedModel,
    capture_kinds,
    prepare,
    read_input,
    run_batch,
)
from attention_gallery.errors import ModelError
from attention_gallery.models import ModelFingerprint
from attention_gallery.models.loading.load_model import load
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.records import ModelFacts, TextInput
from attention_gallery.store.memory_capture import MemoryCapture

TEXT = "The trophy does not fit in the brown suitcase because it is too big. 🙂"
TARGETS = ("The brown suitcase is too big", "it is", "return")
_FIELDS: dict[str, str] = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}
Captured = Mapping[str, MemoryCapture]
# Whether this is the version of transformers with which docs/architectures.md was written: others know fewer
# families or more, and compute some in another way.
IS_PINNED = f"transformers=={transformers.__version__}\n" in (
    Path(__file__).parents[2] / "constraints.txt"
).read_text("utf-8")


@dataclass(frozen=True)
class Measured:
    """What was found of one family. `reason` says why it cannot be captured; nothing else is known then.

    `difference` is the largest from the model's own attention, `batched` the largest that texts of the same
    length in its pass make, None where texts of that length run one by one. `shares` tells whether any may
    share a pass. `largest` is the largest weight of all.
    """

    reason: str = ""
    facts: Mapping[str, ModelFacts] | None = None
    strategy: str = ""
    difference: float = 0.0
    batched: float | None = None
    shares: bool = False
    largest: float = 0.0
    tokens: int = 0


def measure(folder: Path, name: str) -> Measured:
    """Capture the tiny model of one family and compare it with what it returns by itself."""
    if TYPES.get(name, name) not in CONFIG_MAPPING:
        return Measured(reason=f"transformers {transformers.__version__} does not know it")
    saved = save_tiny(folder / name, name)
    try:
        loaded = load(resolved_tiny(saved))
        prepared = prepare(loaded)
    except ModelError as error:
        return Measured(reason=_plain(error.problems[0].reason))
    both = loaded.is_encoder_decoder
    given = TextInput(TEXT, target=TARGETS[0] if both else None)
    captured = capture_kinds(prepared, given)
    # Longer texts are captured a few heads at a time.
    split = capture_kinds(replace(prepared, strategy=prepared.strategy.on_trial()), given)
    expected = reference(saved, captured)
    if not IS_PINNED and not all(_is_told(facts, expected[kind]) for kind, facts in loaded.parts.items()):
        return Measured(reason="it does not return the attention of every layer by itself")
    return Measured(
        facts=loaded.parts,
        strategy=prepared.strategy.name,
        difference=max(_difference(one, expected) for one in (captured, split)),
        batched=_batched(prepared),
        shares=prepared.shares,
        largest=max(float(layer.weights.max()) for one in captured.values() for layer in one.layers),
        tokens=len(next(iter(captured.values())).tokens),
    )


def reference(folder: Path, captured: Captured) -> dict[str, list[Any]]:
    """What the model returns for `output_attentions=True` when it is loaded on its own, in eager mode."""
    both = "cross" in captured
    with quiet_libraries(), torch.inference_mode():
        auto = AutoModelForSeq2SeqLM if both else AutoModel
        model = auto.from_pretrained(folder, attn_implementation="eager").eval()
        ids = torch.from_numpy(next(iter(captured.values())).tokens.ids)[None]
        given: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if both:
            given["decoder_input_ids"] = torch.from_numpy(captured["decoder"].tokens.ids)[None]
        # Models without a causal part know no such option; some with one mask nothing when it is set.
        first = next(iter(captured.values())).facts
        if both or (first.causal and hasattr(model.config, "use_cache")):
            given["use_cache"] = False
        output = model(**given, output_attentions=True)
    return {kind: [layer[0].float().numpy() for layer in output[_FIELDS[kind]]] for kind in captured}


def _is_told(facts: ModelFacts, layers: list[Any]) -> bool:
    """Whether a model returned so many layers as attend, or all that it has."""
    return len(layers) in (facts.layers, facts.layers + len(facts.skipped))


def _difference(captured: Captured, expected: Mapping[str, list[Any]]) -> float:
    worst = 0.0
    for kind, one in captured.items():
        layers = expected[kind]
        if len(layers) == one.facts.layers + len(one.facts.skipped):  # some return what is no attention
            layers = [layer for index, layer in enumerate(layers) if index not in one.facts.skipped]
        assert len(layers) == len(one.layers) == one.facts.layers > 0
        for layer, weights in zip(one.layers, layers, strict=True):
            assert layer.weights.shape == weights.shape
            worst = max(worst, float(np.abs(layer.weights - weights).max()))
    return worst


def _batched(prepared: PreparedModel) -> float | None:
    """The largest difference that two others of its length make to a text, None where they may not."""
    both = prepared.loaded.is_encoder_decoder
    given = TextInput(TEXT, target=TARGETS[0] if both else None)
    read = read_input(prepared.loaded, given, "Tiny", prepared.loaded.resolved.problem)
    backwards = replace(read, tokens=replace(read.tokens, ids=read.tokens.ids[::-1].copy()))
    if not BatchTrials(prepared).may_share(read.shape, 3):
        return None
    found: dict[str, list[Any]] = {kind: [] for kind in prepared.loaded.parts}
    ours = {kind: layers.append for kind, layers in found.items()}
    run_batch(prepared, [backwards, read, backwards], [{}, ours, {}], ModelFingerprint("", ""))
    worst = 0.0
    for kind, alone in capture_kinds(prepared, given).items():
        for layer, other in zip(alone.layers, found[kind], strict=True):
            assert (layer.index, layer.kind) == (other.index, other.kind)
            worst = max(worst, float(np.abs(layer.weights - other.weights).max()))
    return worst


def _plain(reason: str) -> str:
    """A reason without the name of the model's folder."""
    reason = re.sub(r'^the attention of "[^"]*" \(\w+\) cannot be captured: ', "", reason)
    return re.sub(r'^(the model )?"[^"]*"', "it", reason)
