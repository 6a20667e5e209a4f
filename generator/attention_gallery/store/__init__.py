"""Captured attention, kept by content: one entry a key, streamed in and out layer by layer."""

from attention_gallery.store.folder import AttentionStore
from attention_gallery.store.keys import SCHEMA, capture_key, former_key
from attention_gallery.store.side_outputs import SideOutputShape
from attention_gallery.store.writer import EntryWriter

__all__ = ["SCHEMA", "AttentionStore", "EntryWriter", "SideOutputShape", "capture_key", "former_key"]
