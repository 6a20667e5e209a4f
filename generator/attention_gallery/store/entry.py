"""A stored capture, read layer by layer and checked as it is read."""

from __future__ import annotations

from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from attention_gallery.errors import DamagedEntry
from attention_gallery.records import AttentionLayer, Beside, ModelFacts, Provenance, Tokens
from attention_gallery.store.beside import is_beside
from attention_gallery.store.halves import widened
from attention_gallery.store.layout import (
    NUMPY_TYPES,
    ArraySlot,
    Reading,
    layer_name,
    pack_header,
    plan_slots,
    unpack_header,
)
from attention_gallery.store.sidecar import Sidecar, TokenNotes


class StoredEntry:
    """One capture on disk; implements `records.StoredAttention`.

    Only the tokens are kept in memory. Every call of `layer` reads that layer's bytes anew and compares
    them with the digest taken when they were written.
    """

    def __init__(self, path: Path, sidecar: Sidecar) -> None:
        """Read the header and the tokens. Raises `DamagedEntry` when the file is not the one described."""
        self._path = path
        self._sidecar = sidecar
        try:
            self._start, self._slots = self._read_header()
            self._tokens, self._keys = self._read_tokens()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(str(error)) from error

    @property
    def key(self) -> str:
        """The capture key."""
        return self._sidecar.key

    @property
    def text(self) -> str:
        """The sentence that was captured."""
        return self._sidecar.text

    @property
    def tokens(self) -> Tokens:
        """Its tokens, which look: the queries."""
        return self._tokens

    @property
    def keys(self) -> Tokens:
        """The tokens that are looked at: the same, except for cross attention."""
        return self._tokens if self._keys is None else self._keys

    @property
    def facts(self) -> ModelFacts:
        """The model that attended."""
        return self._sidecar.facts

    @property
    def provenance(self) -> Provenance:
        """Where the numbers come from."""
        return self._sidecar.provenance

    @property
    def beside(self) -> Beside:
        """What was captured with the weights, read anew and checked. Raises `DamagedEntry`."""
        notes = self._sidecar.beside
        checksum = 0
        arrays = {}
        try:
            with self._path.open("rb") as stream:
                for slot in self._slots.values():
                    if is_beside(slot.name):
                        arrays[slot.name] = self._read(stream, slot)
                        checksum = crc32(arrays[slot.name].tobytes(), checksum)
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        if checksum != notes.crc32:
            raise self._damaged("what lies beside its weights does not match its checksum")
        return notes.beside(arrays)

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key].

        Raises `IndexError` when the model has no such layer and `DamagedEntry` when its bytes changed.
        """
        exact = widened(self.packed(index, index + 1)[0])
        exact.flags.writeable = False
        return AttentionLayer(index, self.facts.kind, exact)

    def packed(self, first: int, end: int) -> NDArray[Any]:
        """Layers `first` to `end` (not itself) as they are stored, read at once: [layer, head, query, key].

        Raises as `layer` does.
        """
        if not 0 <= first < end <= self.facts.layers:
            raise IndexError(f"layer {first} to {end} of {self.facts.layers}")
        slot = self._slots[layer_name(first)]
        several = slot._replace(
            shape=(end - first, *slot.shape), end=slot.start + (end - first) * (slot.end - slot.start)
        )
        try:
            with self._path.open("rb") as stream:
                weights = self._read(stream, several)
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        for index, layer in enumerate(weights, first):
            if crc32(layer.data.cast("B")) != self._sidecar.layer_crc32[index]:
                raise self._damaged(f"layer {index} does not match its checksum")
        return weights

    def _damaged(self, reason: str) -> DamagedEntry:
        return DamagedEntry(f"the stored capture {self.key[:12]} is damaged: {reason}")

    def _read_header(self) -> tuple[int, Mapping[str, ArraySlot]]:
        size = self._path.stat().st_size
        if size != self._sidecar.size:
            raise ValueError(f"its file has {size} bytes instead of {self._sidecar.size}")
        with self._path.open("rb") as stream:
            head = stream.read(8)
            start = unpack_header(head)
            head += stream.read(start - 8)
        slots = self._expected_slots(head)
        return start, {slot.name: slot for slot in slots}

    def _expected_slots(self, head: bytes) -> tuple[ArraySlot, ...]:
        # The header must be the very one that the writer makes for such tokens.
        described = self._sidecar
        keys = None if described.keys is None else _shape_of(described.keys)
        reading = Reading(described.facts, _shape_of(described.tokens), keys, described.beside.shape)
        slots = plan_slots(reading, described.provenance.precision)
        if pack_header(slots) != head:
            raise ValueError("its header does not match its description")
        return slots

    def _read_tokens(self) -> tuple[Tokens, Tokens | None]:
        every = self._slots.values()
        slots = (slot for slot in every if not slot.name.startswith("layer.") and not is_beside(slot.name))
        with self._path.open("rb") as stream:
            arrays = {slot.name: self._read(stream, slot) for slot in slots}
        if crc32(b"".join(array.tobytes() for array in arrays.values())) != self._sidecar.token_crc32:
            raise ValueError("its tokens do not match their checksum")
        keys = self._sidecar.keys
        tokens = _tokens("tokens", self._sidecar.tokens, arrays)
        return tokens, None if keys is None else _tokens("keys", keys, arrays)

    def _read(self, stream: BufferedReader, slot: ArraySlot) -> NDArray[Any]:
        array = np.empty(slot.shape, NUMPY_TYPES[slot.dtype])
        stream.seek(self._start + slot.start)
        filled = stream.readinto(array.data.cast("B")) if array.size else 0
        if filled != slot.end - slot.start:
            raise ValueError(f"{slot.name} is cut short")
        return array


def _tokens(prefix: str, notes: TokenNotes, arrays: Mapping[str, NDArray[Any]]) -> Tokens:
    return Tokens(
        ids=arrays[f"{prefix}.ids"],
        texts=notes.texts,
        special=arrays[f"{prefix}.special"],
        continues=arrays[f"{prefix}.continues"],
        offsets=arrays.get(f"{prefix}.offsets"),
        words=arrays.get(f"{prefix}.words"),
        segments=arrays.get(f"{prefix}.segments"),
        segment_names=notes.segment_names,
        left_out=notes.left_out,
    )


def _shape_of(notes: TokenNotes) -> Tokens:
    """Tokens with the arrays of these, but nothing in them."""
    count = len(notes.texts)
    flags = np.zeros(count, np.bool_)
    return Tokens(
        np.zeros(count, np.int64),
        notes.texts,
        flags,
        flags,
        np.zeros((count, 2), np.int32) if "offsets" in notes.arrays else None,
        np.zeros(count, np.int32) if "words" in notes.arrays else None,
        np.zeros(count, np.int32) if "segments" in notes.arrays else None,
    )
