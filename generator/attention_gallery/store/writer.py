"""Writing one capture: layers stream to a temporary file, the entry appears only when it is whole."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from attention_gallery.records import AttentionLayer, Precision, Provenance
from attention_gallery.store.layout import (
    LAYER_TYPES,
    NUMPY_TYPES,
    ArraySlot,
    Reading,
    layer_name,
    pack_header,
    plan_slots,
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
        self._digest = hashlib.sha256()
        self._layer_digests: list[str] = []
        self._token_digest = hashlib.sha256()
        self._size = 0
        self._provenance: Provenance | None = None
        slots = plan_slots(reading, precision)
        first = next((n for n, slot in enumerate(slots) if slot.name == layer_name(0)), len(slots))
        self._after = tuple(slot for slot in slots[first:] if not slot.name.startswith("layer."))
        self._put(pack_header(slots))
        self._put_tokens(slots[:first])

    def write(self, layer: AttentionLayer) -> None:
        """Append the next layer, float32[head, query, key], rounded to the store's precision.

        Raises `ValueError` when it is not the next one or has another shape than the model's facts say.
        """
        facts = self._reading.facts
        expected = (facts.heads, len(self._reading.tokens), len(self._reading.looked_at))
        if layer.index != len(self._layer_digests) or layer.index >= facts.layers:
            raise ValueError(
                f"layer {layer.index} came where layer {len(self._layer_digests)} of {facts.layers} was due"
            )
        if layer.weights.shape != expected:
            raise ValueError(f"layer {layer.index} has shape {layer.weights.shape} instead of {expected}")
        data = np.ascontiguousarray(layer.weights, dtype=NUMPY_TYPES[LAYER_TYPES[self._precision]])
        if self._precision != "float32":
            difference = np.abs(data.astype(np.float32) - layer.weights)
            self._error = max(self._error, float(difference.max(initial=0.0)))
        view = data.data.cast("B") if data.size else memoryview(b"")
        self._layer_digests.append(hashlib.sha256(view).hexdigest())
        self._put(view)

    def finish(self, provenance: Provenance) -> None:
        """Say that all layers were written, and where they come from. Without it nothing is kept."""
        due = self._reading.facts.layers
        if len(self._layer_digests) != due:
            raise ValueError(f"{len(self._layer_digests)} layers were written, {due} are due")
        self._put_tokens(self._after)
        self._provenance = replace(provenance, precision=self._precision, storage_error=self._error)

    def sidecar(self) -> bytes:
        """The description to be kept beside the data. Raises `ValueError` before `finish`."""
        if self._provenance is None:
            raise ValueError("the capture was not finished")
        return dump(
            Sidecar(
                key=self._key,
                text=self._text,
                tokens=TokenNotes.of(self._reading.tokens),
                keys=None if self._reading.keys is None else TokenNotes.of(self._reading.keys),
                facts=self._reading.facts,
                provenance=self._provenance,
                size=self._size,
                sha256=self._digest.hexdigest(),
                token_sha256=self._token_digest.hexdigest(),
                layer_sha256=tuple(self._layer_digests),
            )
        )

    def _put(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._digest.update(data)
        self._size += len(data)

    def _put_tokens(self, slots: tuple[ArraySlot, ...]) -> None:
        arrays = self._reading.arrays()
        for slot in slots:
            array = np.ascontiguousarray(arrays[slot.name], dtype=NUMPY_TYPES[slot.dtype])
            if array.shape != slot.shape:
                raise ValueError(f"{slot.name} has shape {array.shape} instead of {slot.shape}")
            self._token_digest.update(array.tobytes())
            self._put(array.tobytes())


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
