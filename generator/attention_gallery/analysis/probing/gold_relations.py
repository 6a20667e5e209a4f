"""Gold relations of a sentence between its words, and the group that each kind of relation belongs to."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from attention_gallery.manifest.blocks.word_spans import span_of
from attention_gallery.manifest.settings import ParsedRelation, SentenceSpec
from attention_gallery.records import Bool
from attention_gallery.texts.words import Span

Group = Literal["syntactic", "positional", "semantic", "entity", "other"]
GROUPS: tuple[Group, ...] = get_args(Group)

# The labels of spaCy's English pipelines that Universal Dependencies does not have (ClearNLP's scheme).
_CLEAR = (
    "acomp agent attr auxpass csubjpass dative dobj intj meta neg npadvmod nsubjpass oprd pcomp pobj poss "
    "preconj predet prep prt quantmod relcl"
)
# Nivre et al. 2020, Universal Dependencies v2, without root and punct, which heads are not asked for.
_UNIVERSAL = (
    "acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse dislocated "
    "expl fixed flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis reparandum vocative "
    "xcomp"
)
KINDS_OF_GROUP: dict[Group, tuple[str, ...]] = {
    "syntactic": (*_UNIVERSAL.split(), *_CLEAR.split(), "agreement", "negation", "object", "subject"),
    "positional": ("next word", "previous word"),
    "semantic": ("antonym", "coreference", "hypernym", "hyponym", "meronym", "sense", "synonym"),
    "entity": ("entity",),
    "other": (),
}
_GROUP = {kind: group for group, kinds in KINDS_OF_GROUP.items() for kind in kinds}


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation: its kind, and the indices of its two sides in `GoldSentence.units`.

    `parser` is what found it, "" for one that is gold.
    """

    kind: str
    source: int
    target: int
    parser: str = ""


@dataclass(frozen=True, slots=True)
class GoldSentence:
    """The words of a sentence and what holds between them.

    words: half-open code-point ranges of the text, in order. units: what a relation can begin or end at, as
    indices of words: each word by itself first, then the phrases that are sides of relations. text: what the
    sentence says, which sentences of several slugs may have in common.
    """

    slug: str
    words: tuple[Span, ...]
    units: tuple[tuple[int, ...], ...]
    relations: tuple[Relation, ...]
    text: str

    def members(self) -> Bool:
        """Which words each unit consists of: bool[unit, word]."""
        members = np.zeros((len(self.units), len(self.words)), bool)
        for row, words in enumerate(self.units):
            members[row, list(words)] = True
        return members

    def span(self, unit: int) -> tuple[Span, ...]:
        """The words of a unit, by where they stand in the text."""
        return tuple(self.words[word] for word in self.units[unit])


def text_key(text: str) -> str:
    """What texts have in common that are one and the same evidence, whatever their slugs.

    Compatibility forms (NFKC), case, and how much blank space stands between words make no difference.
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def group_of(kind: str) -> Group:
    """The group of a kind: the one that it names itself (`entity/employer`), or else the one listed."""
    first, slash, _ = kind.partition("/")
    named = first.strip().casefold()
    if slash and named in GROUPS:
        return named
    return _GROUP.get(kind.strip().casefold(), "other")


def kind_title(kind: str) -> str:
    """A kind as readers see it, without the group that it names."""
    first, slash, rest = kind.partition("/")
    return rest.strip() if slash and rest.strip() and first.strip().casefold() in GROUPS else kind.strip()


def gold_of(sentence: SentenceSpec) -> GoldSentence:
    """The words and relations of a sentence of the manifest, which was checked.

    A relation whose side holds no word is left out.
    """
    text, words = sentence.joined, sentence.word_spans()
    # Words first: the number of a word is that of its unit.
    units: dict[tuple[int, ...], int] = {(index,): index for index in range(len(words))}
    # To be bisected: a parse has a relation for nearly every word.
    edges = [start for start, _ in words], [end for _, end in words]
    relations = []
    for relation in sentence.relations:
        sides = [_inside(edges, span_of(side, text)) for side in (relation.from_, relation.to)]
        if all(sides):
            source, target = (units.setdefault(side, len(units)) for side in sides)
            parser = relation.parser if isinstance(relation, ParsedRelation) else ""
            relations.append(Relation(relation.kind, source, target, parser))
    return GoldSentence(sentence.slug, words, tuple(units), tuple(relations), text)


def _inside(edges: tuple[list[int], list[int]], span: Span) -> tuple[int, ...]:
    """The words that share a character with a range; `edges` are where words begin and end, in order."""
    starts, ends = edges
    return tuple(range(bisect_right(ends, span[0]), bisect_left(starts, span[1])))
