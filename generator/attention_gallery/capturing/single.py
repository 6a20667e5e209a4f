"""Capture one sentence and keep it in memory."""

from __future__ import annotations

from collections.abc import Mapping

from attention_gallery.capturing.passes.batch import OutOfMemoryError, run_batch
from attention_gallery.capturing.passes.prepare import PreparedModel, SideOutputError, prepare
from attention_gallery.capturing.reading.model_reading import read_input
from attention_gallery.errors import ModelError
from attention_gallery.hashing import digest
from attention_gallery.models.inspecting.trial import unread
from attention_gallery.models.loading.foreign import foreign_code
from attention_gallery.models.loading.load_model import LoadedModel
from attention_gallery.models.loading.placement import running_on
from attention_gallery.models.loading.quiet import quiet_libraries
from attention_gallery.models.on_disk.fingerprints import ModelFingerprint
from attention_gallery.records import AttentionLayer, TextInput
from attention_gallery.store.memory_capture import MemoryCapture


def capture_one(
    loaded: LoadedModel | PreparedModel,
    text_input: TextInput | str,
    fingerprint: ModelFingerprint | None = None,
    kind: str | None = None,
) -> MemoryCapture:
    """The attention of one sentence, kept in memory.

    Of an encoder-decoder it is the `kind` asked for, or its encoder's. Raises what `capture_kinds` raises,
    and `ModelError` when the model has no such kind of attention.
    """
    model = loaded.loaded if isinstance(loaded, PreparedModel) else loaded
    chosen: str = next(iter(model.parts)) if kind is None else kind
    if chosen not in model.parts:
        reason = f'"{model.resolved.source}" has no {chosen} attention'
        raise model.resolved.error(reason, f"it has: {', '.join(model.parts)}")
    return _capture(loaded, text_input, fingerprint, (chosen,))[chosen]


def capture_kinds(
    loaded: LoadedModel | PreparedModel,
    text_input: TextInput | str,
    fingerprint: ModelFingerprint | None = None,
) -> Mapping[str, MemoryCapture]:
    """Every kind of attention of one sentence, from one pass through the model.

    A model that was not prepared is tried out first, every time. Raises `ModelError` when the sentence has
    no tokens or more than the model can read, when it asks for what the model cannot do, or when the model's
    attention cannot be captured exactly.
    """
    model = loaded.loaded if isinstance(loaded, PreparedModel) else loaded
    return _capture(loaded, text_input, fingerprint, tuple(model.parts))


def _capture(
    loaded: LoadedModel | PreparedModel,
    text_input: TextInput | str,
    fingerprint: ModelFingerprint | None,
    kinds: tuple[str, ...],
) -> dict[str, MemoryCapture]:
    text_input = TextInput(text_input) if isinstance(text_input, str) else text_input
    prepared = loaded if isinstance(loaded, PreparedModel) else prepare(loaded)
    model = prepared.loaded
    resolved = model.resolved
    with (
        running_on(model.threads),  # what a model writes by itself may hang on a last bit
        foreign_code(lambda error: unread(resolved.source, resolved.problem, error)),
    ):
        read = read_input(model, text_input, resolved.source, resolved.problem)
    layers: dict[str, list[AttentionLayer]] = {kind: [] for kind in kinds}
    emits = {kind: captured.append for kind, captured in layers.items()}
    try:
        with quiet_libraries():
            (outputs,) = run_batch(prepared, [read], [emits], fingerprint or ModelFingerprint("", ""))
    except SideOutputError as error:
        return _capture(prepared.without(error), text_input, fingerprint, kinds)
    except OutOfMemoryError as error:
        raise out_of_memory(prepared, resolved.source) from error
    named = {"given": repr(text_input), "source": resolved.source, "dtype": model.dtype}
    return {
        kind: MemoryCapture(
            key=digest({**named, "kind": kind}),
            text=read.text_of(kind),
            tokens=read.queries(kind),
            facts=model.parts[kind],
            provenance=outputs[kind].provenance,
            layers=tuple(captured),
            looked_at=read.keys(kind) if kind == "cross" else None,
            looked_at_text=read.text,
            side_outputs=outputs[kind].side_outputs,
        )
        for kind, captured in layers.items()
    }


def out_of_memory(prepared: PreparedModel, what: str) -> ModelError:
    """There is not enough memory for one sentence alone; `what` names it for people."""
    reason = f"there is not enough memory to capture {what}"
    return prepared.loaded.resolved.error(reason, "shorten the text, or choose a smaller model")
