"""Captures and analyses as pages read them: checked as they are read, few in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attention_gallery.analysis import SentenceAnalysis, analyse, analysis_key, load, save
from attention_gallery.errors import DamagedEntry
from attention_gallery.files import write_atomically
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.pages.gallery import Pair
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore

_KEPT = 4


class CachedData:
    """Reads the store and a cache of analyses beside it. The store checks every layer that it hands out."""

    def __init__(
        self, store: AttentionStore, cache: Path, settings: AnalysisSettings, keep: bool = True
    ) -> None:
        """With `keep`, what is measured now is written into the cache."""
        self._store = store
        self._cache = cache
        self._settings = settings
        self._keep = keep
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

    def _read_or_measure(self, key: str) -> SentenceAnalysis:
        name = analysis_key(key, self._settings)
        path = self._cache / name[:2] / name
        try:
            return load(path.read_bytes())
        except (FileNotFoundError, DamagedEntry):
            analysis = analyse(self.entry(key), self._settings)
            if self._keep:
                write_atomically(path, save(analysis))
            return analysis


@dataclass(frozen=True, slots=True)
class CapturedEvidence:
    """What notes are held to: `keys` are those of the captures that there are, by model and sentence."""

    data: CachedData
    keys: Mapping[tuple[str, str], str]

    def attention(self, model: str, sentence: str) -> StoredAttention | None:
        """The captured attention of a model on a sentence. Raises `DamagedEntry`."""
        key = self.keys.get((model, sentence))
        return None if key is None else self.data.entry(key)

    def analysis(self, model: str, sentence: str) -> SentenceAnalysis | None:
        """Its measures. Raises `DamagedEntry`."""
        key = self.keys.get((model, sentence))
        return None if key is None else self.data.measured(key)
