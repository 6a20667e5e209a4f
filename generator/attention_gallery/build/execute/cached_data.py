"""Captures and analyses as pages read them: checked as they are read, few in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from attention_gallery.analysis import (
    BUILT_IN,
    Counterparts,
    FlowViews,
    Frame,
    GoldSentence,
    HeadContrast,
    HeadMap,
    MeasureSet,
    RelationScore,
    SentenceAnalysis,
    analyse,
    analyse_and_look,
    analysis_key,
    contrast_heads,
    find_counterparts,
    flow_views,
    gold_of,
    load,
    load_looks,
    load_views,
    look,
    looks_key,
    map_heads,
    save,
    save_looks,
    save_views,
    views_key,
)
from attention_gallery.analysis.contrast.contrast_codec import (
    contrast_key,
    load_contrast,
    load_counterparts,
    save_contrast,
    save_counterparts,
)
from attention_gallery.analysis.experiments.prefix_sweep import (
    LengthReading,
    length_key,
    load_reading,
    read_length,
    save_reading,
)
from attention_gallery.analysis.experiments.repeated_tokens import (
    RepeatScores,
    load_repeats,
    measure_repeats,
    repeats_key,
    save_repeats,
)
from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.analysis.similarity.distances import (
    HeadDistances,
    distances_key,
    load_distances,
    mean_of,
    measure_distances,
    pair_distance,
    save_distances,
)
from attention_gallery.analysis.similarity.head_map import load_map, map_key, save_map
from attention_gallery.build.execute.result_files import Result, keep_file, kept_file, path_in
from attention_gallery.errors import DamagedEntry, GalleryError
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import AnalysisSettings, GallerySettings
from attention_gallery.pages.gallery import Pair
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.readers.pictures import (
    PairPictures,
    draw_pictures,
    load_pictures,
    pictures_key,
    save_pictures,
)
from attention_gallery.pages.side_results import SideAnalyses
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore

_KEPT = 4


def kept_names(
    settings: GallerySettings,
    keys: Mapping[tuple[str, str], str],
    repeats: Iterable[str] = (),
    rungs: Iterable[str] = (),
    measures: MeasureSet = BUILT_IN,
) -> set[str]:
    """Every name in the cache of analyses that a gallery may use, with its drafts or without them.

    `keys` are those of the captures by (model, sentence), drafts among them, `repeats` those of random
    tokens, `rungs` those of texts of several lengths.
    """
    used = set(keys.values())
    gold = {sentence.slug: gold_of(sentence) for sentence in settings.sentences}
    names = {analysis_key(key, settings.analysis, measures=measures) for key in used}
    names |= {distances_key(key) for key in used} | {repeats_key(key) for key in repeats}
    names |= {views_key(key, settings.analysis) for key in used}
    names |= {pictures_key(key) for key in used}
    names |= {looks_key(key, gold[sentence]) for (_, sentence), key in keys.items()}
    names |= {length_key(key, settings.analysis.window) for key in rungs}
    drafts = {sentence.slug for sentence in settings.sentences if sentence.draft}
    for model in {model for model, _ in keys}:
        of_model = {sentence: key for (one, sentence), key in keys.items() if one == model}
        names.add(map_key(set(of_model.values())))
        names.add(map_key({key for sentence, key in of_model.items() if sentence not in drafts}))
    return names | set(_contrast_names(settings, keys))


def _contrast_names(settings: GallerySettings, keys: Mapping[tuple[str, str], str]) -> Iterator[str]:
    for contrast in settings.contrasts:
        models = contrast.models or (contrast.model, contrast.model)
        sentences = contrast.sentences or (contrast.sentence, contrast.sentence)
        left, right = (keys.get((str(a), str(b))) for a, b in zip(models, sentences, strict=True))
        if left is not None and right is not None:
            yield from (contrast_key(kind, left, right) for kind in ("heads", "counterparts"))


@contextmanager
def _there(key: str) -> Iterator[None]:
    """Raise `DamagedEntry` where a capture that was there is gone: no analysis failed then."""
    try:
        yield
    except KeyError as error:
        raise DamagedEntry(
            f"the stored capture {key[:12]} was removed while it was needed; run the command again"
        ) from error


class CachedData:
    """Reads the store and a cache of analyses beside it. The store checks every layer that it hands out."""

    def __init__(
        self,
        store: AttentionStore,
        cache: Path,
        settings: AnalysisSettings,
        keep: bool = True,
        measures: MeasureSet = BUILT_IN,
    ) -> None:
        """With `keep`, what is measured now is written into the cache."""
        self.measures = measures
        self.sides = SideAnalyses()
        self._store = store
        self._cache = cache
        self._settings = settings
        self._keep = keep
        self._open: OrderedDict[str, StoredAttention] = OrderedDict()
        self._analyses: OrderedDict[str, SentenceAnalysis] = OrderedDict()
        self._expected: dict[str, GoldSentence] = {}
        self._contents: dict[str, str] = {}

    def peek(self, key: str) -> StoredAttention:
        """The facts of a capture, without reading its weights. Raises `DamagedEntry`."""
        with _there(key):
            return self._store.open(key)

    def attention(self, pair: Pair) -> StoredAttention:
        """The captured attention of a pair. Raises `DamagedEntry`."""
        return self.entry(pair.key)

    def entry(self, key: str) -> StoredAttention:
        """The capture under a key. Raises `DamagedEntry`."""
        entry = self._open.get(key)
        if entry is None:
            entry = self._open[key] = self.peek(key)
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
        name = looks_key(key, gold)
        return self._side(name, [key], load_looks, save_looks, lambda: self._look(key, gold))

    def expect(self, key: str, gold: GoldSentence) -> None:
        """Tell that both looks and measures will be asked for, so that one reading finds them."""
        self._expected[key] = gold

    def _look(self, key: str, gold: GoldSentence) -> Int16 | None:
        # Not kept open: a probe goes through all sentences of a model once.
        entry, name = self.peek(key), self._analysis_name(key)
        if not self._keep or key not in self._expected or path_in(self._cache, name).exists():
            return look(entry, gold)
        analysis, looks = analyse_and_look(entry, self._settings, gold, metrics=self.measures.metrics)
        keep_file(path_in(self._cache, name), save(analysis), self._source([key]))
        return looks

    def _analyse(self, key: str) -> SentenceAnalysis:
        entry, metrics, gold = self.entry(key), self.measures.metrics, self._expected.get(key)
        kept = None if gold is None else path_in(self._cache, looks_key(key, gold))
        if gold is None or kept is None or not self._keep or kept.exists():
            return analyse(entry, self._settings, metrics=metrics)
        try:
            analysis, looks = analyse_and_look(entry, self._settings, gold, metrics=metrics)
        except (GalleryError, MemoryError, OSError):
            raise
        except Exception:  # measures are needed by themselves, and the probe fails when it is asked for
            return analyse(entry, self._settings, metrics=metrics)
        keep_file(kept, save_looks(looks), self._source([key]))
        return analysis

    def length(self, key: str) -> LengthReading:
        """The heads on a text of one length, from the cache or measured now. Raises `DamagedEntry`."""
        window = self._settings.window
        name = length_key(key, window)
        return self._side(
            name, [key], load_reading, save_reading, lambda: read_length(self.entry(key), window)
        )

    def _read_or_measure(self, key: str) -> SentenceAnalysis:
        return self._kept(
            self._analysis_name(key),
            [key],
            lambda data: load(data, self.measures),
            save,
            lambda: self._analyse(key),
        )

    def _analysis_name(self, key: str) -> str:
        return analysis_key(key, self._settings, measures=self.measures)

    def repeats(self, key: str) -> RepeatScores:
        """The scores on random tokens, from the cache or measured now. Raises `DamagedEntry`."""
        return self._side(
            repeats_key(key),
            [key],
            load_repeats,
            save_repeats,
            lambda: measure_repeats(self.peek(key)),
        )

    def views(self, pair: Pair) -> FlowViews:
        """Where each token of a pair draws from, by several views. Raises `DamagedEntry`."""
        name = views_key(pair.key, self._settings)
        return self._side(
            name, [pair.key], load_views, save_views, lambda: flow_views(self.attention(pair), self._settings)
        )

    def pictures(self, pair: Pair) -> PairPictures:
        """The pictures of a pair, from the cache or drawn now. Raises `DamagedEntry`."""
        name = pictures_key(pair.key)
        return self._kept(
            name, [pair.key], load_pictures, save_pictures, lambda: draw_pictures(self.attention(pair))
        )

    def head_map(self, pairs: Sequence[Pair]) -> HeadMap | None:
        """Where the heads of one model lie to each other over these sentences. Raises `DamagedEntry`."""
        keys = sorted({pair.key for pair in pairs})
        return self._side(map_key(keys), keys, load_map, save_map, lambda: self._map(keys))

    def _map(self, keys: Sequence[str]) -> HeadMap | None:
        found = mean_of(self._distances(key) for key in keys)
        return None if found is None else map_heads(found.distance, found)

    def head_distances(self, pair: Pair) -> HeadDistances:
        """How far the heads of a pair are from each other. Raises `DamagedEntry`."""
        return self._distances(pair.key)

    def pair_distance(self, pair: Pair, one: tuple[int, int], other: tuple[int, int]) -> float:
        """How far two heads (layer, head) of a pair are from each other, over all rows.

        Raises `DamagedEntry`.
        """
        return pair_distance(self.attention(pair), one, other)

    def contrast(self, left: Pair, right: Pair, frame: Frame) -> HeadContrast:
        """What the same heads do otherwise in two pairs. Raises `DamagedEntry`."""
        name = contrast_key("heads", left.key, right.key)
        return self._side(
            name,
            [left.key, right.key],
            load_contrast,
            save_contrast,
            lambda: contrast_heads(self.entry(left.key), self.entry(right.key), frame),
        )

    def counterparts(self, left: Pair, right: Pair, frame: Frame) -> Counterparts:
        """Which head of one pair is most like which of the other. Raises `DamagedEntry`."""
        name = contrast_key("counterparts", left.key, right.key)
        return self._side(
            name,
            [left.key, right.key],
            load_counterparts,
            save_counterparts,
            lambda: find_counterparts(self.entry(left.key), self.entry(right.key), frame),
        )

    def _distances(self, key: str) -> HeadDistances:
        name = distances_key(key)
        return self._side(
            name, [key], load_distances, save_distances, lambda: measure_distances(self.entry(key))
        )

    def _side(
        self,
        name: str,
        keys: Sequence[str],
        load: Callable[[bytes], Result],
        save: Callable[[Result], bytes],
        make: Callable[[], Result],
    ) -> Result:
        """The same of a side analysis, which is not tried twice in a build."""
        return self.sides.once(name, lambda: self._kept(name, keys, load, save, make))

    def _kept(
        self,
        name: str,
        keys: Sequence[str],
        load: Callable[[bytes], Result],
        save: Callable[[Result], bytes],
        make: Callable[[], Result],
    ) -> Result:
        """A result of these captures as it was kept under a name, or made and kept now."""
        path = path_in(self._cache, name)
        return kept_file(path, load, save, make, self._keep, self._source(keys))

    def _source(self, keys: Sequence[str]) -> str:
        """Digest of what captures hold: another environment may have given other numbers under a key."""
        for key in keys:
            if key not in self._contents:
                with _there(key):
                    self._contents[key] = self._store.content(key)
        return digest([self._contents[key] for key in keys])


@dataclass(frozen=True, slots=True)
class CapturedEvidence:
    """What notes are held to: `keys` are those of the captures that there are, by model and sentence.

    `probes` are those of the models all of whose sentences were captured, `random_tokens` the keys of what
    models read of random tokens. `titles` are what models are called in warnings, by slug.
    """

    data: CachedData
    keys: Mapping[tuple[str, str], str]
    probes: Mapping[str, ModelProbe]
    random_tokens: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def attention(self, model: str, sentence: str) -> StoredAttention | None:
        """The captured attention of a model on a sentence. Raises `DamagedEntry`."""
        key = self.keys.get((model, sentence))
        return None if key is None else self.data.entry(key)

    def analysis(self, model: str, sentence: str) -> SentenceAnalysis | None:
        """Its measures. Raises `DamagedEntry`."""
        key = self.keys.get((model, sentence))
        return None if key is None else self.data.measured(key)

    def repeats(self, model: str) -> RepeatScores | None:
        """The scores of the heads of a model on random tokens. Raises `DamagedEntry`."""
        key = self.random_tokens.get(model)
        if key is None:
            return None
        title = self.titles.get(model, model)
        return self.data.sides.take("scores on random tokens", title, lambda: self.data.repeats(key), None)

    def relations(self, model: str) -> Mapping[str, RelationScore] | None:
        """What the heads of a model know of each kind of relation. Raises `DamagedEntry`."""
        probe = self.probes.get(model)
        if probe is None:
            return None
        title = self.titles.get(model, model)
        return self.data.sides.take("probes of relations", title, lambda: probe.by_kind, None)
