"""Captures and results as pages read them: checked as they are read, few in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attention_gallery.analysis import (
    BUILT_IN,
    GoldSentence,
    MeasureSet,
    RelationScore,
    SentenceAnalysis,
    analyse_with_targets,
    gold_of,
)
from attention_gallery.analysis.experiments.repeated_tokens import REPEATED_TOKENS, RepeatScores
from attention_gallery.analysis.measures.analysis_codec import ANALYSIS
from attention_gallery.analysis.probing.argmax_targets import ARGMAX_TARGETS, Int16
from attention_gallery.analysis.result import Inventory, Result, Subject
from attention_gallery.build.execute.result_files import cached_result, result_path, write_result
from attention_gallery.errors import DamagedEntry, GalleryError
from attention_gallery.evidence.answers import recent
from attention_gallery.hashing import digest
from attention_gallery.manifest.settings import AnalysisSettings, GallerySettings
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.side_results import SideAnalyses
from attention_gallery.records import StoredAttention
from attention_gallery.store import AttentionStore

Value = TypeVar("Value")

# How many captures are open at once, and as many analyses are in memory.
_FEW = 4


def inventory_of(
    settings: GallerySettings,
    keys: Mapping[tuple[str, str], str],
    random_tokens: Sequence[str] = (),
    prefixes: Sequence[str] = (),
    measures: MeasureSet = BUILT_IN,
) -> Inventory:
    """All that a gallery may ask results of, with its drafts or without them.

    `keys` are those of the captures by (model, sentence), drafts among them, `random_tokens` and `prefixes`
    those of auxiliary inputs.
    """
    contrasts = []
    for contrast in settings.contrasts:
        models = contrast.models or (contrast.model, contrast.model)
        sentences = contrast.sentences or (contrast.sentence, contrast.sentence)
        left, right = ((str(model), str(slug)) for model, slug in zip(models, sentences, strict=True))
        contrasts.append((left, right))
    return Inventory(
        captures=keys,
        random_tokens=tuple(random_tokens),
        prefixes=tuple(prefixes),
        gold={sentence.slug: gold_of(sentence) for sentence in settings.sentences},
        texts={sentence.slug: sentence.joined for sentence in settings.sentences},
        drafts=frozenset(sentence.slug for sentence in settings.sentences if sentence.draft),
        contrasts=tuple(contrasts),
        measures=measures,
    )


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
    """Reads the store and a cache of results beside it. The store checks every layer that it hands out."""

    def __init__(
        self,
        store: AttentionStore,
        cache: Path,
        settings: AnalysisSettings,
        keep: bool = True,
        measures: MeasureSet = BUILT_IN,
    ) -> None:
        """With `keep`, what is worked out now is written into the cache."""
        self.measures = measures
        self.sides = SideAnalyses()
        self._store = store
        self._cache = cache
        self._settings = settings
        self._keep = keep
        self._open: OrderedDict[str, StoredAttention] = OrderedDict()
        self._analyses: OrderedDict[str, SentenceAnalysis] = OrderedDict()
        self._together: dict[tuple[str, ...], dict[Result[Any], Subject]] = {}
        self._contents: dict[str, str] = {}

    def peek(self, key: str) -> StoredAttention:
        """The facts of a capture, without reading its weights. Raises `DamagedEntry`."""
        with _there(key):
            return self._store.open(key)

    def entry(self, key: str) -> StoredAttention:
        """The capture under a key. Raises `DamagedEntry`."""
        return recent(self._open, key, lambda: self.peek(key), _FEW)

    def key(self, result: Result[Any], subject: Subject) -> str:
        """The name under which a result is kept: the digest of all that can change it."""
        return result.key(subject, self._settings)

    def result(self, result: Result[Value], subject: Subject) -> Value:
        """A result from the cache, or worked out now. Raises `DamagedEntry`.

        An optional one is not tried twice in a build where it failed.
        """
        name = self.key(result, subject)
        if not result.optional:
            return self._cached(result, subject, name)
        return self.sides.once(name, lambda: self._cached(result, subject, name))

    def _cached(self, result: Result[Value], subject: Subject, name: str) -> Value:
        return cached_result(
            result_path(self._cache, name),
            lambda data: result.load(data, subject.about),
            result.dump,
            lambda: self._compute(result, subject),
            self._keep,
            self._source(subject.captures),
        )

    def _compute(self, result: Result[Value], subject: Subject) -> Value:
        together = self._together.get(subject.captures, {})
        if together.get(result) == subject and (values := self._read_once(together, result)):
            value: Value = values[result]
            return value
        needs = (
            self.entry(key) if need == "capture" else self.result(need, Subject.from_key(key))
            for key in subject.captures
            for need in result.needs
        )
        return result.compute(needs, result.narrowed(self._settings), subject.about)

    def expect(self, key: str, gold: GoldSentence) -> None:
        """Tell that both measures and argmax targets will be asked for, so that one reading finds them.

        Reading a capture and widening its weights costs as much as measuring them.
        """
        analysis, targets = Subject((key,), self.measures), Subject((key,), gold)
        self._together[(key,)] = {ANALYSIS: analysis, ARGMAX_TARGETS: targets}

    def _read_once(
        self, subjects: Mapping[Result[Any], Subject], asked: Result[Any]
    ) -> dict[Result[Any], Any]:
        """Both results of one reading, after the one that was not asked for was kept.

        Nothing where that one is there already, or where the reading fails: then each is worked out by
        itself, so that it is known which of the two fails.
        """
        (other,) = subjects.keys() - {asked}
        path = result_path(self._cache, self.key(other, subjects[other]))
        if not self._keep or path.exists():
            return {}
        captures, gold = subjects[ARGMAX_TARGETS]
        settings, metrics = ANALYSIS.narrowed(self._settings), self.measures.metrics
        try:
            analysis, targets = analyse_with_targets(self.entry(captures[0]), settings, gold, metrics=metrics)
        except (GalleryError, MemoryError, OSError):
            raise
        except Exception:
            return {}
        values: dict[Result[Any], Any] = {ANALYSIS: analysis, ARGMAX_TARGETS: targets}
        write_result(path, other.dump(values[other]), self._source(captures))
        return values

    def measured(self, key: str) -> SentenceAnalysis:
        """The measures of the capture under a key. Raises `DamagedEntry`."""
        subject = Subject((key,), self.measures)
        return recent(self._analyses, key, lambda: self.result(ANALYSIS, subject), _FEW)

    def measured_key(self, key: str) -> str:
        """The name under which these measures are cached: the digest of all that can change them."""
        return self.key(ANALYSIS, Subject((key,), self.measures))

    def argmax_targets(self, key: str, gold: GoldSentence) -> Int16 | None:
        """What every head looks at most, word by word; see `analysis.look`. Raises `DamagedEntry`."""
        return self.result(ARGMAX_TARGETS, Subject((key,), gold))

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
        title, subject = self.titles.get(model, model), Subject.from_key(key)
        make = partial(self.data.result, REPEATED_TOKENS, subject)
        return self.data.sides.take("scores on random tokens", title, make, None)

    def relations(self, model: str) -> Mapping[str, RelationScore] | None:
        """What the heads of a model know of each kind of relation. Raises `DamagedEntry`."""
        probe = self.probes.get(model)
        if probe is None:
            return None
        title = self.titles.get(model, model)
        return self.data.sides.take("probes of relations", title, lambda: probe.by_kind, None)
