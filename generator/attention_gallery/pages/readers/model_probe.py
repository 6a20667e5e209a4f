"""The probe of one model over all sentences that it reads: run once, when a page first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from attention_gallery.analysis import GoldSentence, HeadRelation, Probe, RelationScore, head_relations
from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.hashing import digest

Looks = Callable[[str, GoldSentence], Int16 | None]


class ModelProbe:
    """What the heads of one model know of the relations of sentences.

    `asked` are the sentences with the keys of their captures. `looks` reads what the heads of one capture
    look at, None where that cannot be told. `causal`: whether no word sees those after it. `sinking`: whether
    the first word is also the first token, on which a causal model rests what attention it has no use for.
    """

    def __init__(
        self,
        asked: tuple[tuple[GoldSentence, str], ...],
        causal: bool,
        looks: Looks,
        sinking: bool = False,
    ) -> None:
        self._asked = asked
        self.causal = causal
        self.sinking = sinking
        self._looks = looks

    @classmethod
    def empty(cls) -> ModelProbe:
        """The probe of a model that reads other texts than the sentences."""
        return cls((), False, lambda key, gold: None)

    @cached_property
    def inputs(self) -> str:
        """Digest of everything that the scores depend on."""
        return digest([self.sinking, [[key, *_told(gold)] for gold, key in self._asked]])

    @cached_property
    def _probe(self) -> Probe:
        probe = Probe(self.causal)
        for gold, key in self._asked:
            looks = self._looks(key, gold)
            if looks is not None:
                probe.add(gold, looks)
        return probe

    def run(self) -> None:
        """Work everything out that pages may ask for, so that what fails fails here."""
        _ = self.scores, self.by_head, self.tested, self.parsers

    @cached_property
    def scores(self) -> tuple[RelationScore, ...]:
        """The score of every kind of relation, by group, the most frequent first."""
        return self._probe.result()

    @cached_property
    def by_head(self) -> dict[tuple[int, int], HeadRelation]:
        """The relation that each head follows best, for the heads that follow any better than guessing."""
        return head_relations(self._probe)

    @cached_property
    def tested(self) -> int:
        """For how many kinds of relation heads were asked whether they are better than guessing."""
        return sum(score.best is not None for score in self.scores)

    @cached_property
    def parsers(self) -> tuple[str, ...]:
        """The parsers that found relations."""
        found = (one.parser for gold, _ in self._asked for one in gold.relations if one.parser)
        return tuple(dict.fromkeys(found))

    @cached_property
    def by_kind(self) -> dict[str, RelationScore]:
        """The scores by kind of relation."""
        return {score.kind: score for score in self.scores}

    def best_at(self, layer: int, head: int) -> tuple[RelationScore, ...]:
        """The relations at which a head is the best of all, and better than guessing."""
        return tuple(
            score
            for score in self.scores
            if score.best is not None
            and score.best.stands_out
            and (score.best.layer, score.best.head) == (layer, head)
        )

    def gold(self, slug: str) -> tuple[GoldSentence, Int16 | None] | None:
        """A sentence with its relations and what the heads look at there; None where it was not read."""
        found = self._by_slug.get(slug)
        return None if found is None else (found[0], self._looks(found[1], found[0]))

    @cached_property
    def _by_slug(self) -> dict[str, tuple[GoldSentence, str]]:
        return {gold.slug: (gold, key) for gold, key in self._asked}


def _told(gold: GoldSentence) -> tuple[object, ...]:
    relations = [(one.kind, one.source, one.target, one.parser) for one in gold.relations]
    return gold.slug, gold.text, gold.words, gold.units, relations
