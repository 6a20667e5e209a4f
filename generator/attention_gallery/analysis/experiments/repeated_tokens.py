"""What heads do on random tokens that are read twice: the test for induction heads without help from meaning.

Source: Olsson et al. 2022, In-context Learning and Induction Heads. The sequence of n tokens tells nothing of
what comes next, but where it comes back the first copy does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from attention_gallery.analysis.codec import pack_fields, unpack_fields
from attention_gallery.analysis.measures.analyse import layout_of
from attention_gallery.analysis.measures.attention_layout import LayerView, Layout
from attention_gallery.analysis.measures.head_blocks import blocks, reaches_of
from attention_gallery.analysis.measures.linear import Linear
from attention_gallery.analysis.measures.metric import Metric
from attention_gallery.analysis.measures.metrics import OLSSON, WANG, share_of_attention
from attention_gallery.analysis.measures.patterns import Pattern
from attention_gallery.analysis.result import Result, Subject
from attention_gallery.records import AttentionKind, Float32, HeadMetric, Int32, StoredAttention, Tokens

MAGIC = b"attention-gallery repeats 1\n"
_CAVEAT = (
    "Random tokens are unlike anything that the model was trained on. A head with a high score can do this; "
    "whether it does so in real text, the measures there tell."
)
ENCODER_CAVEAT = (
    "An encoder sees both copies whole and has nothing to predict: here a high score tells of a head that "
    "follows what comes back, not of induction. "
)

REPEATS: tuple[Metric, ...] = (
    share_of_attention(
        name="random-induction",
        title="Induction on random tokens",
        definition="Of random tokens read twice, the mean weight that a token of the second copy gives to "
        "the token after its equal in the first copy.",
        source=OLSSON,
        caveat=_CAVEAT,
    ),
    share_of_attention(
        name="random-duplicate",
        title="Duplicates in random tokens",
        definition="Of random tokens read twice, the mean weight that a token of the second copy gives to "
        "its equal in the first copy.",
        source="The duplicate-token heads of " + WANG,
        caveat=_CAVEAT,
    ),
)
# How many tokens nearer than the equal token the key of each score lies.
_NEARER = (1, 0)


@dataclass(frozen=True, eq=False)
class RepeatScores:
    """The scores of every head, in the order of `REPEATS`; each copy has `count` tokens.

    values, shuffled_mean, shuffled_deviation: [score, layer, head]. uniform: float32[score, layer], what
    evenly spread attention gives. queries: int32[score, layer], on how many tokens a score rests.
    """

    count: int
    kind: AttentionKind
    values: Float32
    uniform: Float32
    shuffled_mean: Float32
    shuffled_deviation: Float32
    queries: Int32

    @cached_property
    def metrics(self) -> tuple[HeadMetric, ...]:
        """The scores with what they mean."""
        # Their range depends on no number of tokens.
        metrics = (metric.describe(row, 1) for metric, row in zip(REPEATS, self.values, strict=True))
        if self.kind != "encoder":
            return tuple(metrics)
        return tuple(replace(metric, caveat=ENCODER_CAVEAT + metric.caveat) for metric in metrics)


def measure_repeats(attention: StoredAttention) -> RepeatScores:
    """Score every head of a capture of random tokens read twice. Raises `DamagedEntry`."""
    facts = attention.facts
    begin, count = copies(attention.tokens)
    by_reach: dict[int | None, Linear] = {}
    for reach in set(reaches_of(attention)):
        layout = layout_of(attention, 1, reach)
        patterns = [_pattern(layout, begin, count, nearer) for nearer in _NEARER]
        by_reach[reach] = Linear.from_patterns(layout, patterns)
    measured = []
    for block in blocks(attention):
        linear = by_reach[block.reach]
        measured.append(linear.measure(LayerView.from_weights(block.weights, linear.layout)))
    values, deviation = (
        np.concatenate(arrays, axis=1).reshape(-1, facts.layers, facts.heads)
        for arrays in zip(*measured, strict=True)
    )
    layers = [by_reach[reach] for reach in reaches_of(attention)]
    uniform, queries = (
        np.stack([getattr(linear, name) for linear in layers], axis=1) for name in ("uniform", "counted")
    )
    return RepeatScores(
        count,
        facts.kind,
        np.clip(values, 0, 1),
        uniform.astype(np.float32),
        np.broadcast_to(uniform[..., None], values.shape).astype(np.float32),
        deviation,
        queries.astype(np.int32),
    )


def copies(tokens: Tokens) -> tuple[int, int]:
    """Where the first copy begins, and how many tokens each has."""
    content = np.flatnonzero(~tokens.special)
    # Special tokens stand around both copies, none between.
    return int(content[0]), len(content) // 2


def _pattern(layout: Layout, begin: int, count: int, nearer: int) -> Pattern:
    """A diagonal from the second copy to the first, so many tokens nearer than equals are."""
    queries = np.arange(begin + count, begin + 2 * count)
    looked_for = np.zeros((layout.queries, layout.keys), bool)
    looked_for[queries, queries - count + nearer] = True
    return Pattern.where_any(looked_for & layout.seen())


REPEATED_TOKENS: Result[RepeatScores] = Result(
    name="repeated tokens",
    needs=("capture",),
    compute=lambda captures, settings, about: measure_repeats(next(captures)),
    dump=partial(pack_fields, MAGIC),
    load=lambda data, about: unpack_fields(MAGIC, RepeatScores, data),
    subjects=lambda inventory: map(Subject.from_key, inventory.random_tokens),
)
