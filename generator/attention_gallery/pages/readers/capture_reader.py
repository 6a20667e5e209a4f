"""One model on one sentence, read once and shared by its explorer and all its head pages."""

from __future__ import annotations

from functools import cached_property

from markupsafe import Markup

from attention_gallery.addresses import routes
from attention_gallery.addresses.link import Link
from attention_gallery.analysis import SentenceAnalysis
from attention_gallery.evidence import wording
from attention_gallery.figures.describe import HeadDescriber
from attention_gallery.figures.encode import EncodedWeights, encode_heads
from attention_gallery.figures.heatmap import HeatmapTemplate
from attention_gallery.pages.contexts.shared import HeadShared, MetricRow, PageInfo, Pair, TextPart, TokenView
from attention_gallery.pages.frame import model_card, page_info, provenance
from attention_gallery.pages.gallery import Capture, GalleryData, Site
from attention_gallery.pages.neighbours import HeadIndex
from attention_gallery.pages.sections.measure_rows import pairs_of_heads, rows_of_heads
from attention_gallery.pages.sections.model_inputs import opened_segments, reading_gaps, texts_of
from attention_gallery.records import AttentionLayer, StoredAttention, Tokens

# Captures of at most so many weights (4 MiB) stay in memory while their pages are made.
_HELD_WEIGHTS = 2**20


class CaptureReader:
    """Lazily read facts of one capture. Holds one encoded layer, and all weights of a short text."""

    def __init__(self, site: Site, data: GalleryData, capture: Capture) -> None:
        self.capture = capture
        self._site = site
        self._data = data
        self._encoded: tuple[int, list[EncodedWeights]] = (-1, [])
        self._layers: dict[int, AttentionLayer] = {}

    @cached_property
    def attention(self) -> StoredAttention:
        """The captured weights."""
        return self._data.entry(self.capture.key)

    @cached_property
    def analysis(self) -> SentenceAnalysis:
        """The measures."""
        return self._data.measured(self.capture.key)

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
        return HeatmapTemplate.from_tokens(self.tokens, self.capture.model.causal, self.keys)

    @cached_property
    def token_views(self) -> tuple[TokenView, ...]:
        """The tokens for the token strip."""
        return token_views(self.tokens)

    @cached_property
    def key_views(self) -> tuple[TokenView, ...]:
        """The tokens that are looked at for a strip of their own; none where they are those that look."""
        return () if self.keys is self.tokens else token_views(self.keys)

    def _strip(self, tokens: tuple[TokenView, ...]) -> Markup:
        return Markup(
            self._site.renderer.render("partials/token_strip.html", tokens=tokens, lang=self.language)
        )

    @property
    def tokens_title(self) -> str:
        """What the strip of the tokens that look is called."""
        return "Target tokens" if self.capture.model.reads_target else "Tokens"

    @property
    def language(self) -> str:
        """The language of the text."""
        return self.capture.sentence.language or self._site.info.language

    @cached_property
    def focus(self) -> int:
        """The token that is selected when a page opens."""
        tokens, model = self.tokens, self.capture.model
        offsets = None if tokens.offsets is None or model.reads_target else tokens.offsets.tolist()
        return wording.focus_token(self.capture.sentence, offsets, tokens.special.tolist(), model.causal)

    def opening_head(self, noted: tuple[int, int] | None) -> tuple[int, int]:
        """The head that a page opens on: the one that notes speak of, else one that tells of the focus."""
        return noted or self.analysis.opening_head(self.focus)

    @property
    def reading_gaps(self) -> str:
        """What the model did not read of the text that is looked at, in words; "" where it read it all."""
        context = self.capture.model.facts.context
        return reading_gaps(self.keys, self.attention.key_text, self.capture.sentence, context)

    @property
    def texts(self) -> tuple[TextPart, ...]:
        """The texts of the sentence, with what the model did not read of them."""
        sentence, unread = self.capture.sentence, self.keys.unread
        if not self.capture.model.reads_target:
            return texts_of(sentence, unread)
        crossing = self.keys is not self.tokens
        # A decoder that looks at itself reads nothing of the sentence: its gaps are all in the target.
        return texts_of(sentence, unread if crossing else (), self.tokens.unread)

    def layer(self, index: int) -> AttentionLayer:
        """One layer, float32[head, query, key]; those of a short text are read once for all pages."""
        layer = self._layers.get(index)
        if layer is None:
            layer = self.attention.layer(index)
            if layer.weights.size * self.analysis.layers <= _HELD_WEIGHTS:
                self._layers[index] = layer
        return layer

    def weights(self, layer: int, head: int) -> EncodedWeights:
        """The weights of one head for its own page."""
        # Pages of heads come layer by layer, so that one layer is encoded at once and then let go.
        if self._encoded[0] != layer:
            weights = self.layer(layer).weights
            self._encoded = (layer, list(encode_heads(weights, self.capture.model.causal)))
        return self._encoded[1][head]

    @cached_property
    def short_title(self) -> str:
        """The sentence's title, short enough for a browser's tab."""
        return wording.shortened(self.capture.sentence.title, 60)

    @cached_property
    def head_frame(self) -> PageInfo:
        """What surrounds every head page of this capture."""
        model, sentence = self.capture.model, self.capture.sentence
        crumbs = ((model.spec.title, routes.model(model.spec.slug)), (sentence.title, self.capture.route))
        origin = provenance(self.capture.provenance)
        # Any of them: all lie in folders of the same depth.
        return page_info(self._site, "head", self.capture.head_route(0, 0), "", "", crumbs, origin)

    @cached_property
    def metric_rows(self) -> dict[HeadIndex, tuple[MetricRow, ...]]:
        """Every measure of each head, as text."""
        return dict(zip(self.capture.model.heads, rows_of_heads(self.analysis), strict=True))

    @cached_property
    def top_pairs(self) -> dict[HeadIndex, tuple[Pair, ...]]:
        """The strongest pairs of query and key of each head."""
        pairs = pairs_of_heads(self.analysis, self.tokens.texts, self.keys.texts)
        return dict(zip(self.capture.model.heads, pairs, strict=True))

    @cached_property
    def shared_context(self) -> HeadShared:
        """What all head pages of this capture share; links are relative to a head page."""
        route = self.capture.head_route(0, 0)
        sentence = self.capture.sentence
        return HeadShared(
            model=model_card(self.capture.model, route),
            sentence=Link(sentence.title, routes.href(route, routes.sentence(sentence.slug))),
            text=sentence.joined,
            language=self.language,
            tokens=self.token_views,
            tokens_title=self.tokens_title,
            token_strip=self._strip(self.token_views),
            key_strip=self._strip(self.key_views) if self.key_views else Markup(""),
            explorer=routes.href(route, self.capture.route),
            precision=f"Every number in the text comes from "
            f"{wording.stored_weights(self.capture.provenance)}; the picture holds them in 16 bits, right to "
            "0.00001.",
            left_out=self.reading_gaps,
        )


def token_views(tokens: Tokens) -> tuple[TokenView, ...]:
    """Tokens as a theme shows them."""
    flags = zip(
        tokens.texts, tokens.special.tolist(), tokens.continues.tolist(), opened_segments(tokens), strict=True
    )
    return tuple(TokenView(index, *flag) for index, flag in enumerate(flags))
