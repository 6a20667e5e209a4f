"""The numbers that notes ask for, from the stored weights and the measures made of them.

`ANSWERS` has an answer for every kind of question with a number or a name; see `notes/questions/asks.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import numpy as np

from attention_gallery.analysis import (
    BUILT_IN,
    KINDS,
    Across,
    HeadsAcross,
    MeasureSet,
    SentenceAnalysis,
    average_heads,
    find_word,
)
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.probing.probe import RelationScore
from attention_gallery.errors import UserError, did_you_mean
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.evidence.phrasing import why_unscored
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.notes.markdown.note_links import LinkTarget
from attention_gallery.notes.questions.asks import (
    AccuracyOf,
    AskError,
    HeadsOfType,
    MeasureOf,
    ReceivedBy,
    Subject,
    TypeOf,
    ValueAsk,
    WeightOf,
)
from attention_gallery.records import Float32, StoredAttention, Tokens

# Notes mostly speak of a few layers, and a layer of a long text takes megabytes.
_LAYERS_CACHED = 8
_Layers = OrderedDict[tuple[str, int], Float32]
_At = TypeVar("_At")
_Evidence = TypeVar("_Evidence")


class Evidence(Protocol):
    """Captures and analyses by model and sentence; None where there is no capture yet."""

    def attention(self, model: str, sentence: str) -> StoredAttention | None:
        """The captured attention of a model on a sentence."""

    def analysis(self, model: str, sentence: str) -> SentenceAnalysis | None:
        """Its measures."""

    def relations(self, model: str) -> Mapping[str, RelationScore] | None:
        """What the heads of a model know of each kind of relation; None where sentences are missing yet."""

    def repeats(self, model: str) -> RepeatScores | None:
        """The scores of the heads of a model on random tokens; None where it reads none."""


class NotCaptured(Exception):  # noqa: N818 - it names what is missing, which is no mistake
    """A question is about attention that was not captured yet."""


class Numbers:
    """Answers questions, each once, keeping few layers in memory. `texts` are those of the sentences.

    What is wrong with a question whatever was captured needs no capture to be refused.
    """

    def __init__(
        self,
        links: LinkMap,
        sentences: Iterable[SentenceSpec],
        evidence: Evidence,
        measures: MeasureSet = BUILT_IN,
        kinds: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """`kinds` are those of the relations that models are probed for, by slug, where they are known."""
        self.links = links
        self.measures = measures
        self.kinds = kinds
        self.texts = {sentence.slug: sentence.joined for sentence in sentences}
        self._evidence = evidence
        self._known: dict[object, float | str] = {}
        self._layers: _Layers = OrderedDict()
        self._averages: _Layers = OrderedDict()
        self._across: dict[str, HeadsAcross] = {}

    def answer(self, ask: ValueAsk) -> float | str:
        """The number, or the name of a type. Raises `AskError` for a mistake, `NotCaptured`."""
        if ask not in self._known:
            self._known[ask] = ANSWERS[type(ask)](self, ask)
        return self._known[ask]

    def page(self, subject: Subject) -> tuple[str, str]:
        """Route and title of the page of a subject. Raises `AskError` where the gallery has no such thing."""
        layer, head = subject.layer, subject.head
        kind = "model" if subject.sentence is None else "pair"
        if head is not None:
            kind = "model-head" if subject.sentence is None else "head"
        target = LinkTarget("", kind, subject.model, subject.sentence, layer, head)  # type: ignore[arg-type]
        try:
            page = self.links.resolve(target)
        except LookupError as error:
            reason, mend = (*map(str, error.args), "", "")[:2]
            raise AskError(reason, mend, "target") from None
        layers = self.links.models[subject.model][1].layers
        if layer is not None and layer >= layers:
            reason = f'the model "{subject.model}" has no layer {layer}'
            raise AskError(reason, f"its layers are L0 to L{layers - 1}", "target")
        return page

    def attention(self, subject: Subject) -> StoredAttention:
        """The capture that a subject is of. Raises `AskError`, `NotCaptured`."""
        self.page(subject)
        if subject.sentence is None:
            reason = "weights are those of one sentence, and none is named"
            raise AskError(reason, "write model/sentence/L3H1", "target")
        return _needed(self._evidence.attention(subject.model, subject.sentence))

    def analysis(self, subject: Subject) -> SentenceAnalysis:
        """The measures of the sentence that a subject is of. Raises `AskError`, `NotCaptured`."""
        self.page(subject)
        if subject.sentence is None:
            raise AskError("no sentence is named", "write model/sentence/L3H1", "target")
        return _needed(self._evidence.analysis(subject.model, subject.sentence))

    def layer(self, entry: StoredAttention, index: int) -> Float32:
        """The weights of a layer: float32[head, query, key]."""
        return recent(self._layers, (entry.key, index), lambda: entry.layer(index).weights, _LAYERS_CACHED)

    def matrix(self, subject: Subject) -> Float32:
        """The weights of a head, or their mean over a layer or over all heads: float32[query, key]."""
        if subject.layer is None:
            return self.analysis(subject).overall_average
        entry = self.attention(subject)
        if subject.head is None:
            return self.layer_average(entry, subject.layer)
        weights: Float32 = self.layer(entry, subject.layer)[subject.head]
        return weights

    def layer_average(self, entry: StoredAttention, index: int) -> Float32:
        """The mean over the heads of a layer: float32[query, key]."""
        at = entry.key, index
        return recent(self._averages, at, lambda: average_heads(entry.layer(index)), _LAYERS_CACHED)

    def queries(self, subject: Subject, word: str, argument: str) -> list[int]:
        """The tokens of a word that looks. Raises `AskError` naming `argument`, `NotCaptured`."""
        entry = self.attention(subject)
        return _word_tokens(entry.text, entry.tokens, word, argument)

    def keys(self, subject: Subject, word: str, argument: str) -> list[int]:
        """The tokens of a word that is looked at. Raises `AskError` naming `argument`, `NotCaptured`."""
        entry = self.attention(subject)
        return _word_tokens(entry.key_text, entry.keys, word, argument)

    def across(self, subject: Subject) -> HeadsAcross:
        """The measures of a model over all its sentences. Raises `AskError`, `NotCaptured`."""
        self.page(subject)
        model = subject.model
        if model not in self._across:
            sentences = [sentence for slug, sentence in self.links.head_pages if slug == model]
            if not sentences:
                raise NotCaptured
            analyses = (_needed(self._evidence.analysis(model, sentence)) for sentence in sentences)
            self._across[model] = _across_sentences(analyses, self._evidence.repeats(model))
        return self._across[model]

    def relations(self, model: str) -> Mapping[str, RelationScore] | None:
        """What the heads of a model know of each kind of relation; None where sentences are missing yet."""
        return self._evidence.relations(model)

    def types(self, subject: Subject) -> tuple[str, ...]:
        """The names of all types that a head has. Raises `AskError`, `NotCaptured`."""
        return self.measured(subject).type_names(*_head(subject, "a type is that of a head"))

    def measured(self, subject: Subject) -> SentenceAnalysis | HeadsAcross:
        """The measures on the sentence that is named, or over all where none is."""
        return self.across(subject) if subject.sentence is None else self.analysis(subject)


def _across_sentences(
    analyses: Iterable[SentenceAnalysis], repeats: RepeatScores | None = None
) -> HeadsAcross:
    """The measures over sentences, those that say the same counted once; `repeats` as `Across` takes."""
    gathered, known = Across(), set[str]()
    for analysis in analyses:
        if analysis.key not in known:
            gathered.add(analysis)
        known.add(analysis.key)
    return gathered.result(repeats)


def recent(
    memory: OrderedDict[_At, _Evidence], at: _At, make: Callable[[], _Evidence], most: int
) -> _Evidence:
    """What is in a memory of few, or made now: then the one that came first goes."""
    if at not in memory:
        memory[at] = make()
        if len(memory) > most:
            memory.popitem(last=False)
    return memory[at]


def _word_tokens(text: str, tokens: Tokens, word: str, argument: str) -> list[int]:
    try:
        return find_word(text, tokens, word)
    except UserError as error:
        (problem,) = error.problems
        raise AskError(problem.reason, problem.mend, argument) from None


def _needed(evidence: _Evidence | None) -> _Evidence:
    if evidence is None:
        raise NotCaptured
    return evidence


def _weight(numbers: Numbers, ask: WeightOf) -> float:
    rows = numbers.queries(ask.subject, ask.query, "from")
    columns = numbers.keys(ask.subject, ask.key, "to")
    chosen = numbers.matrix(ask.subject)[np.ix_(rows, columns)]
    return float(chosen.sum(axis=1, dtype=np.float64).mean())


def _column_mass(numbers: Numbers, ask: ReceivedBy) -> float:
    columns = numbers.keys(ask.subject, ask.key, "word")
    return float(numbers.matrix(ask.subject)[:, columns].sum(axis=1, dtype=np.float64).mean())


def _measure(numbers: Numbers, ask: MeasureOf) -> float:
    head = _head(ask.subject, "a measure is that of a head")
    if ask.subject.sentence is not None and ask.which != "mean":
        reason = f"there is no {ask.which} of one sentence"
        raise AskError(reason, "leave `which` out, or name a head over every sentence", "which")
    known = [metric.name for metric in numbers.measures.metrics]
    numbers.page(ask.subject)
    if ask.measure not in known:
        raise AskError(f'there is no measure "{ask.measure}"', did_you_mean(ask.measure, known), "measure")
    measured = numbers.measured(ask.subject)
    values: Mapping[str, Float32] = measured.values
    if isinstance(measured, HeadsAcross) and ask.which != "mean":
        values = measured.lowest if ask.which == "lowest" else measured.highest
    return float(values[ask.measure][head])


def _type(numbers: Numbers, ask: TypeOf) -> str:
    return numbers.types(ask.subject)[0]


def _count(numbers: Numbers, ask: HeadsOfType) -> float:
    if ask.subject.layer is not None:
        raise AskError("heads are counted on a whole page", "name the page, without a head", "target")
    known_type(ask.type)
    return float(dict(numbers.measured(ask.subject).type_counts).get(ask.type, 0))


def _accuracy(numbers: Numbers, ask: AccuracyOf) -> float:
    subject = ask.subject
    numbers.page(subject)
    if subject.sentence is not None:
        head = "" if subject.layer is None or subject.head is None else "/L3H1"
        mend = f"write models/{subject.model}{head}"
        raise AskError("relations are scored over all sentences, and one is named", mend, "target")
    if subject.layer is not None and subject.head is None:
        raise AskError("the average of a layer is not probed", "name a head, or the model", "target")
    scores = numbers.relations(subject.model)
    known = numbers.kinds.get(subject.model) if scores is None else scores
    if known is not None and ask.relation not in known:
        reason = f'the sentences have no relation "{ask.relation}" for this model'
        raise AskError(reason, did_you_mean(ask.relation, known), "relation")
    score = _needed(scores)[ask.relation]
    if score.best is None or score.heads is None:
        raise AskError(f'"{ask.relation}" has no score', why_unscored(score), "relation")
    if subject.layer is None or subject.head is None:
        return score.best.accuracy.share
    return float(score.heads.shares[subject.layer, subject.head])


def known_type(name: str) -> None:
    """Raise `AskError` for a type of head that there is not."""
    known = [kind.name for kind in KINDS]
    if name not in known:
        raise AskError(f'there is no type of head "{name}"', did_you_mean(name, known), "type")


def _head(subject: Subject, reason: str) -> tuple[int, int]:
    if subject.layer is None or subject.head is None:
        raise AskError(f"{reason}, and none is named", "write model/sentence/L3H1", "target")
    return subject.layer, subject.head


ANSWERS: Mapping[type, Callable[[Numbers, Any], float | str]] = {
    WeightOf: _weight,
    ReceivedBy: _column_mass,
    MeasureOf: _measure,
    TypeOf: _type,
    HeadsOfType: _count,
    AccuracyOf: _accuracy,
}
