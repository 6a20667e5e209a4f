"""The registry of measures, each saying what it means.

Most are linear: they look for a pattern of `patterns`. The others compute float32[head] from a `LayerView`.
NaN where a measure is not defined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from attention_gallery.analysis.measures import patterns
from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.records import AttentionKind, Float32

CLARK = "Clark et al. 2019, What Does BERT Look At?"
VIG = "Vig & Belinkov 2019, Analyzing the Structure of Attention in a Transformer Language Model"
GU = "Gu et al. 2025, When Attention Sink Emerges in Language Models"
OLSSON = "Olsson et al. 2022, In-context Learning and Induction Heads"
SHIM = "Shim et al. 2022, Understanding the Role of Self Attention for Efficient Speech Recognition"
WANG = "Wang et al. 2023, Interpretability in the Wild: a Circuit for Indirect Object Identification"
XIAO = "Xiao et al. 2024, Efficient Streaming Language Models with Attention Sinks"

# Distances between query and key, and the key at a query's own place, have a meaning inside one text only.
WITHIN: tuple[AttentionKind, ...] = ("encoder", "decoder")

# Weights whose logarithms are taken together, so that they stay in the processor's cache.
CACHED = 2**16


def _entropy(view: LayerView) -> Float32:
    layout = view.layout
    rows = int(layout.choosing.sum())
    if not rows:
        return view.absent()
    terms = _weighed_logarithms(view.weights)
    scale = np.zeros(layout.queries, dtype=np.float32)
    scale[layout.choosing] = -1 / np.log(layout.visible[layout.choosing])
    mean: Float32 = (terms * scale).sum(axis=1) / np.float32(rows)
    return mean


def _weighed_logarithms(weights: Float32) -> Float32:
    """The sum over each row of weight times logarithm of weight: float32[head, query]."""
    rows = weights.reshape(-1, weights.shape[2])
    sums = np.empty(len(rows), np.float32)
    step = max(1, CACHED // max(1, weights.shape[2]))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        # What is added keeps the logarithm finite, and is lost on any weight but zero, which counts nothing.
        logarithms = block + np.finfo(np.float32).tiny
        np.log(logarithms, out=logarithms)
        np.vecdot(block, logarithms, out=sums[start : start + step])
    return sums.reshape(weights.shape[:2])


def _sink(mass: Float32, layout: Layout) -> Float32:
    widely_seen = np.flatnonzero(layout.lookers >= max(2, layout.lookers.max(initial=0) / 2))
    if not widely_seen.size or layout.keys < 2:
        return np.full(mass.shape[:-1], np.nan, np.float32)
    side_by_side = slice(widely_seen[0], widely_seen[-1] + 1)
    largest: Float32 = (mass[..., side_by_side] / layout.lookers[side_by_side]).max(axis=-1)
    return largest


# Most measures are how much of a query's attention goes to some keys.
share_of_attention = partial(Metric, unit="share", range=(0.0, 1.0))

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
        ordered=False,
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
        pattern=patterns.distance,
        kinds=WITHIN,
    ),
    share_of_attention(
        name="local",
        title="Local mass",
        definition="The share of attention that stays within the window, in tokens to either side.",
        source="This gallery; a windowed form of the distance of " + VIG,
        caveat="In a short sentence almost everything is within the window: compare with even attention.",
        pattern=patterns.near,
        kinds=WITHIN,
    ),
    share_of_attention(
        name="diagonal",
        title="Diagonal mass",
        definition="The share of cross attention that stays near the diagonal: within the window, in tokens "
        "to either side, of the key that lies as far along its text as the query along its own.",
        source="This gallery; local mass, with the diagonal in place of the query itself",
        caveat="In a short text almost everything is near the diagonal: compare with even attention. A head "
        "that pairs words rightly leaves the diagonal wherever the order of words differs.",
        pattern=patterns.near,
        kinds=("cross",),
    ),
    Metric(
        name="diagonality",
        title="Diagonality",
        unit="share of the maximum",
        range=(0.0, 1.0),
        definition="How near the diagonal a query looks: 1 less its mean distance, divided by the largest "
        "distance that the text allows, averaged over the queries that see more than one key.",
        source="Cumulative attention diagonality of " + SHIM,
        caveat="Even attention is not at 0 but near 0.67, so that only what lies above it tells anything.",
        pattern=patterns.diagonality,
    ),
    share_of_attention(
        name="self",
        title="Self mass",
        definition="The mean weight that a token gives to itself, over the tokens that see more than one key "
        "(in a causal model the first token is left out: it can only look at itself).",
        source=CLARK + ", section 3.1",
        caveat="What is passed on is a value made from the token, not the token itself.",
        pattern=patterns.itself,
        kinds=WITHIN,
    ),
    share_of_attention(
        name="previous",
        title="Previous-token mass",
        definition="The mean weight that a token gives to the token just before it, over the tokens that "
        "have one.",
        source=CLARK + ", section 3.1",
        caveat="Tokens are pieces of words: the previous token may be the same word.",
        pattern=patterns.previous,
        kinds=WITHIN,
    ),
    share_of_attention(
        name="next",
        title="Next-token mass",
        definition="The mean weight that a token gives to the token just after it, over the tokens that "
        "have one; causal models have no such measure.",
        source=CLARK + ", section 3.1",
        caveat="Tokens are pieces of words: the next token may be the same word.",
        pattern=patterns.following,
        kinds=("encoder",),
    ),
    share_of_attention(
        name="first",
        title="First-token mass",
        definition="The mean weight that a token gives to the first token of the sentence, over the tokens "
        "that see it and more than one key (in a causal model the first token is left out: it can only look "
        "at itself).",
        source=XIAO,
        caveat="Often a place to rest: much weight on the first token need not move much information.",
        pattern=patterns.first,
    ),
    share_of_attention(
        name="separator",
        title="Separator mass",
        definition="The mean weight that a token gives to special tokens other than the first, such as "
        "[SEP]; in a causal model over the tokens that can see one. Absent where the tokenizer adds none.",
        source=CLARK + ", section 3.2",
        caveat="Often a place to rest: Clark et al. read it as a head that finds nothing to do.",
        pattern=patterns.separators,
    ),
    share_of_attention(
        name="punctuation",
        title="Punctuation mass",
        definition="The mean weight that a token gives to punctuation other than itself and the first token, "
        "over the tokens that can see some. Absent where there is none.",
        source=CLARK + ", section 3.2",
        caveat="Grows with the amount of punctuation, and counts every sign alike: the full stop that ends "
        "a sentence is a place to rest, an apostrophe inside a word is not.",
        pattern=patterns.punctuation,
    ),
    share_of_attention(
        name="sink",
        title="Sink score",
        definition="The largest mean weight that any one key gets from the queries that see it, its own look "
        "at itself left out. Keys that few queries see do not count.",
        source="The importance score of " + GU + ", over all keys instead of the first",
        caveat="The largest of many means is above even attention by chance alone: compare with shuffled "
        "rows. It does not say which token it is, nor that the token matters.",
        from_column_mass=_sink,
    ),
    share_of_attention(
        name="duplicate",
        title="Duplicate-token mass",
        definition="The mean weight that a token gives to equal tokens elsewhere, over the tokens that can "
        "see one. Special tokens and neighbours do not count. Absent where no token comes back.",
        source="The duplicate-token heads of " + WANG,
        caveat="In plain text few tokens come back, and those are mostly commas and articles: see on how "
        "many it rests. Tokens must be equal: “Cat” and “cat”, or a word with and without a space before "
        "it, are two.",
        pattern=patterns.duplicates,
    ),
    share_of_attention(
        name="induction",
        title="Induction mass",
        definition="The mean weight that a token gives to what came right after an earlier equal token, over "
        "the tokens that have such a key. Special tokens and neighbours do not count. Absent where no token "
        "comes back.",
        source=OLSSON,
        caveat="In plain text few tokens come back, and what follows them may draw attention for its "
        "meaning: see on how many it rests.",
        pattern=patterns.induction,
        kinds=("decoder",),
    ),
)


def metrics_for(kind: AttentionKind, metrics: Iterable[Metric] = METRICS) -> tuple[Metric, ...]:
    """The measures that attention of this kind has."""
    return tuple(metric for metric in metrics if kind in metric.kinds)


def metric_named(name: str, metrics: Iterable[Metric] = METRICS) -> Metric:
    """The measure of this name. Raises `KeyError`."""
    for metric in metrics:
        if metric.name == name:
            return metric
    raise KeyError(name)


@dataclass(frozen=True, slots=True)
class MeasureSet:
    """Measures in the order shown, the built-in ones first.

    digest: of the code of the others, "" where there are none. files: those that hold this code.
    """

    metrics: tuple[Metric, ...] = METRICS
    digest: str = ""
    files: tuple[str, ...] = ()

    def named(self, name: str) -> Metric:
        """The measure of this name. Raises `KeyError`."""
        return metric_named(name, self.metrics)


BUILT_IN = MeasureSet()
