"""Run a batch of sentences through a prepared model and stream each one's attention out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from attention_gallery.capturing.passes.batches import Shape, fewest_rows
from attention_gallery.capturing.passes.layer_writer import BatchSink, InexactAttentionError, LayerSink
from attention_gallery.capturing.passes.pass_inputs import model_inputs
from attention_gallery.capturing.passes.prepare import PreparedModel, SideOutputError, side_output
from attention_gallery.capturing.reading.model_reading import ModelInput
from attention_gallery.errors import GalleryError
from attention_gallery.files import is_system_trouble
from attention_gallery.models.inspecting.trial import failed
from attention_gallery.models.loading.foreign import MODEL_FAULTS
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.loading.memory import lacks_memory
from attention_gallery.models.loading.placement import running_on
from attention_gallery.models.on_disk.fingerprints import ModelFingerprint
from attention_gallery.records import AttentionLayer, Precision, Predictions, Provenance, SideOutputs

# Takes each layer of one sentence's attention of one kind, in order.
Emit = Callable[[AttentionLayer], None]
# Why some models do not tell the lengths of what their heads take.
NOT_ASKED = "they were not asked for"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a pass told of one sentence and kind of attention, when all layers were handed on."""

    provenance: Provenance
    side_outputs: SideOutputs


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
    """Run the model once on all `sentences`, which have one `shape`, and hand each layer to who wants it.

    `emits` are for each sentence the receivers of the kinds of attention that are wanted of it. A layer is
    split by sentence, checked and rounded to `precision` before anybody sees it; no more than one layer of
    the batch and one of a sentence are held (under the strategy "outputs": all layers of the batch), or some
    small ones, which are checked together. Layers of one kind come in order; those of different kinds and
    sentences take turns. What a receiver keeps may be a view of the batch's layer. With `predictions` the
    pass goes to the end, and so many of the likeliest tokens are told of every place where the model
    predicts, if it has a head for it. The result is for each sentence what was told of each kind in `emits`.

    A pass has at least `fewest_rows`: copies of the last sentence fill it up, unless the model runs one by
    one. The numbers of a sentence have the bits that they have alone where `BatchTrials.may_share` says so of
    the shape and the number of rows; otherwise give it one sentence at a time. Raises `OutOfMemoryError` when
    memory runs out, `ModelError` when the model fails or the attention of any sentence is not whole and
    exact, `ValueError` for sentences of several shapes, `OSError` for trouble of the system, and any
    `GalleryError` of a receiver. After any of these no sentence of the batch is whole; a smaller one may do.
    """
    if len(shapes := {sentence.shape for sentence in sentences}) != 1:
        raise ValueError(f"sentences of {len(shapes)} shapes cannot share a pass")
    rows = rows_of(prepared, sentences[0].shape, len(sentences))
    parts, size = prepared.loaded.parts, sentences[0].size
    sinks = [
        {kind: LayerSink(parts[kind], size(kind), emit, precision) for kind, emit in own.items()}
        for own in emits
    ]
    batch = {kind: BatchSink([own.get(kind) for own in sinks], rows, size(kind)) for kind in parts}
    side_outputs = _run(prepared, sentences, rows, batch, predictions)
    origins = partial(_provenance, prepared, fingerprint, precision)
    return tuple(
        {kind: Told(origins(sink), side_outputs(kind, row)) for kind, sink in own.items()}
        for row, own in enumerate(sinks)
    )


def rows_of(prepared: PreparedModel, shape: Shape, sentences: int) -> int:
    """How many rows a pass over so many sentences has, copies among them."""
    return max(sentences, fewest_rows(shape)) if prepared.shares else sentences


def _run(
    prepared: PreparedModel,
    sentences: Sequence[ModelInput],
    rows: int,
    sinks: Mapping[str, BatchSink],
    predictions: int,
) -> Callable[[str, int], SideOutputs]:
    """Run the model; what it leaves behind beside the weights, by kind of attention and row."""
    loaded = prepared.loaded
    filled = [*sentences, *[sentences[-1]] * (rows - len(sentences))]
    source = [sentence.tokens.ids for sentence in filled]
    target = [sentence.target.ids for sentence in filled if sentence.target is not None]
    predictor = prepared.predictor if predictions else None
    predicted: tuple[Predictions, ...] = ()
    with running_on(loaded.threads), _faults_named(loaded):
        norms, states = prepared.capture(model_inputs(loaded, source, target), sinks, predictor is not None)
        if predictor is not None and states is not None:
            with side_output("predictions"):
                predicted = predictor.predict(states, sentences, predictions)
        # [layer, batch, head, key]; of kinds that nobody wants there may be no layer.
        stacks = {kind: [layer.cpu().numpy() for layer in layers] for kind, layers in norms.items()}
        stacked = {kind: np.stack(layers) for kind, layers in stacks.items() if layers}

    def side_outputs(kind: str, row: int) -> SideOutputs:
        lengths = np.ascontiguousarray(stacked[kind][:, row]) if kind in stacked else None
        likeliest = predicted[row] if predicted and kind == "self" else None
        unasked = prepared.no_predictions if predictions else NOT_ASKED
        no_norms = "" if lengths is not None else prepared.no_norms
        return SideOutputs(lengths, likeliest, no_norms, "" if likeliest is not None else unasked)

    return side_outputs


@contextmanager
def _faults_named(loaded: LoadedModel) -> Iterator[None]:
    """Turn what fails while a model runs into what `run_batch` raises."""
    try:
        yield
    except InexactAttentionError as error:
        named = f'the attention of "{loaded.resolved.source}" ({loaded.facts.architecture})'
        mend = "docs/architectures.md lists the architectures that can be captured"
        raise loaded.resolved.error(f"{named} is not exact: {error}", mend) from error
    except (GalleryError, SideOutputError):  # of the store, to which layers go, or of what can be missed
        raise
    except MODEL_FAULTS as error:
        if lacks_memory(error):
            raise OutOfMemoryError(str(error)) from error
        if is_system_trouble(error):
            raise
        raise failed(loaded.resolved, error) from error


def _provenance(
    prepared: PreparedModel, fingerprint: ModelFingerprint, precision: Precision, sink: LayerSink
) -> Provenance:
    loaded = prepared.loaded
    return Provenance(
        model_fingerprint=fingerprint.weights,
        tokenizer_fingerprint=fingerprint.tokenizer,
        source=loaded.resolved.source,
        revision=loaded.resolved.revision,
        environment=prepared.environment,
        row_sum_error=sink.row_sum_error,
        precision=precision,
        storage_error=sink.storage_error,
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
