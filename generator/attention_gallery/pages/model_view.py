"""One model over all its sentences, read once and shared by its page and the pages of its heads."""

from __future__ import annotations

from functools import cached_property

from attention_gallery.analysis import (
    KINDS,
    Across,
    HeadMap,
    HeadsAcross,
    Kind,
    SentenceAnalysis,
    heads_only,
)
from attention_gallery.analysis.repeats import RepeatScores
from attention_gallery.figures.thumbnail import data_uri, thumbnail
from attention_gallery.hashing import digest
from attention_gallery.pages import words
from attention_gallery.pages.gallery import Gallery, GalleryModel
from attention_gallery.pages.pieces import Thumbnail
from attention_gallery.pages.sinks import sinks_across
from attention_gallery.records import Float32, HeadType

# Beyond these a head's page only names sentences, so that it stays light.
PICTURED_SENTENCES = 12


class ModelView:
    """Lazily read facts of one model. Holds the pictures of one layer at a time."""

    def __init__(self, gallery: Gallery, model: GalleryModel) -> None:
        self.gallery = gallery
        self.model = model
        self.pairs = gallery.of_model(model)
        self.probe = gallery.probes.get(model.spec.slug)
        self._pictures: tuple[int, list[list[tuple[str, tuple[int, int]]]]] = (-1, [])

    @cached_property
    def inputs(self) -> str:
        """Digest of everything that is known of the model and its sentences."""
        pairs = [[pair.sentence.slug, pair.inputs, pair.heads] for pair in self.pairs]
        return digest([pairs, self.gallery.repeats.get(self.model.spec.slug)])

    @property
    def probe_inputs(self) -> str:
        """Digest of everything that the probe of the model depends on; empty where it has none."""
        return "" if self.probe is None else self.probe.inputs

    @cached_property
    def _gathered(self) -> tuple[HeadsAcross, dict[str, str], list[SentenceAnalysis]]:
        across = Across()
        lengths: dict[str, str] = {}
        kept = []
        for pair in self.pairs:
            analysis = self.gallery.data.analysis(pair)
            across.add(analysis)
            lengths[pair.key] = words.length(analysis.tokens, analysis.keys, analysis.kind == "cross")
            kept.append(heads_only(analysis))
        return across.result(), lengths, kept

    @property
    def across(self) -> HeadsAcross:
        """The measures of every head over all sentences."""
        return self._gathered[0]

    @cached_property
    def head_map(self) -> HeadMap | None:
        """Where the heads lie to each other, None where that is nowhere."""
        return self.gallery.data.head_map(self.pairs)

    @cached_property
    def sinks(self) -> tuple[Float32, Float32] | None:
        """What of each head rests on special and first tokens, raw and by lengths; None if not known."""
        return sinks_across(self.gallery.data.views(pair) for pair in self.pairs)

    @cached_property
    def repeats(self) -> RepeatScores | None:
        """The scores of every head on random tokens read twice, None where the model reads none."""
        key = self.gallery.repeats.get(self.model.spec.slug)
        return None if key is None else self.gallery.data.repeats(key)

    @property
    def lengths(self) -> dict[str, str]:
        """How many tokens each sentence has, in words, by capture key."""
        return self._gathered[1]

    def typed(self, sentence: int, layer: int, head: int) -> HeadType:
        """A head's type on the sentence with that index, with its evidence."""
        return self._gathered[2][sentence].head_type(layer, head)

    def kind(self, sentence: int, layer: int, head: int) -> Kind:
        """A head's type on the sentence with that index, without evidence."""
        return KINDS[self._codes[sentence][layer][head]]

    @cached_property
    def _codes(self) -> list[list[list[int]]]:
        return [analysis.types.tolist() for analysis in self._gathered[2]]

    def picture(self, sentence: int, layer: int, head: int, alt: str) -> Thumbnail:
        """A small picture of a head on one of the first sentences."""
        if self._pictures[0] != layer:
            self._pictures = (layer, [self._draw(index, layer) for index in range(self._pictured)])
        src, size = self._pictures[1][sentence][head]
        return Thumbnail(src, alt, *size)

    @property
    def _pictured(self) -> int:
        return min(PICTURED_SENTENCES, len(self.pairs))

    def _draw(self, index: int, layer: int) -> list[tuple[str, tuple[int, int]]]:
        weights = self.gallery.data.attention(self.pairs[index]).layer(layer).weights
        drawn = [thumbnail(weights[head]) for head in range(self.model.facts.heads)]
        return [(data_uri(png), size) for png, size in drawn]
