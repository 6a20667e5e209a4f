"""What a capture gives: tokens, weights, and the questions that one asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from attention_gallery.analysis import (
    SentenceAnalysis,
    analyse,
    average_heads,
    find_token,
    rollout,
    to_words,
    word_groups,
    words_of,
)
from attention_gallery.errors import UserError
from attention_gallery.library import arguments
from attention_gallery.library.calls import told_calls
from attention_gallery.library.notebook import attention_html
from attention_gallery.manifest.settings import AnalysisSettings
from attention_gallery.records import (
    AttentionKind,
    AttentionLayer,
    Bool,
    Float32,
    HeadMetric,
    HeadType,
    ModelFacts,
    Provenance,
    StoredAttention,
    Tokens,
    head_name,
)
from attention_gallery.store.memory_capture import MemoryCapture

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure


_QUICKLY_MEASURED = 256  # tokens


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


@dataclass(frozen=True, eq=False)
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

    @told_calls
    def head(self, layer: int, head: int) -> Float32:
        """The weights of one head: float32[query, key], rows sum to 1. Raises `UserError` for no head."""
        weights: Float32 = self._layer(layer).weights[arguments.place(head, "head", self.facts.heads)]
        return weights

    @told_calls
    def average(self, layer: int | None = None) -> Float32:
        """The mean over the heads of a layer, or over all layers and heads: float32[query, key]."""
        chosen = range(self.facts.layers) if layer is None else [layer]
        means = np.stack([average_heads(self._layer(index)) for index in chosen])
        mean: Float32 = means.mean(axis=0, dtype=np.float32)
        return mean

    @told_calls
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

    @cached_property
    def _analysis(self) -> SentenceAnalysis:
        return analyse(self.captured, AnalysisSettings())

    @property
    def measures(self) -> Mapping[str, Float32]:
        """Every measure of every head by name: float32[layer, head], NaN where it is not defined.

        They are those of the pages, on this text alone; `measure` tells what each of them is.
        """
        return self._analysis.values

    @told_calls
    def measure(self, name: str) -> HeadMetric:
        """A measure: values, unit, range, definition, source. Raises `UserError` for the name of none."""
        arguments.one_of(name, "a measure", self.measures)
        return next(metric for metric in self._analysis.metrics if metric.name == name)

    @property
    def head_types(self) -> tuple[tuple[str, ...], ...]:
        """The type of every head on this text, such as "previous-token": [layer][head]."""
        facts, name = self.facts, self._analysis.type_name
        return tuple(tuple(name(layer, head) for head in range(facts.heads)) for layer in range(facts.layers))

    @told_calls
    def head_type(self, layer: int, head: int) -> HeadType:
        """The type of one head on this text, with the evidence for it. Raises `UserError` for no head."""
        facts = self.facts
        position = arguments.place(layer, "layer", facts.layers), arguments.place(head, "head", facts.heads)
        return self._analysis.head_type(*position)

    @told_calls
    def to_dataframe(self) -> DataFrame:
        """Every head as a row of a pandas table: layer, head, its type, and a column for each measure.

        Raises `UserError` where pandas is not installed.
        """
        try:
            from pandas import DataFrame
        except ImportError:
            mend = "pip install 'attention-gallery[pandas]'"
            raise UserError("a table needs pandas, which is not installed", mend=mend) from None
        facts = self.facts
        layers, heads = np.divmod(np.arange(facts.layers * facts.heads), facts.heads)
        types = [name for layer in self.head_types for name in layer]
        columns = {name: values.ravel() for name, values in self.measures.items()}
        return DataFrame({"layer": layers, "head": heads, "type": types, **columns})

    def _repr_html_(self) -> str:
        """What was captured in short, for notebooks: the tokens, the mean of all heads, types of heads."""
        # Of a long text the types would keep a notebook waiting.
        types = self._analysis.type_counts if len(self.tokens) <= _QUICKLY_MEASURED else ()
        return attention_html(self.captured, self.average(), types)

    @told_calls
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
        origin, key_text = self.provenance, stored.key_text
        words = MemoryCapture(
            stored.key, stored.text, tokens, self.facts, origin, layers, looked_at, looked_at_text=key_text
        )
        return Attention(words)

    @told_calls
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
        limit = arguments.whole_number(limit, "`limit`", 1, 1_000_000)
        sinks = arguments.yes_or_no(sinks, "sinks")
        chosen = range(self.facts.layers) if layer is None else [layer]
        rows: list[TopKey] = []
        for index in chosen:
            weights = average_heads(self._layer(index)) if head is None else self.head(index, head)
            for query in queries:
                row = weights[query] if sinks else np.where(self._content(), weights[query], 0)
                rows.extend(self._strongest(row, (index, head, query), limit))
        return tuple(rows)

    @told_calls
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

    def _strongest(self, row: Float32, position: tuple[int, int | None, int], limit: int) -> Iterator[TopKey]:
        layer, head, query = position
        for key in np.argsort(-row, kind="stable")[:limit].tolist():
            if row[key] > 0:
                yield TopKey(layer, head, self.tokens[query], self.keys[key], float(row[key]), query, key)

    def _find(self, token: str | int) -> list[int]:
        if not isinstance(token, str):
            return [arguments.place(token, "token", len(self.tokens))]
        if not token.strip():
            raise UserError("the token is empty", mend="name a word of the text, or #INDEX")
        return find_token(self.text, self.captured.tokens, token)

    def _layer(self, index: int) -> AttentionLayer:
        return self.captured.layer(arguments.place(index, "layer", self.facts.layers))
