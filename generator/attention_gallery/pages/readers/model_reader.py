"""One model over all its sentences, read once and shared by its page and the pages of its heads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention_gallery.analysis import KINDS, Across, HeadsAcross, SentenceAnalysis
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.analysis.measures.head_types import Kind
from attention_gallery.analysis.measures.sentence_analysis import clearest_sentences, heads_only
from attention_gallery.evidence import wording
from attention_gallery.figures.thumbnail import data_uri, thumbnail, thumbnail_size
from attention_gallery.pages.contexts.shared import Thumbnail
from attention_gallery.pages.gallery import Capture, GalleryData, GalleryModel, Site
from attention_gallery.pages.readers.measured import Measured, all_measured
from attention_gallery.pages.sections.measure_rows import definitions
from attention_gallery.records import Float32, HeadType, StoredAttention

# Beyond these a head's page only names sentences, so that it stays light.
PICTURED_SENTENCES = 12
# Captures that stay open while pictures are drawn: layer after layer asks for the same ones again.
_OPEN = 256
# Pixels a side of the pictures in the atlas, of which there is one for every head.
SMALL = 40


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures of the heads of one layer: large ones by (sentence, head), a small one for each head."""

    layer: int
    large: dict[tuple[int, int], tuple[str, tuple[int, int]]]
    small: dict[int, bytes]


class ModelReader:
    """Lazily read facts of one model. Holds the pictures of one layer at a time."""

    def __init__(
        self,
        site: Site,
        data: GalleryData,
        model: GalleryModel,
        captures: tuple[Capture, ...],
        repeats: RepeatScores | None,
    ) -> None:
        """`repeats` are the scores of every head on random tokens, None where there are none."""
        self.model = model
        self.captures = captures
        self.repeats = repeats
        self._site = site
        self._data = data
        self._pictures = _Pictures(-1, {}, {})
        self._open: dict[int, StoredAttention] = {}

    @cached_property
    def distinct(self) -> tuple[int, ...]:
        """Indices of the sentences, without those that say what an earlier one says: they are no further
        evidence."""
        # Backwards, so that the first of equal ones is the one that stays.
        first = {capture.key: index for index, capture in reversed(list(enumerate(self.captures)))}
        return tuple(sorted(first.values()))

    @cached_property
    def _gathered(self) -> tuple[HeadsAcross, dict[str, str], list[SentenceAnalysis]]:
        across = Across()
        lengths: dict[str, str] = {}
        analyses = []
        for index, capture in enumerate(self.captures):
            analysis = self._data.measured(capture.key)
            if index in self.distinct:
                across.add(analysis)
            lengths[capture.key] = wording.length(analysis.tokens, analysis.keys, analysis.kind == "cross")
            # All sentences are held at once, but for what only their own pages show.
            analyses.append(heads_only(analysis))
        return across.result(self.repeats), lengths, analyses

    @property
    def across(self) -> HeadsAcross:
        """The measures of every head over all sentences."""
        return self._gathered[0]

    @cached_property
    def measured(self) -> tuple[Measured, ...]:
        """All that is measured of every head."""
        return tuple(all_measured(self.across, self.repeats))

    @property
    def definitions(self) -> tuple[tuple[str, str, str], ...]:
        """What the measures are: title, meaning and source of each."""
        return definitions(measured.metric for measured in self.measured)

    @property
    def lengths(self) -> dict[str, str]:
        """How many tokens each sentence has, in words, by capture key."""
        return self._gathered[1]

    def language(self, sentence: int) -> str:
        """The language of the sentence with that index."""
        return self.captures[sentence].sentence.language or self._site.info.language

    def typed(self, sentence: int, layer: int, head: int) -> HeadType:
        """A head's type on the sentence with that index, with its evidence."""
        return self._gathered[2][sentence].head_type(layer, head)

    def kind(self, sentence: int, layer: int, head: int) -> Kind:
        """A head's type on the sentence with that index, without evidence."""
        return KINDS[self._codes[sentence][layer][head]]

    @cached_property
    def _codes(self) -> list[list[list[int]]]:
        return [analysis.types.tolist() for analysis in self._gathered[2]]

    @cached_property
    def values(self) -> Float32:
        """Every measure of every head on every sentence: float32[sentence, measure, layer, head]."""
        return np.stack([[metric.values for metric in analysis.metrics] for analysis in self._gathered[2]])

    @cached_property
    def clearest(self) -> list[list[list[int]]]:
        """Indices of the sentences, the one that shows a head best first: [layer][head][sentence]."""
        # Lists, since pages ask for one head after another.
        order: list[list[list[int]]] = clearest_sentences(self.across.types, self._gathered[2]).tolist()
        return order

    def picture(self, sentence: int, layer: int, head: int, alt: str) -> Thumbnail:
        """A picture of a head on one of the sentences that show it best."""
        src, size = self._drawn(layer).large[sentence, head]
        return Thumbnail(src, alt, *size)

    def small_picture(self, layer: int, head: int) -> bytes:
        """A PNG of a head on the sentence that shows it best."""
        return self._drawn(layer).small[head]

    def small_size(self, sentence: int) -> tuple[int, int]:
        """Width and height of the small pictures of a sentence."""
        analysis = self._gathered[2][sentence]
        return thumbnail_size(analysis.tokens, analysis.keys, SMALL)

    def _attention(self, sentence: int) -> StoredAttention:
        attention = self._open.get(sentence) or self._data.entry(self.captures[sentence].key)
        if len(self._open) < _OPEN:
            self._open[sentence] = attention
        return attention

    def _drawn(self, layer: int) -> _Pictures:
        if self._pictures.layer != layer:
            self._pictures = self._draw(layer)
        return self._pictures

    def _draw(self, layer: int) -> _Pictures:
        drawn = _Pictures(layer, {}, {})
        heads_on: dict[int, list[int]] = {}
        for head, order in enumerate(self.clearest[layer]):
            for sentence in order[:PICTURED_SENTENCES]:
                heads_on.setdefault(sentence, []).append(head)
        # Sentence by sentence: a layer is read once, for all heads that have a picture of it.
        for sentence, heads in sorted(heads_on.items()):
            weights = self._attention(sentence).layer(layer).weights
            for head in heads:
                png, size = thumbnail(weights[head])
                drawn.large[sentence, head] = (data_uri(png), size)
                if self.clearest[layer][head][0] == sentence:
                    drawn.small[head] = thumbnail(weights[head], SMALL)[0]
        return drawn
