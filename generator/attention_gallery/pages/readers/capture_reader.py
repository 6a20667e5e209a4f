"""One model on one sentence, read once and shared by its explorer and all its head pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis import FlowViews, SentenceAnalysis
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import HeadDescriber
from attention_gallery.figures.encode import EncodedWeights, encode_heads
from attention_gallery.figures.heatmap import HeatmapTemplate
from attention_gallery.pages.contexts.shared import HeadShared, MetricRow, Neighbours, TextPart, TokenView
from attention_gallery.pages.contexts.shared import Pair as PairRow
from attention_gallery.pages.frame import PageFrame, model_card, provenance
from attention_gallery.pages.gallery import Gallery, Pair
from attention_gallery.pages.sections.measure_rows import pairs_of_heads, rows_of_heads
from attention_gallery.pages.sections.model_inputs import opened_segments, reading_gaps, texts_of
from attention_gallery.pages.sections.neighbours import Place, head_neighbours
from attention_gallery.pages.sections.sinks import heads_said
from attention_gallery.records import AttentionLayer, StoredAttention, Tokens

# Captures of at most so many weights (4 MiB) are kept whole while their pages are made.
_KEPT_WEIGHTS = 2**20


class PairView:
    """Lazily read facts of one pair. Holds one encoded layer at a time, and the weights of a short text."""

    def __init__(
        self, gallery: Gallery, pair: Pair, neighbours: Mapping[Place, Neighbours] | None = None
    ) -> None:
        """`neighbours` are those of all heads of the model, where the pair has a page for each."""
        self.gallery = gallery
        self.pair = pair
        if neighbours is not None:
            self.neighbours = neighbours
        self._encoded: tuple[int, list[EncodedWeights]] = (-1, [])
        self._layers: dict[int, AttentionLayer] = {}
        self._said_of_sinks: list[list[str]] | None = None

    @cached_property
    def attention(self) -> StoredAttention:
        """The captured weights."""
        return self.gallery.data.attention(self.pair)

    @cached_property
    def analysis(self) -> SentenceAnalysis:
        """The measures."""
        return self.gallery.data.analysis(self.pair)

    @cached_property
    def describer(self) -> HeadDescriber:
        """Words for every head."""
        return HeadDescriber(self.tokens, self.analysis, self.keys)

    @property
    def tokens(self) -> Tokens:
        """The tokens that look: those of the sentence, or of the target."""
        return self.attention.tokens

    @property
    def keys(self) -> Tokens:
        """The tokens that are looked at: the same, except in cross attention."""
        return self.attention.keys

    @cached_property
    def heatmap(self) -> HeatmapTemplate:
        """What the heatmaps of all heads share."""
        return HeatmapTemplate.of(self.tokens, self.pair.model.causal, self.keys)

    @cached_property
    def token_views(self) -> tuple[TokenView, ...]:
        """The tokens for the token strip."""
        return token_views(self.tokens)

    @cached_property
    def key_views(self) -> tuple[TokenView, ...]:
        """The tokens that are looked at for a strip of their own; none where they are those that look."""
        return () if self.keys is self.tokens else token_views(self.keys)

    @cached_property
    def token_strip(self) -> Markup:
        """The token strip, rendered once."""
        return self._strip(self.token_views)

    @cached_property
    def key_strip(self) -> Markup:
        """The strip of the tokens that are looked at, rendered once; empty where they are those that look."""
        return self._strip(self.key_views) if self.key_views else Markup("")

    def _strip(self, tokens: tuple[TokenView, ...]) -> Markup:
        html = self.gallery.renderer.render("partials/token_strip.html", tokens=tokens, lang=self.language)
        return Markup(html)

    @property
    def tokens_title(self) -> str:
        """What the strip of the tokens that look is called."""
        return "Target tokens" if self.pair.model.reads_target else "Tokens"

    @property
    def language(self) -> str:
        """The language of the text."""
        return self.pair.sentence.language or self.gallery.settings.language

    @cached_property
    def focus(self) -> int:
        """The token that is selected when a page opens."""
        tokens, model = self.tokens, self.pair.model
        offsets = None if tokens.offsets is None or model.reads_target else tokens.offsets.tolist()
        return wording.focus_token(self.pair.sentence, offsets, tokens.special.tolist(), model.causal)

    @property
    def reading_gaps(self) -> str:
        """What the model did not read of the text that is looked at, in words; "" where it read it all."""
        model = self.pair.model
        return reading_gaps(self.keys, self.attention.key_text, self.pair.sentence, model.facts.context)

    @property
    def texts(self) -> tuple[TextPart, ...]:
        """The texts of the sentence, with what the model did not read of them."""
        model, unread = self.pair.model, self.keys.unread
        if not model.reads_target:
            return texts_of(self.pair.sentence, unread)
        crossing = self.keys is not self.tokens
        return texts_of(self.pair.sentence, unread if crossing else (), self.tokens.unread)

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key]; those of a short text are read once for all pages."""
        found = self._layers.get(index)
        if found is None:
            found = self.attention.layer(index)
            if found.weights.size * self.analysis.layers <= _KEPT_WEIGHTS:
                self._layers[index] = found
        return found

    def weights(self, layer: int, head: int) -> EncodedWeights:
        """The weights of one head for its own page."""
        if self._encoded[0] != layer:
            weights = self.layer(layer).weights
            self._encoded = (layer, list(encode_heads(weights, self.pair.model.causal)))
        return self._encoded[1][head]

    @cached_property
    def neighbours(self) -> Mapping[Place, Neighbours]:
        """The ways from one head page to the next."""
        return head_neighbours(self.pair.heads, self.pair.model.routes)

    @cached_property
    def short_title(self) -> str:
        """The sentence's title, short enough for a browser's tab."""
        return wording.shortened(self.pair.sentence.title, 60)

    @cached_property
    def head_frame(self) -> PageFrame:
        """What surrounds every head page of this pair."""
        model, sentence = self.pair.model, self.pair.sentence
        crumbs = ((model.spec.title, routes.model(model.spec.slug)), (sentence.title, self.pair.route))
        origin = provenance(self.pair.provenance)
        return PageFrame.of(self.gallery, "head", self.pair.head_route(0, 0), crumbs, origin)

    @cached_property
    def _metric_rows(self) -> list[tuple[MetricRow, ...]]:
        return rows_of_heads(self.analysis)

    def metric_rows(self, layer: int, head: int) -> tuple[MetricRow, ...]:
        """Every measure of one head, as text."""
        return self._metric_rows[layer * self.analysis.heads + head]

    @property
    def views(self) -> FlowViews | None:
        """Where each token draws from, by several views; None where that failed, which the page then says."""
        sides, title = self.gallery.data.sides, f"“{self.short_title}” in {self.pair.model.spec.title}"
        return sides.take("other views of the flow", title, lambda: self._views, None)

    @cached_property
    def _views(self) -> FlowViews:
        return self.gallery.data.views(self.pair)

    @property
    def _sinks(self) -> list[list[str]]:
        views = self.views
        if self._said_of_sinks is None:
            self._said_of_sinks = [] if views is None else heads_said(views, self.analysis.kind)
        return self._said_of_sinks

    def sinks(self, layer: int, head: int) -> str:
        """What of one head rests on special and first tokens, in words; "" where lengths are not known."""
        sinks = self._sinks
        return sinks[layer][head] if sinks else ""

    @cached_property
    def _strongest(self) -> list[tuple[PairRow, ...]]:
        return pairs_of_heads(self.analysis, self.tokens.texts, self.keys.texts)

    def strongest(self, layer: int, head: int) -> tuple[PairRow, ...]:
        """The strongest pairs of one head."""
        return self._strongest[layer * self.analysis.heads + head]

    @cached_property
    def head_pages_share(self) -> HeadShared:
        """What all head pages of this pair share; links are relative to a head page."""
        route = self.pair.head_route(0, 0)
        sentence = self.pair.sentence
        return HeadShared(
            model=model_card(self.pair.model, route),
            sentence=Link(sentence.title, routes.href(route, routes.sentence(sentence.slug))),
            text=sentence.joined,
            language=self.language,
            tokens=self.token_views,
            tokens_title=self.tokens_title,
            token_strip=self.token_strip,
            key_strip=self.key_strip,
            explorer=routes.href(route, self.pair.route),
            precision=f"Every number in the text comes from {wording.stored_weights(self.pair.provenance)}; "
            "the picture holds them in 16 bits, right to 0.00001.",
            left_out=self.reading_gaps,
        )


def token_views(tokens: Tokens) -> tuple[TokenView, ...]:
    """Tokens as a theme shows them."""
    flags = zip(
        tokens.texts, tokens.special.tolist(), tokens.continues.tolist(), opened_segments(tokens), strict=True
    )
    return tuple(TokenView(index, *flag) for index, flag in enumerate(flags))
