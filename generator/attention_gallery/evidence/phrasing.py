"""What a question of a note asks, in words: `“it” → “cat” in L3H1 of MiniLM on “The tired cat”`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from attention_gallery.analysis import BUILT_IN, KINDS, MeasureSet
from attention_gallery.analysis.probing.gold_relations import kind_title
from attention_gallery.analysis.probing.probe import LEAST_EXAMPLES, LEAST_SENTENCES, RelationScore
from attention_gallery.evidence import wording
from attention_gallery.evidence.link_map import LinkMap
from attention_gallery.figures.describe import decimal, isolated, ordinal
from attention_gallery.manifest.blocks.word_spans import occurrences
from attention_gallery.notes.questions.asks import (
    AccuracyOf,
    HeadsOfType,
    MeasureOf,
    ReceivedBy,
    Subject,
    TypeOf,
    ValueAsk,
    WeightOf,
)
from attention_gallery.records import head_name

_TITLES = {kind.name: kind.title for kind in KINDS}


def question(ask: ValueAsk, links: LinkMap, texts: Mapping[str, str], measures: MeasureSet = BUILT_IN) -> str:
    """The question in words; its subject is known to the gallery. `texts` are those of the sentences."""
    where = whereabouts(ask.subject, links)
    text = texts.get(ask.subject.sentence or "", "")
    match ask:
        case WeightOf():
            return f"{quoted(ask.query, text)} → {quoted(ask.key, text)} in {where}"
        case ReceivedBy():
            return f"what {quoted(ask.key, text)} receives in {where}"
        case MeasureOf():
            which = "" if ask.which == "mean" else f", {ask.which}"
            return f"{wording.uncapitalised(measures.named(ask.measure).title)} of {where}{which}"
        case HeadsOfType():
            return f"heads of type “{type_title(ask.type)}” in {page_name(ask.subject, links)}"
        case AccuracyOf():
            model = isolated(links.models[ask.subject.model][0])
            head = "the chosen head"
            if ask.subject.layer is not None and ask.subject.head is not None:
                head = head_name(ask.subject.layer, ask.subject.head)
            return f"how often {head} of {model} is right about {isolated(kind_title(ask.relation))}"
        case TypeOf():
            return f"type of {where}"


def quoted(word: str, text: str) -> str:
    """A word of a text as readers see it: `the#2` is “the” (2nd), `#5` is token 5."""
    numbered = re.fullmatch(r"(.*)#(\d+)", word, re.S)
    if numbered is None or occurrences(text, word):
        return f"“{isolated(word)}”"
    if not numbered[1]:
        return f"token {numbered[2]}"
    return f"“{isolated(numbered[1])}” ({ordinal(int(numbered[2]))})"


def whereabouts(subject: Subject, links: LinkMap) -> str:
    """`L3H1 of MiniLM on “The tired cat”`, or an average of heads there."""
    page = page_name(subject, links)
    if subject.layer is None:
        return page if subject.sentence is None else f"{page}, all heads averaged"
    if subject.head is None:
        return f"layer {subject.layer} of {page}, heads averaged"
    return f"{head_name(subject.layer, subject.head)} of {page}"


def page_name(subject: Subject, links: LinkMap) -> str:
    """`MiniLM on “The tired cat”`, or `MiniLM over every sentence`."""
    model = isolated(links.models[subject.model][0])
    if subject.sentence is None:
        return f"{model} over every sentence"
    return f"{model} on “{isolated(wording.shortened(links.sentences[subject.sentence], 60))}”"


def type_title(name: str) -> str:
    """The title of a type of head."""
    return _TITLES.get(name, name)


def number(ask: object, value: float, decimals: int | None = None, measures: MeasureSet = BUILT_IN) -> str:
    """A number as pages print it: a count whole, a measure in its unit, a share with two decimals."""
    if isinstance(ask, HeadsOfType):
        return str(round(value))
    if math.isnan(value):
        return wording.UNDEFINED
    if decimals is not None:
        least = 10.0**-decimals
        return f"< {least:.{decimals}f}" if 0 < value < least else f"{value:.{decimals}f}"
    if isinstance(ask, MeasureOf):
        return wording.measure(value, measures.named(ask.measure).unit)
    return decimal(value)


def why_unscored(score: RelationScore) -> str:
    """Why no head is named for a kind of relation."""
    if score.impossible:
        return "Impossible: the right word always comes later, and a causal model does not look ahead."
    return (
        f"Too few to score: {score.chosen_on} to choose a head on and {score.scored_on} to score it on; "
        f"{LEAST_EXAMPLES} of each, in {LEAST_SENTENCES} sentences, are the least."
    )
