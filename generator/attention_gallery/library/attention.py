"""What a capture gives: tokens, weights, and the questions that one asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from attention_gallery.analysis import average_heads, find_token, rollout, to_words, word_groups, words_of
from attention_gallery.errors import UserError
from attention_gallery.records import (
    AttentionKind,
    AttentionLayer,
    Bool,
    Float32,
    MemoryCapture,
    ModelFacts,
    Provenance,
    StoredAttention,
    Tokens,
    head_name,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True)
class TopKey:
    """One key that a token looks at: `weight` is its share of the token's attention, 0 to 1.

    `query` and `key` are token texts, `query_index` and `key_index` their places. `head` is None where the
    heads of the layer are averaged.
    """

    layer: int
    head: int | None
    query: str
    key: str
    weight: float
    query_index: int
    key_index: int


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """The attention of one model on one text. Layers, heads and tokens count from 0."""

    captured: StoredAttention

    def __repr__(self) -> str:
        facts, kind = self.facts, self.kind
        tokens = f"{len(self.tokens)} tokens"
        if kind == "cross":
            tokens += f" to {len(self.keys)}"
        size = f"{facts.layers} layers × {facts.heads} heads"
        return f"<{kind} attention of {facts.architecture}: {size}, {tokens}>"

    @property
    def text(self) -> str:
        """The text that was read."""
        return self.captured.text

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens that look, as people read them."""
        return self.captured.tokens.texts

    @property
    def keys(self) -> tuple[str, ...]:
        """The tokens that are looked at: the same, except for cross attention."""
        return self.captured.keys.texts

    @property
    def token_details(self) -> Tokens:
        """The tokens that look, with their ids, places in the text and words."""
        return self.captured.tokens

    @property
    def kind(self) -> AttentionKind:
        """Whether this is the attention of an encoder, of a decoder, or of a decoder to its encoder."""
        return self.facts.kind

    @property
    def facts(self) -> ModelFacts:
        """The model: architecture, layers, heads, context."""
        return self.captured.facts

    @property
    def provenance(self) -> Provenance:
        """Where the numbers come from: digests, versions, the largest error of a row's sum."""
        return self.captured.provenance

    @property
    def layers(self) -> tuple[Float32, ...]:
        """The weights of every layer: float32[head, query, key] each, rows sum to 1."""
        return tuple(self._layer(index).weights for index in range(self.facts.layers))

    def head(self, layer: int, head: int) -> Float32:
        """The weights of one head: float32[query, key], rows sum to 1. Raises `UserError` for no head."""
        weights = self._layer(layer).weights
        if not 0 <= head < self.facts.heads:
            raise UserError(f"there is no head {head}", mend=f"the heads are 0 to {self.facts.heads - 1}")
        found: Float32 = weights[head]
        return found

    def average(self, layer: int | None = None) -> Float32:
        """The mean over the heads of a layer, or over all layers and heads: float32[query, key]."""
        chosen = range(self.facts.layers) if layer is None else [layer]
        means = np.stack([average_heads(self._layer(index)) for index in chosen])
        mean: Float32 = means.mean(axis=0, dtype=np.float32)
        return mean

    def rollout(self, layer: int | None = None) -> Float32:
        """How much of each input token has reached each token after a layer, or after the last one.

        float32[token, input token], rows sum to 1: heads averaged, the residual added, the layers multiplied
        (Abnar & Zuidema 2020). Raises `UserError` for a layer that does not exist and for cross attention.
        """
        if self.kind == "cross":
            raise UserError(
                "there is no rollout of cross attention by itself",
                mend="take the encoder's or the decoder's attention: `kind=\"encoder\"`",
            )
        last = self._layer(self.facts.layers - 1 if layer is None else layer).index
        reached = next(islice(rollout(self.captured), last, None))
        return reached.astype(np.float32)

    def to_words(self) -> Attention:
        """The same between words: columns of one word summed, rows averaged, so that rows sum to 1.

        Raises `UserError` where the tokenizer does not tell which tokens belong to one word.
        """
        stored = self.captured
        queries, keys = word_groups(stored.tokens), word_groups(stored.keys)
        if queries is None or keys is None:
            raise UserError(
                "the tokenizer does not tell which tokens belong to one word",
                mend="use a model with a fast tokenizer",
            )
        tokens = words_of(stored.tokens, stored.text)
        looked_at = None if stored.keys is stored.tokens else words_of(stored.keys, stored.key_text)
        every = (stored.layer(index) for index in range(self.facts.layers))
        layers = tuple(replace(layer, weights=to_words(layer.weights, queries, keys)) for layer in every)
        facts, origin = self.facts, self.provenance
        return Attention(
            MemoryCapture(
                stored.key,
                stored.text,
                tokens,
                facts,
                origin,
                layers,
                looked_at,
                looked_at_text=stored.key_text,
            )
        )

    def top_keys(
        self,
        token: str | int,
        layer: int | None = None,
        head: int | None = None,
        limit: int = 3,
        *,
        sinks: bool = True,
    ) -> tuple[TopKey, ...]:
        """The keys that a token looks at most, strongest first, layer by layer.

        `token` is a word of the text, a token as it is shown, or a position; a word of several tokens, or one
        that stands in the text more than once, gives rows for each. Heads are averaged unless one is named.
        Without `sinks`, special tokens are left out, and in causal models the first token, which collect
        attention whatever the text says.
        Raises `UserError` for a token, layer or head that does not exist.
        """
        queries = self._find(token)
        chosen = range(self.facts.layers) if layer is None else [layer]
        found: list[TopKey] = []
        for index in chosen:
            weights = average_heads(self._layer(index)) if head is None else self.head(index, head)
            for query in queries:
                row = weights[query] if sinks else np.where(self._content(), weights[query], 0)
                found.extend(self._strongest(row, (index, head, query), limit))
        return tuple(found)

    def figure(self, layer: int | None = None, head: int | None = None) -> Figure:
        """A Plotly heatmap of one head, of the mean of a layer, or of the mean of all; Jupyter shows it.

        Raises `UserError` for a layer or head that does not exist, or a head without its layer.
        """
        from attention_gallery.figures.plotly_figure import heatmap_figure

        if head is not None and layer is None:
            raise UserError("a head is one of a layer", mend=f"name both: figure(0, {head})")
        if layer is None:
            weights, title = self.average(), "All layers, heads averaged"
        elif head is None:
            weights, title = self.average(layer), f"Layer {layer}, heads averaged"
        else:
            weights, title = self.head(layer, head), head_name(layer, head)
        return heatmap_figure(
            self.captured.tokens, self.captured.keys, weights, title, self.kind == "decoder"
        )

    def _content(self) -> Bool:
        content = ~self.captured.keys.special
        if self.kind == "decoder":
            content[:1] = False
        return content

    def _strongest(self, row: Float32, place: tuple[int, int | None, int], limit: int) -> Iterator[TopKey]:
        layer, head, query = place
        for key in np.argsort(-row, kind="stable")[:limit].tolist():
            if row[key] > 0:
                yield TopKey(layer, head, self.tokens[query], self.keys[key], float(row[key]), query, key)

    def _find(self, token: str | int) -> list[int]:
        if isinstance(token, str):
            return find_token(self.text, self.captured.tokens, token)
        if not 0 <= token < len(self.tokens):
            raise UserError(f"there is no token {token}", mend=f"the tokens are 0 to {len(self.tokens) - 1}")
        return [token]

    def _layer(self, index: int) -> AttentionLayer:
        if not 0 <= index < self.facts.layers:
            raise UserError(f"there is no layer {index}", mend=f"the layers are 0 to {self.facts.layers - 1}")
        return self.captured.layer(index)
