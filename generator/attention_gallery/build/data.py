"""Captures and analyses as pages read them: checked as they are read, few in memory."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from attention_gallery.analysis import (
    GoldSentence,
    SentenceAnalysis,
    analyse,
    analysis_key,
    load,
    load_looks,
    look,
    looks_key,
    save,
    save_looks,
)
from attention_gallery.analysis.probe import Int16
from attention_gallery.errors import DamagedEntry
from attention_gallery.files import write_atomically
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.pages.gallery import Pair
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore

_KEPT = 4


class CachedData:
    """Reads the store and a cache of analyses beside it. The store checks every layer that it hands out."""

    def __init__(self, store: AttentionStore, cache: Path, settings: AnalysisSettings) -> None:
        self._store = store
        self._cache = cache
        self._settings = settings
        self._open: OrderedDict[str, StoredAttention] = OrderedDict()
        self._analyses: OrderedDict[str, SentenceAnalysis] = OrderedDict()

    def peek(self, key: str) -> StoredAttention:
        """The facts of a capture, without reading its weights. Raises `DamagedEntry`."""
        return self._store.open(key)

    def attention(self, pair: Pair) -> StoredAttention:
        """The captured attention of a pair. Raises `DamagedEntry`."""
        return self.entry(pair.key)

    def entry(self, key: str) -> StoredAttention:
        """The capture under a key. Raises `DamagedEntry`."""
        entry = self._open.get(key)
        if entry is None:
            entry = self._open[key] = self._store.open(key)
            if len(self._open) > _KEPT:
                self._open.popitem(last=False)
        return entry

    def analysis(self, pair: Pair) -> SentenceAnalysis:
        """The measures of a pair, from the cache or measured now. Raises `DamagedEntry`."""
        return self.measured(pair.key)

    def measured(self, key: str) -> SentenceAnalysis:
        """The measures of the capture under a key. Raises `DamagedEntry`."""
        found = self._analyses.get(key)
        if found is None:
            found = self._analyses[key] = self._read_or_measure(key)
            if len(self._analyses) > _KEPT:
                self._analyses.popitem(last=False)
        return found

    def looks(self, key: str, gold: GoldSentence) -> Int16 | None:
        """What every head looks at most, word by word, from the cache or found now; see `analysis.look`.

        Raises `DamagedEntry`.
        """
        path = self._path(looks_key(key, gold))
        try:
            return load_looks(path.read_bytes())
        except (FileNotFoundError, DamagedEntry):
            # Not kept open: a probe goes through all sentences of a model once.
            looks = look(self._store.open(key), gold)
            if looks is not None:
                write_atomically(path, save_looks(looks))
            return looks

    def _path(self, name: str) -> Path:
        return self._cache / name[:2] / name

    def _read_or_measure(self, key: str) -> SentenceAnalysis:
        path = self._path(analysis_key(key, self._settings))
        try:
            return load(path.read_bytes())
        except (FileNotFoundError, DamagedEntry):
            analysis = analyse(self.entry(key), self._settings)
            write_atomically(path, save(analysis))
            return analysis
