"""Relations on pages: which head is best at which, and how that is for the relations of one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from attention_gallery.analysis.probing.argmax_targets import UNREAD, Int16
from attention_gallery.analysis.probing.gold_relations import GoldSentence, Group, Relation
from attention_gallery.analysis.probing.probe import (
    BestHead,
    Lead,
    RelationScore,
    by_group,
)
from attention_gallery.evidence import wording
from attention_gallery.evidence.phrasing import why_unscored
from attention_gallery.figures.describe import isolated
from attention_gallery.manifest.settings import SentenceSpec
from attention_gallery.pages.contexts.relation_context import RelationGroup, RelationRow
from attention_gallery.pages.contexts.shared import GoldRow
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.records import head_name

_ABOUT: dict[Group, tuple[str, str]] = {
    "syntactic": (
        "Syntactic",
        "Grammar. In a treebank “from” is the dependent and “to” the word that it depends on.",
    ),
    "positional": (
        "Positional",
        "Neighbouring words, in every sentence. The fixed offset is right by definition.",
    ),
    "semantic": ("Semantic", "Meaning: two names of one thing, equals, opposites."),
    "entity": ("Entities", "Between people, places, organisations and what the text says of them."),
    "other": ("Other", "Kinds of relation that belong to none of the groups above."),
}
_UNPLACED = "This model’s tokenizer does not tell where its tokens stand."
_TOO_FEW = " There are too few examples to say which head knows this relation."
_NONE_STANDS_OUT = " No head is better at relations of this kind than guessing."
_CUT_OFF = "This model did not read so far."
_WAYS = ("from → to", "to → from")
_RESTS = "where this model rests what attention it has no use for: heads find it without knowing the relation"


def relation_groups(probe: ModelProbe, href: Callable[[HeadIndex], str]) -> tuple[RelationGroup, ...]:
    """A table for each group of relations that the sentences have."""
    return tuple(
        RelationGroup(group, *_ABOUT[group], tuple(relation_row(score, probe, href) for score in scores))
        for group, scores in by_group(probe.scores)
    )


def relation_row(score: RelationScore, probe: ModelProbe, href: Callable[[HeadIndex], str]) -> RelationRow:
    """One kind of relation: its best head, or the one that comes nearest, or why there is none."""
    best = score.best
    examples = f"{score.examples:,} in {wording.count(score.sentences, 'sentence')}"
    if parsed := score.parsed:
        examples += ", parsed" if parsed >= score.examples else f", {parsed:,} of them parsed"
    if best is None:
        return RelationRow(score.title, examples, reason=why_unscored(score), few=not score.impossible)
    head = (best.layer, best.head)
    direction = _WAYS[best.direction]
    visible = score.seen[best.direction]
    if probe.causal and visible < score.examples:
        direction += f", visible in {visible:,}"
    # Only a head that looks rests on the first word; one that is looked at does not.
    sunk = score.first_words if probe.sinking and best.direction == 0 else 0
    # To a neighbour a fixed offset is the relation itself, so that no head can lead it.
    lead, lead_interval = _lead(best.lead) if best.lead and score.group != "positional" else ("", "")
    return RelationRow(
        title=score.title,
        examples=examples,
        head=head_name(*head),
        href=href(head),
        direction=direction,
        accuracy=wording.hundredths(best.accuracy.share),
        interval=_interval(best.accuracy.low, best.accuracy.high),
        percent=round(100 * best.accuracy.share),
        baseline=wording.hundredths(best.baseline),
        offset=_offset(best.offset),
        scored=f"{best.accuracy.examples:,}",
        caution=_sunk(sunk),
        best=best.stands_out,
        right=f"{best.accuracy.right:,}",
        sentences=wording.count(best.accuracy.sentences, "sentence"),
        chance=wording.hundredths(best.chance),
        lead=lead,
        lead_interval=lead_interval,
    )


def _interval(low: float | None, high: float | None) -> str:
    """The ends of an interval of a share; "" where there is none."""
    return "" if low is None or high is None else f"{wording.hundredths(low)} to {wording.hundredths(high)}"


def _lead(lead: Lead) -> tuple[str, str]:
    """A lead in points, and how far it can be trusted: its interval, or how often which is ahead."""
    if lead.low is not None and lead.high is not None:
        return wording.points(lead.value), f"{wording.points(lead.low)} to {wording.points(lead.high)}"
    ahead = wording.count(lead.ahead, "sentence")
    return wording.points(lead.value), f"ahead in {ahead}, behind in {lead.behind:,}"


def _sunk(examples: int) -> str:
    """What is to be said of examples whose right word is the first token of a causal model."""
    if not examples:
        return ""
    return f"{examples:,} {'leads' if examples == 1 else 'lead'} to the first word"


def _offset(offset: int) -> str:
    return f"{wording.count(abs(offset), 'word')} {'on' if offset > 0 else 'back'}"


def gold_rows(
    sentence: SentenceSpec, probe: ModelProbe | None, href: Callable[[HeadIndex], str]
) -> tuple[GoldRow, ...]:
    """The relations of a sentence, each with how the best head of its kind does on it.

    `href` gives "" for heads without a page.
    """
    if probe is None or not probe.has_relations(sentence.slug):
        return ()
    return tuple(_gold_rows(sentence, probe, href))


def _gold_rows(
    sentence: SentenceSpec, probe: ModelProbe, href: Callable[[HeadIndex], str]
) -> Iterator[GoldRow]:
    text = sentence.joined
    gold, targets = probe.gold(sentence.slug)
    for relation in gold.relations:
        if relation.parser:
            continue  # too many to list, and not gold
        score = probe.by_kind.get(relation.kind)
        sides = (_unit_text(text, gold, relation.source), _unit_text(text, gold, relation.target))
        title = relation.kind if score is None else score.title
        if targets is None:
            yield GoldRow(*sides, title, verdict=_UNPLACED)
        # What was cut off is the same for every head: the first tells for all.
        elif score is None or UNREAD in targets[0, 0, 0, [relation.source, relation.target]]:
            yield GoldRow(*sides, title, verdict=_CUT_OFF)
        elif score.best is None or not score.best.stands_out:
            verdict = _counted(gold, targets, relation, probe.causal)
            verdict += _TOO_FEW if score.best is None else _NONE_STANDS_OUT
            yield GoldRow(*sides, title, verdict=verdict, caution=_resting(sides[1], gold, relation, probe))
        else:
            row = _judged((*sides, title), score.best, (text, gold, targets, relation), href)
            caution = _resting(sides[1], gold, relation, probe) if score.best.direction == 0 else ""
            yield row._replace(caution=caution)


def _judged(
    described: tuple[str, str, str],
    best: BestHead,
    seen: tuple[str, GoldSentence, Int16, Relation],
    href: Callable[[HeadIndex], str],
) -> GoldRow:
    text, gold, targets, relation = seen
    head = (best.layer, best.head)
    guess = int(targets[best.direction, best.layer, best.head, relation.source])
    right = guess in gold.units[relation.target]
    source = f"“{isolated(described[0])}”"
    target = f"“{isolated(text[slice(*gold.words[guess])])}”" if guess >= 0 else "no other word"
    verb = "looks most at" if best.direction == 0 else "is looked at most by"
    verdict = f"{source} {verb} {target}: {'right' if right else 'not right'}"
    return GoldRow(*described, head_name(*head), href(head), verdict, right)


def _resting(target: str, gold: GoldSentence, relation: Relation, probe: ModelProbe) -> str:
    """What is to be said of a relation whose right word, `target`, is the first token of a causal model."""
    if not probe.sinking or 0 not in gold.units[relation.target]:
        return ""
    return f"“{isolated(target)}” stands first in the text, {_RESTS}."


def _counted(gold: GoldSentence, targets: Int16, relation: Relation, causal: bool) -> str:
    """How many heads are right, where none is named for the kind."""
    target = gold.units[relation.target]
    # A phrase is found with any of its words.
    picked = targets[..., relation.source]
    counts = np.isin(picked, target).sum(axis=(1, 2)).tolist()
    total = wording.count(picked[0].size, "head")
    ways = (
        f"in {counts[0]} of {total} the first looks most at the second",
        f"in {counts[1]} of {total} it is the second that looks most at the first",
    )
    source = gold.units[relation.source]
    possible = [way for way, seen in zip(ways, _visible(source, target, causal), strict=True) if seen]
    ahead = (
        "" if len(possible) == len(ways) else "; the other way is ahead, where a causal model does not look"
    )
    verdict = ", ".join(possible)
    return f"{verdict[:1].upper()}{verdict[1:]}{ahead}."


def _visible(source: tuple[int, ...], target: tuple[int, ...], causal: bool) -> tuple[bool, bool]:
    """Whether the source can see the target, and the target the source."""
    return not causal or target[0] < source[-1], not causal or source[0] < target[-1]


def _unit_text(text: str, gold: GoldSentence, unit: int) -> str:
    chosen = gold.units[unit]
    return text[gold.words[chosen[0]][0] : gold.words[chosen[-1]][1]]
