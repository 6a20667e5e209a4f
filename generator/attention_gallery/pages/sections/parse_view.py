"""What a parser found in a sentence, as pages tell it: apart from what its author knows."""

from __future__ import annotations

from dataclasses import dataclass

from attention_gallery.evidence import wording
from attention_gallery.hashing import digest as digest_of
from attention_gallery.manifest.settings import ParsedRelation


@dataclass(frozen=True, slots=True)
class ParseView:
    """What a parser found in a sentence: relations (from, to, kind) and entities (text, label).

    None of it is gold: `parser` names what made it. `found` tells how much: "12 relations, 1 entity".
    """

    parser: str
    found: str
    relations: tuple[tuple[str, str, str], ...]
    entities: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SentenceParse:
    """The relations and the entities (text, label) that `parser` found, gold relations left out."""

    parser: str
    relations: tuple[ParsedRelation, ...]
    entities: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """Digest of all of it."""
        relations = [edge.model_dump(mode="json") for edge in self.relations]
        return digest_of([self.parser, relations, self.entities])

    @property
    def _counts(self) -> str:
        relations = wording.count(len(self.relations), "relation")
        count = len(self.entities)
        return f"{relations}, {count} {'entity' if count == 1 else 'entities'}" if count else relations

    def view(self, text: str) -> ParseView:
        """The parse of a sentence whose text this is."""
        return ParseView(
            parser=self.parser,
            found=self._counts,
            relations=tuple(
                (wording.side(text, edge.from_), wording.side(text, edge.to), edge.kind)
                for edge in self.relations
            ),
            entities=self.entities,
        )
