"""A stored capture, read layer by layer and checked as it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from attention_gallery.errors import DamagedEntry
from attention_gallery.files import why_unreadable
from attention_gallery.records import AttentionLayer, ModelFacts, Provenance, SideOutputs, Tokens
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
from attention_gallery.store.side_outputs import is_side_output
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
            raise self._unusable(error) from error

    @property
    def key(self) -> str:
        """The capture key."""
        return self._sidecar.key

    @property
    def text(self) -> str:
        """The sentence that was captured."""
        return self._sidecar.text

    @cached_property
    def tokens(self) -> Tokens:
        """Its tokens, which look: the queries."""
        return self._tokens.worded(self.text)

    @cached_property
    def keys(self) -> Tokens:
        """The tokens that are looked at: the same, except for cross attention."""
        return self.tokens if self._keys is None else self._keys.worded(self.key_text)

    @property
    def key_text(self) -> str:
        """The text of `keys`."""
        return self.text if self._keys is None else self._sidecar.key_text

    @property
    def facts(self) -> ModelFacts:
        """The model that attended."""
        return self._sidecar.facts

    @property
    def provenance(self) -> Provenance:
        """Where the numbers come from."""
        return self._sidecar.provenance

    @property
    def side_outputs(self) -> SideOutputs:
        """What was captured with the weights, read anew and checked. Raises `DamagedEntry`."""
        notes = self._sidecar.side_outputs
        checksum = 0
        arrays = {}
        try:
            with self._path.open("rb") as stream:
                for slot in self._slots.values():
                    if is_side_output(slot.name):
                        arrays[slot.name] = self._read(stream, slot)
                        checksum = crc32(arrays[slot.name].tobytes(), checksum)
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error
        if checksum != notes.crc32:
            raise self._damaged("what lies beside its weights does not match its checksum")
        return notes.side_outputs(arrays)

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key].

        Raises `IndexError` when the model has no such layer and `DamagedEntry` when its bytes changed.
        """
        exact = widened(next(self.parts(index, index + 1, self.facts.heads))[0])
        exact.flags.writeable = False
        return AttentionLayer(index, self.facts.kind, exact)

    def parts(self, first: int, end: int, heads: int) -> Iterator[NDArray[Any]]:
        """Layers `first` to `end` (not itself) as they are stored: [layer, head, query, key].

        All of them at once, or one layer so many heads at a time, in an array that holds good until the next.
        Raises as `layer` does. Bytes are compared when the last part is read, before it is given.
        """
        if not 0 <= first < end <= self.facts.layers:
            raise IndexError(f"layer {first} to {end} of {self.facts.layers}")
        slot = self._slots[layer_name(first)]
        step = heads if end == first + 1 else self.facts.heads
        room = np.empty((end - first, min(step, slot.shape[0]), *slot.shape[1:]), NUMPY_TYPES[slot.dtype])
        checksums = [0] * (end - first)
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._start + slot.start)
                for head in range(0, slot.shape[0], step):
                    block = room[:, : slot.shape[0] - head]
                    self._fill(stream, block, layer_name(first))
                    checksums = [
                        crc32(layer.data.cast("B"), old) for layer, old in zip(block, checksums, strict=True)
                    ]
                    if head + step >= slot.shape[0]:
                        self._compare(first, checksums)
                    yield block
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error

    def _compare(self, first: int, checksums: Sequence[int]) -> None:
        for index, checksum in enumerate(checksums, first):
            if checksum != self._sidecar.layer_crc32[index]:
                raise self._damaged(f"layer {index} does not match its checksum")

    def _unusable(self, error: Exception) -> DamagedEntry:
        if isinstance(error, OSError):
            return unreadable(self.key, error)
        return self._damaged(str(error))

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
        reading = Reading(described.facts, _shape_of(described.tokens), keys, described.side_outputs.shape)
        slots = plan_slots(reading, described.provenance.precision)
        if pack_header(slots) != head:
            raise ValueError("its header does not match its description")
        return slots

    def _read_tokens(self) -> tuple[Tokens, Tokens | None]:
        every = self._slots.values()
        slots = (
            slot for slot in every if not slot.name.startswith("layer.") and not is_side_output(slot.name)
        )
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
        self._fill(stream, array, slot.name)
        return array

    def _fill(self, stream: BufferedReader, array: NDArray[Any], name: str) -> None:
        if array.size and stream.readinto(array.data.cast("B")) != array.nbytes:
            raise ValueError(f"{name} is cut short")


def unreadable(key: str, error: OSError) -> DamagedEntry:
    """The error for a capture that the system does not let be read."""
    return DamagedEntry(f"the stored capture {key[:12]} cannot be read: {why_unreadable(error)}")


def _tokens(prefix: str, notes: TokenNotes, arrays: Mapping[str, NDArray[Any]]) -> Tokens:
    return Tokens(
        ids=arrays[f"{prefix}.ids"],
        texts=notes.texts,
        special=arrays[f"{prefix}.special"],
        continues=arrays.get(f"{prefix}.continues", np.zeros(len(notes.texts), np.bool_)),
        offsets=arrays.get(f"{prefix}.offsets"),
        segments=arrays.get(f"{prefix}.segments"),
        segment_names=notes.segment_names,
        left_out=notes.left_out,
        splits=arrays.get(f"{prefix}.splits"),
        unread=notes.unread,
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
        offsets=np.zeros((count, 2), np.int32) if "offsets" in notes.arrays else None,
        segments=np.zeros(count, np.int32) if "segments" in notes.arrays else None,
        splits=flags if "splits" in notes.arrays else None,
    )
