"""Look at the captures that are there, as far as that goes without capturing what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from attention_gallery.errors import DamagedEntry
from attention_gallery.records import ModelFacts, StoredAttention, Tokens
from attention_gallery.store import AttentionStore


@dataclass(slots=True)
class SeenCaptures:
    """The captures of a store that were looked at, by a `build` or a check.

    `damaged` are warnings of those that cannot be read. A build reads all of that by itself, and need
    not do so twice.
    """

    store: AttentionStore
    build: bool
    damaged: list[str] = field(default_factory=list)
    _entries: dict[str, StoredAttention] = field(default_factory=dict)

    def facts(self, key: str, name: str) -> ModelFacts | None:
        """Of which model a capture is, None where it is missing; `name` is what people call it."""
        try:
            entry = self.store.open(key) if self.store.has(key) else None
        except DamagedEntry as error:
            self.damaged.append(f"{error}; a build that reads it captures {name} again")
            return None
        if entry is None:
            return None
        if not self.build:
            self._entries[key] = entry
        return entry.facts

    def has(self, key: str, name: str) -> bool:
        """Whether a capture is there, and can be read where that is of interest."""
        return self.store.has(key) if self.build else self.facts(key, name) is not None

    def tokens(self, key: str) -> Tokens:
        """What a capture that a check looked at is of."""
        return self._entries[key].keys
