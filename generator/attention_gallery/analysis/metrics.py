"""The measures of a head: small stateless functions in a registry, each saying what it means.

Every `compute` maps a `LayerView` to float32[head]; NaN where the measure is not defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from attention_gallery.analysis.layout import LayerView, Layout
from attention_gallery.records import AttentionKind, Float32, HeadMetric

CLARK = "Clark et al. 2019, What Does BERT Look At?"
VIG = "Vig & Belinkov 2019, Analyzing the Structure of Attention in a Transformer Language Model"
XIAO = "Xiao et al. 2024, Efficient Streaming Language Models with Attention Sinks"

EVERY: tuple[AttentionKind, ...] = ("encoder", "decoder", "cross")
# Distances between query and key, and the key at a query's own place, have a meaning inside one text only.
WITHIN: tuple[AttentionKind, ...] = ("encoder", "decoder")


@dataclass(frozen=True, slots=True)
class Metric:
    """One registered measure.

    range: least and greatest possible value; the greatest is None where it is tokens - 1.
    definition: a plain sentence for readers. caveat: when the number misleads.
    compute: LayerView -> float32[head]. kinds: the kinds of attention that have it at all.
    """

    name: str
    title: str
    unit: str
    range: tuple[float, float | None]
    definition: str
    source: str
    caveat: str
    compute: Callable[[LayerView], Float32]
    kinds: tuple[AttentionKind, ...] = EVERY

    def range_for(self, tokens: int) -> tuple[float, float]:
        """The closed interval of possible values for a sentence of so many tokens."""
        low, high = self.range
        return low, float(tokens - 1) if high is None else high

    def __call__(self, view: LayerView) -> Float32:
        """The measure of every head in view, float32[head], held in its range against rounding."""
        low, high = self.range_for(view.layout.queries)
        return np.minimum(np.maximum(self.compute(view), np.float32(low)), np.float32(high))

    def describe(self, values: Float32, tokens: int) -> HeadMetric:
        """The measured values float32[layer, head] together with what they mean."""
        return HeadMetric(
            name=self.name,
            title=self.title,
            unit=self.unit,
            range=self.range_for(tokens),
            values=values,
            definition=self.definition,
            source=self.source,
        )


def _entropy(view: LayerView) -> Float32:
    layout = view.layout
    rows = int(layout.choosing.sum())
    if not rows:
        return view.absent()
    # The floor keeps the logarithm finite; a weight of zero still contributes exactly zero.
    terms = np.maximum(view.weights, np.finfo(np.float32).tiny)
    np.log(terms, out=terms)
    terms *= view.weights
    scale = np.zeros(layout.queries, dtype=np.float32)
    scale[layout.choosing] = -1 / np.log(layout.visible[layout.choosing])
    mean: Float32 = (terms.sum(axis=2) * scale).sum(axis=1) / np.float32(rows)
    return mean


def _distance(view: LayerView) -> Float32:
    return _weighted(view, view.layout.distance)


def _near(view: LayerView) -> Float32:
    return _weighted(view, view.layout.near)


def _self(view: LayerView) -> Float32:
    diagonal = np.diagonal(view.weights, axis1=1, axis2=2)
    return _mean_over(diagonal[:, view.layout.choosing], view)


def _previous(view: LayerView) -> Float32:
    return _mean_over(np.diagonal(view.weights, -1, axis1=1, axis2=2), view)


def _next(view: LayerView) -> Float32:
    return _mean_over(np.diagonal(view.weights, 1, axis1=1, axis2=2), view)


def _first(view: LayerView) -> Float32:
    return _mean_over(view.weights[:, view.layout.choosing, 0], view)


def _separator(view: LayerView) -> Float32:
    keys = np.flatnonzero(view.layout.separators)
    if not keys.size:
        return view.absent()
    # In a causal model the queries before the first separator cannot see one.
    start = int(keys[0]) if view.layout.causal else 0
    return _mean_over(view.weights[:, start:, keys].sum(axis=2), view)


def _weighted(view: LayerView, pattern: Float32) -> Float32:
    """Sum of weights times pattern[query, key], over the sum of weights: float32[head]."""
    mean: Float32 = (view.weights * pattern).sum(axis=(1, 2)) / view.row_sums.sum(axis=1)
    return mean


def _mean_over(chosen: Float32, view: LayerView) -> Float32:
    """Mean of chosen[head, row], absent when no row is chosen: float32[head]."""
    rows = chosen.shape[1]
    if not rows:
        return view.absent()
    mean: Float32 = chosen.sum(axis=1) / np.float32(rows)
    return mean


METRICS: tuple[Metric, ...] = (
    Metric(
        name="entropy",
        title="Entropy",
        unit="share of the maximum",
        range=(0.0, 1.0),
        definition="How evenly a query spreads its attention: the entropy of its weights, divided by the "
        "entropy of attention spread evenly over the keys it can see, averaged over the queries that "
        "see more than one key.",
        source=CLARK + ", section 3.3",
        caveat="A broad head may still act like an average; low entropy says nothing of where it looks.",
        compute=_entropy,
    ),
    Metric(
        name="distance",
        title="Mean distance",
        unit="tokens",
        range=(0.0, None),
        definition="How far a query looks on average: the distance in tokens between query and key, "
        "weighted by attention.",
        source=VIG,
        caveat="Grows with the length of the sentence, and a head that rests on the first or last token "
        "looks far for no reason of meaning.",
        compute=_distance,
        kinds=WITHIN,
    ),
    Metric(
        name="local",
        title="Local mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The share of attention that stays within the window, in tokens to either side.",
        source="This gallery; a windowed form of the distance of " + VIG,
        caveat="In a short sentence almost everything is within the window: compare with even attention.",
        compute=_near,
        kinds=WITHIN,
    ),
    Metric(
        name="diagonal",
        title="Diagonal mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The share of cross attention that stays near the diagonal: within the window, in tokens "
        "to either side, of the key that lies as far along its text as the query along its own.",
        source="This gallery; local mass, with the diagonal in place of the query itself",
        caveat="In a short text almost everything is near the diagonal: compare with even attention. A head "
        "that pairs words rightly leaves the diagonal wherever the order of words differs.",
        compute=_near,
        kinds=("cross",),
    ),
    Metric(
        name="self",
        title="Self mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The mean weight that a token gives to itself, over the tokens that see more than one key "
        "(in a causal model the first token is left out: it can only look at itself).",
        source=CLARK + ", section 3.1",
        caveat="What is passed on is a value made from the token, not the token itself.",
        compute=_self,
        kinds=WITHIN,
    ),
    Metric(
        name="previous",
        title="Previous-token mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The mean weight that a token gives to the token just before it, over the tokens that "
        "have one.",
        source=CLARK + ", section 3.1",
        caveat="Tokens are pieces of words: the previous token may be the same word.",
        compute=_previous,
        kinds=WITHIN,
    ),
    Metric(
        name="next",
        title="Next-token mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The mean weight that a token gives to the token just after it, over the tokens that "
        "have one; causal models have no such measure.",
        source=CLARK + ", section 3.1",
        caveat="Tokens are pieces of words: the next token may be the same word.",
        compute=_next,
        kinds=("encoder",),
    ),
    Metric(
        name="first",
        title="First-token mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The mean weight that a token gives to the first token of the sentence, over the tokens "
        "that see more than one key (in a causal model the first token is left out: it can only look "
        "at itself).",
        source=XIAO,
        caveat="Often a place to rest: much weight on the first token need not move much information.",
        compute=_first,
    ),
    Metric(
        name="separator",
        title="Separator mass",
        unit="share",
        range=(0.0, 1.0),
        definition="The mean weight that a token gives to special tokens other than the first, such as "
        "[SEP]; in a causal model over the tokens that can see one. Absent where the tokenizer adds none.",
        source=CLARK + ", section 3.2",
        caveat="Often a place to rest: Clark et al. read it as a head that finds nothing to do.",
        compute=_separator,
    ),
)


def metrics_for(kind: AttentionKind, metrics: Iterable[Metric] = METRICS) -> tuple[Metric, ...]:
    """The measures that attention of this kind has."""
    return tuple(metric for metric in metrics if kind in metric.kinds)


def metric_named(name: str) -> Metric:
    """The registered measure of this name. Raises `KeyError`."""
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise KeyError(name)


def uniform_values(layout: Layout, metrics: tuple[Metric, ...]) -> Float32:
    """What each measure is when attention is spread evenly, the null to compare with: float32[metric]."""
    view = LayerView.of(layout.uniform()[None], layout)
    return np.array([metric(view)[0] for metric in metrics], dtype=np.float32)
