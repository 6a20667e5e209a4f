"""One model over all its sentences, read once and shared by its page and the pages of its heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from attention_gallery.analysis import (
    KINDS,
    Across,
    HeadMap,
    HeadsAcross,
    Kind,
    SentenceAnalysis,
    clearest_sentences,
    heads_only,
)
from attention_gallery.analysis.experiments.repeated_tokens import RepeatScores
from attention_gallery.evidence import wording
from attention_gallery.figures.thumbnail import data_uri, thumbnail, thumbnail_size
from attention_gallery.hashing import digest
from attention_gallery.pages.contexts.shared import Thumbnail
from attention_gallery.pages.frame import model_inputs
from attention_gallery.pages.gallery import Gallery, GalleryModel
from attention_gallery.pages.readers.measured import Measured, all_measured
from attention_gallery.pages.readers.model_probe import ModelProbe
from attention_gallery.pages.sections.measure_rows import definitions
from attention_gallery.pages.sections.neighbours import Place
from attention_gallery.pages.sections.sinks import sinks_across
from attention_gallery.records import Float32, HeadType, StoredAttention, head_name

_Made = TypeVar("_Made")
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


class ModelView:
    """Lazily read facts of one model. Holds the pictures of one layer at a time."""

    def __init__(self, gallery: Gallery, model: GalleryModel) -> None:
        self.gallery = gallery
        self.model = model
        self.pairs = gallery.of_model(model)
        self._pictures = _Pictures(-1, {}, {})
        self._open: dict[int, StoredAttention] = {}
        self._measured: tuple[Measured, ...] | None = None

    @cached_property
    def inputs(self) -> str:
        """Digest of everything that is known of the model and its sentences."""
        pairs = [[pair.sentence.slug, pair.inputs, pair.heads] for pair in self.pairs]
        return digest([model_inputs(self.model), pairs, self.gallery.repeats.get(self.model.spec.slug)])

    @property
    def probe_inputs(self) -> str:
        """Digest of everything that the probe of the model depends on; empty where it has none."""
        probe = self.gallery.probes.get(self.model.spec.slug)
        return "" if probe is None else probe.inputs

    @cached_property
    def distinct(self) -> tuple[int, ...]:
        """Indices of the sentences, without those that say what an earlier one says: they are no further
        evidence."""
        first = {pair.key: index for index, pair in reversed(list(enumerate(self.pairs)))}
        return tuple(sorted(first.values()))

    @cached_property
    def _gathered(self) -> tuple[HeadsAcross, dict[str, str], list[SentenceAnalysis]]:
        across = Across()
        lengths: dict[str, str] = {}
        kept = []
        for index, pair in enumerate(self.pairs):
            analysis = self.gallery.data.analysis(pair)
            if index in self.distinct:
                across.add(analysis)
            lengths[pair.key] = wording.length(analysis.tokens, analysis.keys, analysis.kind == "cross")
            kept.append(heads_only(analysis))
        return across.result(self.repeats), lengths, kept

    @property
    def across(self) -> HeadsAcross:
        """The measures of every head over all sentences."""
        return self._gathered[0]

    def _take(self, analysis: str, work: Callable[[], _Made]) -> _Made | None:
        """What comes of a side analysis of the model; None where it failed, which the page then says."""
        sides, spec = self.gallery.data.sides, self.model.spec
        return sides.take(analysis, spec.title, lambda: sides.once(f"{analysis} {spec.slug}", work), None)

    @property
    def probe(self) -> ModelProbe | None:
        """What its heads know of relations; None for a model that reads a target, or where that failed."""
        return self._take("probes of relations", lambda: self._probe)

    @cached_property
    def _probe(self) -> ModelProbe | None:
        probe = self.gallery.probes.get(self.model.spec.slug)
        if probe is not None:
            probe.run()
        return probe

    @property
    def head_map(self) -> HeadMap | None:
        """Where the heads lie to each other, None where that is nowhere, or not known."""
        return self._take("the map and the distances of heads", lambda: self._map)

    @cached_property
    def _map(self) -> HeadMap | None:
        return self.gallery.data.head_map(self.pairs)

    @property
    def sinks(self) -> tuple[Float32, Float32] | None:
        """What of each head rests on special and first tokens, raw and by lengths; None if not known."""
        return self._take("the lengths of what heads take", lambda: self._sinks)

    @cached_property
    def _sinks(self) -> tuple[Float32, Float32] | None:
        return sinks_across(self.gallery.data.views(self.pairs[index]) for index in self.distinct)

    @property
    def repeats(self) -> RepeatScores | None:
        """The scores of every head on random tokens read twice, None where there are none."""
        return self._take("scores on random tokens", lambda: self._repeats)

    @cached_property
    def _repeats(self) -> RepeatScores | None:
        key = self.gallery.repeats.get(self.model.spec.slug)
        return None if key is None else self.gallery.data.repeats(key)

    @property
    def measured(self) -> tuple[Measured, ...]:
        """All that is measured of every head."""
        # Asked for whatever is known already, so that each page says of the scores what it lacks.
        repeats = self.repeats
        if self._measured is None:
            self._measured = tuple(all_measured(self.across, repeats))
        return self._measured

    @property
    def definitions(self) -> tuple[tuple[str, str, str], ...]:
        """What the measures are: title, meaning and source of each."""
        return definitions(one.metric for one in self.measured)

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

    @cached_property
    def values(self) -> Float32:
        """Every measure of every head on every sentence: float32[sentence, measure, layer, head]."""
        return np.stack([[metric.values for metric in one.metrics] for one in self._gathered[2]])

    @cached_property
    def clearest(self) -> list[list[list[int]]]:
        """Indices of the sentences, the one that shows a head best first: [layer][head][sentence]."""
        found: list[list[list[int]]] = clearest_sentences(self.across.types, self._gathered[2]).tolist()
        return found

    def target(self, sentence: int, place: Place) -> str:
        """The route of a head on a sentence: its own page, or the explorer with the head selected."""
        pair = self.pairs[sentence]
        if pair.heads is self.model.places or place in pair.heads:
            return pair.head_route(*place)
        return f"{pair.route}#head={head_name(*place)}"

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
        found = self._open.get(sentence) or self.gallery.data.attention(self.pairs[sentence])
        if len(self._open) < _OPEN:
            self._open[sentence] = found
        return found

    def _drawn(self, layer: int) -> _Pictures:
        if self._pictures.layer != layer:
            self._pictures = self._draw(layer)
        return self._pictures

    def _draw(self, layer: int) -> _Pictures:
        drawn = _Pictures(layer, {}, {})
        wanted: dict[int, list[int]] = {}
        for head, order in enumerate(self.clearest[layer]):
            for sentence in order[:PICTURED_SENTENCES]:
                wanted.setdefault(sentence, []).append(head)
        for sentence, heads in sorted(wanted.items()):
            weights = self._attention(sentence).layer(layer).weights
            for head in heads:
                png, size = thumbnail(weights[head])
                drawn.large[sentence, head] = (data_uri(png), size)
                if self.clearest[layer][head][0] == sentence:
                    drawn.small[head] = thumbnail(weights[head], SMALL)[0]
        return drawn
