"""All that is known about one sentence under one model, measured from its attention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from attention_gallery.analysis.measures.head_types import (
    KINDS,
    MIXED,
    NONE,
    Criteria,
    Int8,
    Thresholds,
    count_types,
    head_type,
    names_of,
    strength,
)
from attention_gallery.records import AttentionKind, Float32, HeadMetric, HeadType, Int32

# A pair weaker than this does not make a head notable.
NOTABLE_PAIR = 0.1


@dataclass(frozen=True, eq=False)
class SentenceAnalysis:
    """The measures, types and outstanding pairs of every head on one sentence.

    key: the capture key. tokens, keys: how many tokens look, and how many are looked at (other ones only in
    cross attention). queries: int32[layer] by name, on how many queries each measure rests. uniform:
    float32[layer] by name, what each measure would be for even attention. Both differ between layers only
    where some have a window. shuffled_mean, shuffled_deviation: float32[metric, layer, head], what it would
    be with the weights of each row in any other order.
    types, also: int8[layer, head], indices into `KINDS`: the first type of a head, and a second or `NONE`.
    top_keys int32[layer, query, k], top_weights float32[layer, query, k]: strongest keys of the heads'
    average, -1 and 0 where there are fewer. top_content_keys, top_content_weights: the same among content
    tokens only (no special tokens; in causal models not the first token either).
    standouts_q, standouts_k int32[layer, head, n], standouts_w float32[layer, head, n]: strongest pairs
    of content tokens, at most one per query.
    far_q, far_k int32[layer, head], far_w float32[layer, head]: strongest pair of content tokens two or
    more apart, in cross attention of any.
    overall_average: float32[query, key], mean over all heads.
    """

    key: str
    tokens: int
    keys: int
    kind: AttentionKind
    window: int
    thresholds: Thresholds
    metrics: tuple[HeadMetric, ...]
    queries: dict[str, Int32]
    uniform: dict[str, Float32]
    shuffled_mean: Float32
    shuffled_deviation: Float32
    types: Int8
    also: Int8
    top_keys: Int32
    top_weights: Float32
    top_content_keys: Int32
    top_content_weights: Float32
    standouts_q: Int32
    standouts_k: Int32
    standouts_w: Float32
    far_q: Int32
    far_k: Int32
    far_w: Float32
    overall_average: Float32

    @property
    def layers(self) -> int:
        """How many layers."""
        return int(self.types.shape[0])

    @property
    def heads(self) -> int:
        """How many heads in each layer."""
        return int(self.types.shape[1])

    @property
    def causal(self) -> bool:
        """Whether a token sees only itself and what came before."""
        return self.kind == "decoder"

    @cached_property
    def values(self) -> dict[str, Float32]:
        """The measured values by name of the measure: float32[layer, head] each."""
        return {metric.name: metric.values for metric in self.metrics}

    @cached_property
    def _numbers(self) -> Float32:
        """Every measure of each head: float32[layer, head, measure]."""
        return np.stack([metric.values for metric in self.metrics], axis=-1)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(metric.name for metric in self.metrics)

    @cached_property
    def _criteria(self) -> tuple[Criteria, ...]:
        return Criteria.of_layers(self.thresholds, self.window, self.uniform, self.queries)

    @cached_property
    def _codes(self) -> list[list[int]]:
        codes: list[list[int]] = self.types.tolist()
        return codes

    def head_metrics(self, layer: int, head: int) -> dict[str, float]:
        """All measures of one head, by name; NaN where undefined."""
        return dict(zip(self._names, self._numbers[layer, head].tolist(), strict=True))

    @cached_property
    def _seconds(self) -> list[list[int]]:
        codes: list[list[int]] = self.also.tolist()
        return codes

    def type_name(self, layer: int, head: int) -> str:
        """The short name of a head's first type, without its evidence."""
        return KINDS[self._codes[layer][head]].name

    def type_names(self, layer: int, head: int) -> tuple[str, ...]:
        """The short names of the types that a head has."""
        return names_of(self._codes[layer][head], self._seconds[layer][head])

    def head_type(self, layer: int, head: int) -> HeadType:
        """What one head does, with the evidence."""
        numbers, criteria = self.head_metrics(layer, head), self._criteria[layer]
        found = head_type(self._codes[layer][head], numbers, criteria)
        second = self._seconds[layer][head]
        return found if second == NONE else found._replace(also=head_type(second, numbers, criteria))

    @cached_property
    def type_counts(self) -> tuple[tuple[str, int], ...]:
        """How many heads have each type, in the order of `KINDS`, types without heads left out."""
        return count_types(self.types, self.also)

    def clearest(self, type_name: str) -> tuple[int, int] | None:
        """The head that is the clearest case of a type, as (layer, head); None where there is none."""
        for code, kind in enumerate(KINDS):
            if kind.name == type_name and code != MIXED:
                return self._clearest(code)
        return None

    def _clearest(self, code: int) -> tuple[int, int] | None:
        of_type = (self.types == code) | (self.also == code)
        if not of_type.any():
            return None
        ranked = np.where(of_type, strength(code, self.values), -np.inf)
        return divmod(int(ranked.argmax()), self.heads)

    def opening_head(self, query: int) -> tuple[int, int]:
        """The head to show first, as (layer, head): where `query` looks most at a word beyond its neighbours.

        Where no head's strongest such pair begins at `query`, the head with the strongest of all.
        """
        from_query = np.where(self.far_q == query, self.far_w, -1)
        best = from_query if from_query.max() > 0 else self.far_w
        return divmod(int(best.argmax()), self.heads)

    def notable(self, limit: int | None = None) -> tuple[tuple[int, int], ...]:
        """The heads most worth a page, in order of layer and head, at most `limit`.

        First the clearest head of each type, then those with the strongest pair of content tokens that
        are not neighbours. The limit is two per layer but no more than 24 unless it is given.
        """
        limit = min(2 * self.layers, 24) if limit is None else limit
        chosen: dict[tuple[int, int], None] = {}
        for code in range(MIXED):
            place = self._clearest(code)
            if place is not None:
                chosen[place] = None
        for index in np.argsort(-self.far_w.ravel(), kind="stable").tolist():
            place = divmod(index, self.heads)
            if len(chosen) >= limit or self.far_w[place] < NOTABLE_PAIR:
                break
            chosen[place] = None
        return tuple(sorted(list(chosen)[:limit]))


def heads_only(analysis: SentenceAnalysis) -> SentenceAnalysis:
    """The measures and types without what is kept for each token, for holding many sentences at once."""
    pairs = np.zeros((0, 0, 0), np.int32)
    weights = np.zeros((0, 0, 0), np.float32)
    # Copies, since a loaded analysis holds views that keep all of its bytes alive.
    return replace(
        analysis,
        metrics=tuple(replace(metric, values=metric.values.copy()) for metric in analysis.metrics),
        queries={name: row.copy() for name, row in analysis.queries.items()},
        uniform={name: row.copy() for name, row in analysis.uniform.items()},
        shuffled_mean=analysis.shuffled_mean.copy(),
        shuffled_deviation=analysis.shuffled_deviation.copy(),
        types=analysis.types.copy(),
        also=analysis.also.copy(),
        far_q=analysis.far_q.copy(),
        far_k=analysis.far_k.copy(),
        far_w=analysis.far_w.copy(),
        top_keys=pairs,
        top_weights=weights,
        top_content_keys=pairs,
        top_content_weights=weights,
        standouts_q=pairs,
        standouts_k=pairs,
        standouts_w=weights,
        overall_average=np.zeros((0, 0), np.float32),
    )


def token_trace(
    analysis: SentenceAnalysis, query: int, *, content: bool = False
) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Where one token looks through the layers: for each layer its (key, weight) pairs, strongest first.

    Heads are averaged. `content` leaves out special tokens and, in causal models, the first token.
    """
    keys = analysis.top_content_keys if content else analysis.top_keys
    weights = analysis.top_content_weights if content else analysis.top_weights
    return tuple(
        tuple((key, weight) for key, weight in zip(row, shares, strict=True) if key >= 0)
        for row, shares in zip(keys[:, query].tolist(), weights[:, query].tolist(), strict=True)
    )
