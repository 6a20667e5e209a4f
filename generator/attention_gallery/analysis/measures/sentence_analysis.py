"""All that is known about one sentence under one model, measured from its attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from attention_gallery.analysis.codec import array_fields
from attention_gallery.analysis.measures.head_types import KINDS, MIXED, Int8, strength
from attention_gallery.analysis.measures.measured_heads import MeasuredHeads
from attention_gallery.records import Float32, Int32

# A pair weaker than this does not make a head notable.
NOTABLE_PAIR = 0.1
# Arrays that grow with the text, and are for the pages of one sentence.
_OF_TOKENS = frozenset(
    {"overall_average", "top_keys", "top_weights", "top_content_keys", "top_content_weights"}
    | {"top_pair_queries", "top_pair_keys", "top_pair_weights"}
)


@dataclass(frozen=True, eq=False, kw_only=True)
class SentenceAnalysis(MeasuredHeads):
    """The measures, types and outstanding pairs of every head on one sentence.

    key: the capture key. tokens, keys: how many tokens look, and how many are looked at (other ones only in
    cross attention). shuffled_mean, shuffled_deviation: float32[metric, layer, head], what each measure would
    be with the weights of each row in any other order.
    top_keys int32[layer, query, k], top_weights float32[layer, query, k]: strongest keys of the heads'
    average, -1 and 0 where there are fewer. top_content_keys, top_content_weights: the same among content
    tokens only (no special tokens; in causal models not the first token either).
    top_pair_queries, top_pair_keys int32[layer, head, n], top_pair_weights float32[layer, head, n]: strongest
    pairs of content tokens, at most one per query.
    far_pair_query, far_pair_key int32[layer, head], far_pair_weight float32[layer, head]: strongest pair of
    content tokens two or more apart, in cross attention of any.
    overall_average: float32[query, key], mean over all heads.
    """

    key: str
    tokens: int
    keys: int
    shuffled_mean: Float32
    shuffled_deviation: Float32
    top_keys: Int32
    top_weights: Float32
    top_content_keys: Int32
    top_content_weights: Float32
    top_pair_queries: Int32
    top_pair_keys: Int32
    top_pair_weights: Float32
    far_pair_query: Int32
    far_pair_key: Int32
    far_pair_weight: Float32
    overall_average: Float32

    @property
    def causal(self) -> bool:
        """Whether a token sees only itself and what came before."""
        return self.kind == "decoder"

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
        from_query = np.where(self.far_pair_query == query, self.far_pair_weight, -1)
        best = from_query if from_query.max() > 0 else self.far_pair_weight
        return divmod(int(best.argmax()), self.heads)

    def notable(self, limit: int | None = None) -> tuple[tuple[int, int], ...]:
        """The heads most worth a page, in order of layer and head, at most `limit`.

        The limit is two per layer but no more than 24 unless it is given.
        """
        return tuple(sorted(self.ranked_heads(min(2 * self.layers, 24) if limit is None else limit)))

    def ranked_heads(self, limit: int) -> tuple[tuple[int, int], ...]:
        """The heads that tell most, the first most, at most `limit`.

        First the clearest head of each type, then those with the strongest pair of content tokens that
        are not neighbours.
        """
        chosen: dict[tuple[int, int], None] = {}
        for code in range(MIXED):
            head = self._clearest(code)
            if head is not None:
                chosen[head] = None
        # Stable, as everywhere where heads are ranked: of equals the earlier one.
        for index in np.argsort(-self.far_pair_weight.ravel(), kind="stable").tolist():
            head = divmod(index, self.heads)
            if len(chosen) >= limit or self.far_pair_weight[head] < NOTABLE_PAIR:
                break
            chosen[head] = None
        return tuple(list(chosen)[:limit])


def heads_only(analysis: SentenceAnalysis) -> SentenceAnalysis:
    """The measures and types without what is kept for each token, for holding many sentences at once."""
    arrays = {name: getattr(analysis, name) for name in array_fields(SentenceAnalysis)}
    # Copies, since a loaded analysis holds views that keep all of its bytes alive.
    return replace(
        analysis,
        metrics=tuple(replace(metric, values=metric.values.copy()) for metric in analysis.metrics),
        queries={name: row.copy() for name, row in analysis.queries.items()},
        uniform={name: row.copy() for name, row in analysis.uniform.items()},
        **{name: (array[:0] if name in _OF_TOKENS else array).copy() for name, array in arrays.items()},
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


def clearest_sentences(types: Int8, analyses: Sequence[SentenceAnalysis]) -> Int32:
    """The sentences of every head, the one that shows it best first: int32[layer, head, sentence].

    types: int8[layer, head], what the heads are over all sentences. Sentences on which a head is of that type
    come first, by the measure that decides the type. A mixed head is shown best where the strongest pair of
    content tokens two or more apart is strongest. Of equal ones the earlier comes first.
    """
    ranked = np.full((len(analyses), *types.shape), -np.inf, dtype=np.float32)
    other = np.zeros(ranked.shape, dtype=bool)
    for code in np.unique(types).tolist():
        own = types == code
        for index, analysis in enumerate(analyses):
            clear = analysis.far_pair_weight if code == MIXED else strength(code, analysis.values)
            # Only heads of this type are ranked by its measure.
            ranked[index][own] = clear[own]
            if code != MIXED:
                other[index] |= own & (analysis.types != code) & (analysis.also != code)
    # The last key decides first; it is stable.
    order = np.lexsort((-ranked, other), axis=0)
    return np.moveaxis(order, 0, -1).astype(np.int32)
