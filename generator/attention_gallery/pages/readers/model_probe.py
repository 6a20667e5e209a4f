"""The probe of one model over all sentences that it reads: run once, when a page first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from attention_gallery.analysis import GoldSentence, RelationScore
from attention_gallery.analysis.probing.argmax_targets import Int16
from attention_gallery.analysis.probing.head_relations import HeadRelation, head_relations
from attention_gallery.analysis.probing.probe import Probe
from attention_gallery.hashing import digest as digest_of

ReadTargets = Callable[[str, GoldSentence], Int16 | None]


class ModelProbe:
    """What the heads of one model know of the relations of sentences.

    `sentences` come with the keys of their captures. `targets` reads the argmax targets of one capture,
    None where that cannot be told. `causal`: whether no word sees those after it. `sinking`: whether
    the first word is also the first token, on which a causal model rests what attention it has no use for.
    """

    def __init__(
        self,
        sentences: tuple[tuple[GoldSentence, str], ...],
        causal: bool,
        targets: ReadTargets,
        sinking: bool = False,
    ) -> None:
        self._sentences = sentences
        self.causal = causal
        self.sinking = sinking
        self._targets = targets

    @classmethod
    def empty(cls) -> ModelProbe:
        """The probe of a model that reads other texts than the sentences."""
        return cls((), False, lambda key, gold: None)

    @cached_property
    def digest(self) -> str:
        """Digest of everything that the scores depend on."""
        # What heads look at follows from the captures and the words.
        return digest_of([self.sinking, [[key, *_identity(gold)] for gold, key in self._sentences]])

    @cached_property
    def _probe(self) -> Probe:
        probe = Probe(self.causal)
        for gold, key in self._sentences:
            targets = self._targets(key, gold)
            if targets is not None:
                probe.add(gold, targets)
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
        # Named beside what rests on them: their relations are no gold.
        parsers = (edge.parser for gold, _ in self._sentences for edge in gold.relations if edge.parser)
        return tuple(dict.fromkeys(parsers))

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

    def gold(self, slug: str) -> tuple[GoldSentence, Int16 | None]:
        """A sentence with its relations, and the argmax targets there. Raises `KeyError` for one not read."""
        gold, key = self._by_slug[slug]
        return gold, self._targets(key, gold)

    def has_relations(self, slug: str) -> bool:
        """Whether it was probed on a sentence for relations that somebody named."""
        read = self._by_slug.get(slug)
        return read is not None and bool(read[0].relations)

    @cached_property
    def _by_slug(self) -> dict[str, tuple[GoldSentence, str]]:
        return {gold.slug: (gold, key) for gold, key in self._sentences}


def _identity(gold: GoldSentence) -> tuple[object, ...]:
    relations = [(edge.kind, edge.source, edge.target, edge.parser) for edge in gold.relations]
    return gold.slug, gold.text, gold.words, gold.units, relations
