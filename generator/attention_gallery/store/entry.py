"""A stored capture, read layer by layer and checked as it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_gallery.errors import DamagedEntry
from attention_gallery.records import AttentionLayer, ModelFacts, Provenance, Tokens
from attention_gallery.store.layout import (
    NUMPY_TYPES,
    ArraySlot,
    layer_name,
    pack_header,
    plan_slots,
    unpack_header,
)
from attention_gallery.store.sidecar import Sidecar


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
            self._tokens = self._read_tokens()
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
        """Its tokens."""
        return self._tokens

    @property
    def facts(self) -> ModelFacts:
        """The model that attended."""
        return self._sidecar.facts

    @property
    def provenance(self) -> Provenance:
        """Where the numbers come from."""
        return self._sidecar.provenance

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key].

        Raises `IndexError` when the model has no such layer and `DamagedEntry` when its bytes changed.
        """
        if not 0 <= index < self.facts.layers:
            raise IndexError(f"layer {index} of {self.facts.layers}")
        try:
            weights = self._read(self._slots[layer_name(index)])
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        if hashlib.sha256(weights.data.cast("B")).hexdigest() != self._sidecar.layer_sha256[index]:
            raise self._damaged(f"layer {index} does not match its checksum")
        weights.flags.writeable = False
        return AttentionLayer(index, "decoder" if self.facts.causal else "encoder", weights)

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
        # Offsets and words may be absent; the header must be the very one that the writer makes.
        count = len(self._sidecar.token_texts)
        nothing = np.zeros(0, np.int32)
        for offsets in (nothing, None):
            for words in (nothing, None):
                shape_only = Tokens(
                    np.zeros(0, np.int64), ("",) * count, np.zeros(0, bool), np.zeros(0, bool), offsets, words
                )
                slots = plan_slots(shape_only, self.facts.layers, self.facts.heads)
                if pack_header(slots) == head:
                    return slots
        raise ValueError("its header does not match its description")

    def _read_tokens(self) -> Tokens:
        arrays: dict[str, NDArray[Any]] = {
            name.removeprefix("tokens."): self._read(slot)
            for name, slot in self._slots.items()
            if name.startswith("tokens.")
        }
        found = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
        if found != self._sidecar.token_sha256:
            raise ValueError("its tokens do not match their checksum")
        return Tokens(
            ids=arrays["ids"],
            texts=self._sidecar.token_texts,
            special=arrays["special"],
            continues=arrays["continues"],
            offsets=arrays.get("offsets"),
            words=arrays.get("words"),
        )

    def _read(self, slot: ArraySlot) -> NDArray[Any]:
        array = np.empty(slot.shape, NUMPY_TYPES[slot.dtype])
        with self._path.open("rb") as stream:
            stream.seek(self._start + slot.start)
            filled = stream.readinto(array.data.cast("B")) if array.size else 0
        if filled != slot.end - slot.start:
            raise ValueError(f"{slot.name} is cut short")
        return array
