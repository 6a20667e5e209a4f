"""Writing one capture: layers stream to a temporary file, the entry appears only when it is whole."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO
from zlib import crc32

import numpy as np

from attention_gallery.records import (
    NO_SIDE_OUTPUTS,
    AttentionLayer,
    Precision,
    Provenance,
    SideOutputs,
    StoredAttention,
)
from attention_gallery.store.layout import (
    LAYER_TYPES,
    NUMPY_TYPES,
    ArraySlot,
    Reading,
    layer_name,
    pack_header,
    plan_slots,
)
from attention_gallery.store.side_outputs import (
    SideOutputNotes,
    SideOutputShape,
    is_side_output,
    side_output_arrays,
)
from attention_gallery.store.sidecar import Sidecar, TokenNotes, dump


class EntryWriter:
    """Streams the layers of one capture, in order, holding no more than the one at hand."""

    def __init__(self, stream: BinaryIO, key: str, text: str, reading: Reading, precision: Precision) -> None:
        """Write the header and the arrays that come before the first layer."""
        self._stream = stream
        self._key = key
        self._text = text
        self._reading = reading
        self._precision: Precision = precision
        self._error = 0.0
        self._layers: list[int] = []
        self._tokens = 0
        self._size = 0
        self._provenance: Provenance | None = None
        # The entry that was there first, where it is not the same.
        self.other: StoredAttention | None = None
        slots = plan_slots(reading, precision)
        first = next((n for n, slot in enumerate(slots) if slot.name == layer_name(0)), len(slots))
        self._after = tuple(slot for slot in slots[first:] if not slot.name.startswith("layer."))
        # Known when the model has run; their room is kept free until then.
        self._side_outputs = tuple(slot for slot in slots[:first] if is_side_output(slot.name))
        self._notes = SideOutputNotes.of(NO_SIDE_OUTPUTS, 0)
        header = pack_header(slots)
        self._start = len(header)
        self._put(header)
        self._put_tokens(slots[:first])

    def write(self, layer: AttentionLayer) -> None:
        """Append the next layer, [head, query, key], rounded to the store's precision where it is not yet.

        Raises `ValueError` when it is not the next one or has another shape than the model's facts say.
        """
        facts = self._reading.facts
        expected = (facts.heads, len(self._reading.tokens), len(self._reading.looked_at))
        if layer.index != len(self._layers) or layer.index >= facts.layers:
            raise ValueError(
                f"layer {layer.index} came where layer {len(self._layers)} of {facts.layers} was due"
            )
        if layer.weights.shape != expected:
            raise ValueError(f"layer {layer.index} has shape {layer.weights.shape} instead of {expected}")
        data = np.ascontiguousarray(layer.weights, dtype=NUMPY_TYPES[LAYER_TYPES[self._precision]])
        if data.dtype != layer.weights.dtype:
            difference = np.abs(data.astype(np.float32) - layer.weights)
            self._error = max(self._error, float(difference.max(initial=0.0)))
        view = data.data.cast("B") if data.size else memoryview(b"")
        self._put(view)
        self._layers.append(crc32(view))

    def finish(self, provenance: Provenance, side_outputs: SideOutputs = NO_SIDE_OUTPUTS) -> None:
        """Say that all layers were written, and where they come from. Without it nothing is kept.

        The error of storing is the larger one of what `provenance` tells and what was found here.
        `side_outputs` has the shape that the writer was made for; otherwise a `ValueError` is raised.
        """
        due = self._reading.facts.layers
        if len(self._layers) != due:
            raise ValueError(f"{len(self._layers)} layers were written, {due} are due")
        self._put_tokens(self._after)
        self._put_side_outputs(side_outputs)
        error = max(self._error, provenance.storage_error)
        if (provenance.precision, provenance.storage_error) != (self._precision, error):
            provenance = replace(provenance, precision=self._precision, storage_error=error)
        self._provenance = provenance

    def sidecar(self) -> bytes:
        """The description to be kept beside the data. Raises `ValueError` before `finish`."""
        if self._provenance is None:
            raise ValueError("the capture was not finished")
        return dump(
            Sidecar(
                key=self._key,
                text=self._text,
                key_text=self._reading.key_text,
                tokens=TokenNotes.of(self._reading.tokens, self._names("tokens")),
                keys=None
                if self._reading.keys is None
                else TokenNotes.of(self._reading.keys, self._names("keys")),
                facts=self._reading.facts,
                provenance=self._provenance,
                size=self._size,
                token_crc32=self._tokens,
                layer_crc32=tuple(self._layers),
                side_outputs=self._notes,
            )
        )

    def _names(self, prefix: str) -> tuple[str, ...]:
        """The names of the arrays of some tokens."""
        parts = (name.partition(".") for name in self._reading.arrays)
        return tuple(name for owner, _, name in parts if owner == prefix)

    def _put(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._size += len(data)

    def _put_side_outputs(self, side_outputs: SideOutputs) -> None:
        """Fill the room that was kept free."""
        if SideOutputShape.of(side_outputs) != self._reading.side_outputs:
            raise ValueError(
                f"{SideOutputShape.of(side_outputs)} came where {self._reading.side_outputs} was due"
            )
        arrays, checksum = side_output_arrays(side_outputs), 0
        for slot in self._side_outputs:
            array = np.ascontiguousarray(arrays[slot.name], dtype=NUMPY_TYPES[slot.dtype])
            if array.shape != slot.shape:
                raise ValueError(f"{slot.name} has shape {array.shape} instead of {slot.shape}")
            data = array.tobytes()
            self._stream.seek(self._start + slot.start)
            self._stream.write(data)
            checksum = crc32(data, checksum)
        self._notes = SideOutputNotes.of(side_outputs, checksum)

    def _put_tokens(self, slots: tuple[ArraySlot, ...]) -> None:
        arrays = self._reading.arrays
        for slot in slots:
            if is_side_output(slot.name):
                self._put(bytes(slot.end - slot.start))
                continue
            array = np.ascontiguousarray(arrays[slot.name], dtype=NUMPY_TYPES[slot.dtype])
            if array.shape != slot.shape:
                raise ValueError(f"{slot.name} has shape {array.shape} instead of {slot.shape}")
            data = array.tobytes()
            self._tokens = crc32(data, self._tokens)
            self._put(data)
