"""Run a batch of sentences through a prepared model and stream each one's attention out."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from attention_gallery.capturing.prepare import NO_MEMORY, PreparedModel, model_inputs, side_output
from attention_gallery.capturing.reading import ModelInput
from attention_gallery.capturing.sink import BatchSink, InexactAttentionError, LayerSink
from attention_gallery.errors import GalleryError, ModelError
from attention_gallery.models.fingerprints import ModelFingerprint
from attention_gallery.models.foreign import MODEL_FAULTS
from attention_gallery.models.quiet import quiet_libraries
from attention_gallery.models.trial import failed, trial_ids
from attention_gallery.models.versions import library_versions
from attention_gallery.records import AttentionLayer, Beside, Precision, Predictions, Provenance, Tokens

# Takes each layer of one sentence's attention of one kind, in order.
Emit = Callable[[AttentionLayer], None]
# Why some models do not tell the lengths of what their heads take.
NOT_ASKED = "they were not asked for"
# How far padding may change a weight.
BATCH_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a pass told of one sentence and kind of attention, when all layers were handed on."""

    provenance: Provenance
    beside: Beside


class OutOfMemoryError(Exception):
    """A batch did not fit; half of it may."""


def run_batch(
    prepared: PreparedModel,
    sentences: Sequence[ModelInput],
    emits: Sequence[Mapping[str, Emit]],
    fingerprint: ModelFingerprint,
    precision: Precision = "float32",
    predictions: int = 0,
) -> tuple[Mapping[str, Told], ...]:
    """Run the model once on all `sentences` and hand each layer to those who want it as it is computed.

    `emits` are for each sentence the receivers of the kinds of attention that are wanted of it. A layer is
    split by sentence, freed of padding, checked and rounded to `precision` before anybody sees it; no more
    than one layer of the batch and one of a sentence are held (under the strategy "outputs": all layers of
    the batch), or some small ones, which are checked together. Layers of one kind come in order; those of
    different kinds and sentences take turns. What a receiver keeps may be a view of the batch's layer. With
    `predictions` the pass goes to the end, and so many of the likeliest tokens are told of every place where
    the model predicts, if it has a head for it. The result is for each sentence
    what was told of each kind in `emits`; the `seconds` of the provenance are the sentence's share of the
    pass, by tokens.

    The numbers are those of the sentences one by one, to `BATCH_TOLERANCE` in float32, if `can_batch` is
    true of the model; otherwise give it one sentence at a time. Raises `OutOfMemoryError` when memory runs
    out, `ModelError` when the attention of any sentence is not whole and exact, and whatever a receiver
    raises. After any of these no sentence of the batch is whole; a smaller batch may be tried.
    """
    parts = prepared.loaded.parts
    queries = {kind: [len(one.queries(kind)) for one in sentences] for kind in parts}
    keys = {kind: [len(one.keys(kind)) for one in sentences] for kind in parts}
    sinks = {
        kind: [
            LayerSink(facts, size, wanted[kind], precision) if kind in wanted else None
            for size, wanted in zip(zip(queries[kind], keys[kind], strict=True), emits, strict=True)
        ]
        for kind, facts in parts.items()
    }
    started = time.perf_counter()
    batch = {kind: BatchSink(sinks[kind], queries[kind], keys[kind]) for kind in sinks}
    beside = _run(prepared, sentences, batch, predictions)
    seconds = time.perf_counter() - started
    a_token = seconds / sum(len(one.tokens) for one in sentences)
    return tuple(
        {
            kind: Told(
                _provenance(prepared, fingerprint, a_token * len(one.tokens), sinks[kind][row], precision),
                beside.of(kind, row, keys[kind][row]),
            )
            for kind in emits[row]
        }
        for row, one in enumerate(sentences)
    )


def can_batch(prepared: PreparedModel) -> bool:
    """Whether padding leaves a model's attention as it is, found by trying it on two short sentences.

    It does not where a convolution, or a share of the whole batch, reaches across the end of a sentence.
    """
    facts = prepared.loaded.facts
    ids = trial_ids(prepared.loaded.model, facts.vocabulary, 7)
    pair = [_trial(prepared, ids[:4], ids[:5]), _trial(prepared, ids, ids[:3])]
    try:
        together = _captured(prepared, pair)
        alone = [_captured(prepared, [one])[0] for one in pair]
    except ModelError:  # whoever captures the sentences one by one is told if that fails too
        return False
    # Other formats round differently with every shape of a batch.
    tolerance = BATCH_TOLERANCE if prepared.loaded.dtype == "float32" else 0.05
    return all(
        float(np.abs(first - second).max()) <= tolerance
        for ours, its in zip(together, alone, strict=True)
        for first, second in zip(ours, its, strict=True)
    )


def _trial(prepared: PreparedModel, source: Sequence[int], target: Sequence[int]) -> ModelInput:
    both = prepared.loaded.is_encoder_decoder
    return ModelInput("", _bare(source), "", _bare(target) if both else None)


def _bare(ids: Sequence[int]) -> Tokens:
    nothing = np.zeros(len(ids), bool)
    return Tokens(np.array(ids, np.int64), ("",) * len(ids), nothing, nothing)


def _captured(prepared: PreparedModel, sentences: Sequence[ModelInput]) -> list[list[np.ndarray]]:
    found: list[list[np.ndarray]] = [[] for _ in sentences]
    emits = [
        dict.fromkeys(prepared.loaded.parts, lambda layer, row=row: row.append(layer.weights))
        for row in found
    ]
    bare = replace(prepared, factors={}, predictor=None)
    with quiet_libraries():
        run_batch(bare, sentences, emits, ModelFingerprint("", ""))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _BesideBatch:
    """What a pass told of a batch beside the weights, and why it did not.

    norms: float32[layer, batch, head, key] of each kind that tells them. predictions: of each sentence, for
    the attention of a model that has one kind.
    """

    norms: Mapping[str, NDArray[np.float32]]
    predictions: tuple[Predictions, ...]
    no_norms: str
    no_predictions: str

    def of(self, kind: str, row: int, keys: int) -> Beside:
        """The part of one sentence, without padding."""
        norms = self.norms.get(kind)
        told = self.predictions[row] if self.predictions and kind == "self" else None
        return Beside(
            norms=None if norms is None else np.ascontiguousarray(norms[:, row, :, :keys]),
            predictions=told,
            no_norms=self.no_norms if norms is None else "",
            no_predictions=self.no_predictions if told is None else "",
        )


def _run(
    prepared: PreparedModel, sentences: Sequence[ModelInput], sinks: Mapping[str, BatchSink], predictions: int
) -> _BesideBatch:
    """Run the model, and make of what it leaves behind what is kept beside the weights."""
    loaded = prepared.loaded
    source = [one.tokens.ids for one in sentences]
    target = [one.target.ids for one in sentences if one.target is not None]
    predictor = prepared.predictor if predictions else None
    told: tuple[Predictions, ...] = ()
    try:
        passed = prepared.capture(model_inputs(loaded, source, target), sinks, predictor is not None)
        if predictor is not None and passed.states is not None:
            with side_output("predictions"):
                told = predictor.predict(passed.states, sentences, predictions)
        # Of kinds that nobody wants there may be no layer.
        known = {kind: layers for kind, layers in passed.norms.items() if layers}
        norms = {kind: np.stack([one.cpu().numpy() for one in layers]) for kind, layers in known.items()}
        unasked = prepared.no_predictions if predictions else NOT_ASKED
        return _BesideBatch(norms, told, prepared.no_norms, unasked)
    except InexactAttentionError as error:
        reason = (
            f'the attention of "{loaded.resolved.source}" ({loaded.facts.architecture}) is not exact: {error}'
        )
        raise ModelError(
            loaded.resolved.problem(
                reason, "docs/architectures.md lists the architectures that can be captured"
            )
        ) from error
    except MemoryError as error:
        raise OutOfMemoryError(str(error)) from error
    except (GalleryError, OSError):  # of the store, to which layers go as they come
        raise
    except MODEL_FAULTS as error:
        if isinstance(error, torch.OutOfMemoryError) or NO_MEMORY in str(error):
            raise OutOfMemoryError(str(error)) from error
        raise failed(loaded.resolved, error) from error


def _provenance(
    prepared: PreparedModel,
    fingerprint: ModelFingerprint,
    seconds: float,
    sink: LayerSink | None,
    precision: Precision,
) -> Provenance:
    loaded = prepared.loaded
    return Provenance(
        model_fingerprint=fingerprint.weights,
        tokenizer_fingerprint=fingerprint.tokenizer,
        source=loaded.resolved.source,
        revision=loaded.resolved.revision,
        dtype=loaded.dtype,
        libraries=library_versions(),
        seconds=seconds,
        row_sum_error=0.0 if sink is None else sink.row_sum_error,
        strategy=prepared.strategy.name,
        device=loaded.model.device.type,
        precision=precision,
        storage_error=0.0 if sink is None else sink.storage_error,
        remote_code=loaded.remote_code,
    )


def free_memory(prepared: PreparedModel) -> None:
    """Give back what a batch that did not fit has left allocated."""
    gc.collect()
    device = prepared.loaded.model.device.type
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
