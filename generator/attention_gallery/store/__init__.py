"""Captured attention, kept by content: one entry a key, streamed in and out layer by layer."""

from attention_gallery.store.beside import BesideShape
from attention_gallery.store.folder import AttentionStore
from attention_gallery.store.keys import SCHEMA, capture_key, former_key
from attention_gallery.store.writer import EntryWriter

__all__ = ["SCHEMA", "AttentionStore", "BesideShape", "EntryWriter", "capture_key", "former_key"]
